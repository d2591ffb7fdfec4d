"""What the installed torch requires, and is not there or is there in another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.model import Inventory

__all__ = ["Unmet", "unmet_requirements"]

# Whose requirements are looked at: torch's, its companions', and those of what torch requires that require something.
_REQUIRING = ("torch", "torchvision", "torchaudio", "sympy", "jinja2")
_SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmet:
    """`project` is required by `by` as `wanted`; `version` is there, None where the project is missing."""

    project: str
    by: str
    wanted: str
    version: str | None

    @property
    def description(self) -> str:
        """What is required and what is there, as a sentence."""
        if self.version:
            return message(
                "{by} requires {wanted}, but {version} is installed",
                by=self.by,
                wanted=self.wanted,
                version=self.version,
            )
        return message("{by} requires {wanted}, which is not installed", by=self.by, wanted=self.wanted)


def unmet_requirements(inventory: Inventory, python: PythonInfo) -> tuple[Unmet, ...]:
    """What is there against the lines of torch's metadata and its companions'; of conda's packages nothing is said.

    How torch and its companions go together is judged elsewhere, by more than their metadata. Without a torch
    nothing is required.
    """
    found: dict[str, Unmet] = {}
    if inventory.distribution("torch") is None:
        return ()
    for name in _REQUIRING:
        requiring = inventory.distribution(name)
        if requiring is not None and requiring.kind != "conda":
            for row in _unmet(name, requiring.requires, inventory, _environment(python)):
                found.setdefault(row.project, row)
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
    """A version that is not known, or cannot be read, counts as fitting."""
    try:
        return version is None or wanted.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _environment(python: PythonInfo) -> dict[str, str]:
    """The markers of the environment's own Python: https://peps.python.org/pep-0508/#environment-markers."""
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
