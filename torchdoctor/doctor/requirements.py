"""What the installed torch requires and is missing, or is installed in another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory import Inventory

__all__ = ["Unmet", "marker_environment", "unmet_requirements"]

# Packages whose requirements are checked: torch, its companions, and those dependencies that have dependencies.
_REQUIRING = ("torch", "torchvision", "torchaudio", "sympy", "jinja2")
_SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmet:
    """A requirement that is not met."""

    project: str  # what is required, by its normalised name
    by: str  # the package that requires it
    wanted: str  # the project with the versions that are allowed
    version: str | None  # the installed one; None where the project is missing

    @property
    def description(self) -> str:
        """Return what is required and what is installed, as a sentence."""
        if self.version:
            return message(
                "{by} requires {wanted}, but {version} is installed",
                by=self.by,
                wanted=self.wanted,
                version=self.version,
            )
        return message("{by} requires {wanted}, which is not installed", by=self.by, wanted=self.wanted)


def unmet_requirements(inventory: Inventory, python: PythonInfo) -> tuple[Unmet, ...]:
    """Compare the installed packages with the requirements in the metadata of torch and its companions.

    Requirements of torch itself are left out: `companion_match` judges them by more than metadata. Packages of conda
    are not judged. Without a torch nothing is required.
    """
    found: dict[str, Unmet] = {}
    if inventory.distribution("torch") is None:
        return ()
    for name in _REQUIRING:
        requiring = inventory.distribution(name)
        if requiring is not None and requiring.kind != "conda":
            for unmet in _unmet(name, requiring.requires, inventory, marker_environment(python)):
                found.setdefault(unmet.project, unmet)
    return tuple(found.values())


def _unmet(
    by: str, lines: tuple[str, ...], inventory: Inventory, environment: dict[str, str]
) -> Iterator[Unmet]:
    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        name = canonicalize_name(wanted.name)
        if name == "torch" or (wanted.marker is not None and not wanted.marker.evaluate(environment)):
            continue
        there = inventory.distribution(name)
        if there is None or not _fits(wanted, there.version):
            description = f"{name}{wanted.specifier}"
            yield Unmet(project=name, by=by, wanted=description, version=there.version if there else None)


def _fits(wanted: Requirement, version: str | None) -> bool:
    """A version that is unknown or cannot be read counts as fitting."""
    try:
        return version is None or wanted.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def marker_environment(python: PythonInfo) -> dict[str, str]:
    """Return the markers of the environment's own Python: https://peps.python.org/pep-0508/#environment-markers."""
    short = ".".join(python.version.split(".")[:2])
    return {
        "platform_system": _SYSTEMS.get(python.sys_platform, python.sys_platform),
        "sys_platform": python.sys_platform,
        "platform_machine": python.machine,
        "os_name": "nt" if python.sys_platform == "win32" else "posix",
        "python_version": short,
        "python_full_version": python.version,
        "implementation_name": python.implementation,
        "extra": "",
    }
