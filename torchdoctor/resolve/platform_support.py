"""Whether any build of a release can run on a machine, whatever its GPU: platform, Python, macOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from torchdoctor.core.i18n import message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.model import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.detect import Machine
    from wheels_index import PlatformBuilds, Release

__all__ = ["python_satisfies", "refuse_platform"]

_BUILD_BITS = 64


def refuse_platform(machine: Machine, release: Release) -> Refusal | None:
    """Return why no build of this release can run on this machine; None when one can."""
    builds = release.platforms.get(machine.platform) if machine.platform else None
    if machine.python.bits != _BUILD_BITS:
        return Refusal(
            code="python-bits",
            message=message("torch has no build for a {bits}-bit Python", bits=machine.python.bits),
        )
    if builds is None or not builds.variants:
        return Refusal(
            code="platform",
            message=message(
                "torch {version} has no build for {system}",
                version=release.version,
                system=f"{machine.os} {machine.arch}",
            ),
        )
    if machine.libc is not None and machine.libc.name == "musl":
        return Refusal(
            code="musl", message=message("no torch wheel is built for musl; use a glibc system or container")
        )
    return _refuse_python(machine, release, builds) or _refuse_macos(machine, release, builds)


def python_satisfies(requires_python: str | None, version: str) -> bool:
    """Return whether a declared `Requires-Python` takes a Python version; text that is no specifier takes all."""
    try:
        return requires_python is None or SpecifierSet(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def _refuse_python(machine: Machine, release: Release, builds: PlatformBuilds) -> Refusal | None:
    pythons = (*builds.pythons, *builds.index_only_pythons)
    label = machine.python_label
    if machine.python.implementation != "cpython":
        return Refusal(
            code="implementation",
            message=message(
                "torch has wheels for CPython only, not {implementation}",
                implementation=machine.python.implementation,
            ),
        )
    # Where PyPI has no file at all, the files seen elsewhere are for some of the Pythons, not for all of them.
    if builds.pythons and label not in pythons:
        return Refusal(
            code="python-version",
            message=message(
                "torch {version} has no build for Python {label} ({span})",
                version=release.version,
                label=label,
                span=_span(pythons),
            ),
        )
    if not python_satisfies(release.requires_python, machine.python.version):
        return Refusal(
            code="requires-python",
            message=message(
                "torch {version} has no build for Python {label} (it declares {declared})",
                version=release.version,
                label=label,
                declared=release.requires_python,
            ),
        )
    return None


def _refuse_macos(machine: Machine, release: Release, builds: PlatformBuilds) -> Refusal | None:
    floor = builds.macos_floor(machine.python_label) if machine.os == "macos" else None
    version = parse_numeric_version(machine.os_version)
    if floor is None or version is None or version >= floor:
        return None
    return Refusal(
        code="macos-too-old",
        message=message(
            "torch {version} needs macOS ≥ {need} for Python {label}; this machine has {os_version}",
            version=release.version,
            need=".".join(map(str, floor)),
            label=machine.python_label,
            os_version=machine.os_version,
        ),
    )


def _span(pythons: Sequence[str]) -> str:
    if not pythons:
        return message("it has none")
    return message("it has {first} to {last}", first=pythons[0], last=pythons[-1])
