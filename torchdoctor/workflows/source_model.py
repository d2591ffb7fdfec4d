"""Packages without a wheel: what stands for them in a solve, and what is left to the installation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import parse_sdist_filename

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.markers import marker_holds
from torchdoctor.errors import NoSolution
from torchdoctor.lock.target import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from torchdoctor.detect import Machine
    from torchdoctor.lock.sdist_contents import SdistContents
    from torchdoctor.lock.stand_ins import StandIn
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Source
    from wheels_index import Sdist

__all__ = [
    "BuildsAgainstTorch",
    "BuiltLater",
    "Provided",
    "built_version",
    "chosen_of",
    "counting_requirements",
]


class BuildsAgainstTorch(NoSolution):
    """A package without a wheel whose build needs the torch that it is for; `install` can make it."""

    def __init__(
        self, sdist: Sdist, path: Path, contents: SdistContents, *, agreed: bool, key: str | None = None
    ) -> None:
        needs = [message("that torch")]
        if contents.compiles:
            needs.append(message("a C++ compiler"))
        if contents.has_cuda:
            needs.append(message("for a CUDA build nvcc of the same CUDA major version"))
        super().__init__(
            message(
                "{name} {version} has no wheel, and is built against an installed torch: it needs {needs}",
                name=sdist.project,
                version=sdist.version,
                needs=joined(needs),
            ),
            fix=message("have install build it here: torchdoctor install --build {name}", name=sdist.project),
            code="builds-against-torch",
        )
        self.sdist, self.path, self.contents, self.agreed = sdist, path, contents, agreed
        self.key = key  # of sources that are in a folder or come from a URL


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltLater:
    """A package without a wheel that only the installation builds, and that takes no part in the choice."""

    sdist: Sdist
    requires: tuple[str, ...]
    what: str  # how it comes to be installed


@dataclass(kw_only=True)
class Provided:
    """What makes a solve possible that has packages without a wheel."""

    stand_ins: list[StandIn] = field(default_factory=list)
    folders: list[Source] = field(default_factory=list)  # of wheels that were built
    later: list[BuiltLater] = field(default_factory=list)

    @property
    def projects(self) -> set[str]:
        """What it provides."""
        later = [each.sdist.project for each in self.later]
        return {
            *later,
            *(each.project for each in self.stand_ins),
            *(built_version(each)[0] for each in self.folders),
        }


def built_version(folder: Source) -> tuple[str, str]:
    """Return project and version of a folder with a built wheel, which has the name of what it was built from."""
    project, version = parse_sdist_filename(folder.name)
    return str(project), str(version)


def chosen_of(plan: Plan, offered: Iterable[StandIn]) -> list[Sdist]:
    """Return the source distributions that a plan has chosen of those offered, by name."""
    versions = {package.name: package.version for package in plan.solved}
    chosen = (each.sdist for each in offered if versions.get(each.project) == each.version)
    return sorted(chosen, key=lambda sdist: sdist.project)


def counting_requirements(
    lines: Iterable[str], machine: Machine | None, extras: Iterable[str] = ()
) -> list[str]:
    """Return the requirements whose markers hold on a machine, without these; a line that cannot be read is none."""
    environment: dict[str, object] = {**marker_environment(machine)} if machine is not None else {}
    counting = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if marker_holds(requirement.marker, environment, extras):
            requirement.marker = None
            counting.append(str(requirement))
    return counting
