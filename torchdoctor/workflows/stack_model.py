"""What takes part in the choice besides torch and its companions, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from torchdoctor.core.requirement_names import project_of
from torchdoctor.lock.uv_errors import packages_without_file
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.lock.compile import RequirementsUnmet
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.lock.solve import Solution
    from torchdoctor.requirements import AskedRequirement, StackRequest
    from torchdoctor.sources import Source
    from torchdoctor.workflows.newest_versions import NewestSearch
    from torchdoctor.workflows.source_model import BuiltLater

__all__ = ["StackChoice", "StackTask", "is_hidden_by_folders", "may_be_on_another_index"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StackTask:
    """Everything that was asked for besides torch, the sources and the interpreter, and a folder to work in."""

    stack: StackRequest  # for one machine, without torch and its companions
    lock_request: LockRequest
    run_dir: Path
    built_later: tuple[AskedRequirement, ...] = ()  # from source, by the installation: what was asked of them
    left_to_install: tuple[BuiltLater, ...] = ()  # of these and others, what their sources are
    built: tuple[Source, ...] = ()  # folders of wheels that were built for the choice
    implied: frozenset[str] = frozenset()  # projects in `stack` that only those need
    silent_pages: tuple[str, ...] = ()  # of extensions, which did not answer
    newest: NewestSearch | None = None  # that began already
    keeps_order: bool = False  # an index before another has hidden a file, and another one must not stand in
    pins_torch: bool = False  # whether a file, a project or a requirement says which torch, and not `--torch`

    @property
    def newest_asked(self) -> tuple[tuple[str, ...], LockRequest]:
        """What to look for the newest versions of, and where: whoever overrides or leaves out others is no matter."""
        lines = tuple(asked.line for asked in self.named if asked.name not in self.implied)
        return lines, replace(self.lock_request, excluded=frozenset(), overrides=())

    @property
    def overrides_torch(self) -> bool:
        """Whether what others require of torch or a companion is overridden."""
        return any(project_of(line) in TORCH_PROJECTS for line in self.stack.overrides)

    @property
    def without_torch_overrides(self) -> StackTask:
        """The task with the overrides of other packages alone: those of torch are met by the choice of its build."""
        others = tuple(line for line in self.lock_request.overrides if project_of(line) not in TORCH_PROJECTS)
        return replace(self, lock_request=replace(self.lock_request, overrides=others))

    @property
    def named(self) -> tuple[AskedRequirement, ...]:
        """What was asked for by name, without what is not installed here."""
        excluded = self.lock_request.excluded
        return tuple(asked for asked in self.stack.requirements if asked.name not in excluded)


@dataclass(frozen=True, kw_only=True, slots=True)
class StackChoice:
    """The versions that go together, and the newest version that this machine can install of each that was named."""

    solution: Solution
    newest: Mapping[str, str] = field(default_factory=dict)
    why_below: Mapping[str, str] = field(
        default_factory=dict
    )  # why a named project stays below its newest version

    @property
    def below(self) -> dict[str, tuple[str, str]]:
        """The named projects that are not at their newest version: the version chosen and the newest."""
        return {
            name: (self.solution.versions[name], newest)
            for name, newest in self.newest.items()
            if _is_older(self.solution.versions.get(name, newest), newest)
        }


def _is_older(version: str, newest: str) -> bool:
    """Whether it is below the newest; one that cannot be compared is not."""
    try:
        return Version(version) < Version(newest)
    except InvalidVersion:
        return False


def may_be_on_another_index(error: RequirementsUnmet, task: StackTask) -> bool:
    """Say whether an index with priority may hide a file for this machine that another index has.

    uv takes a release from the first index that has it, also where only another one has a file of it for the machine.
    """
    sources = task.lock_request.sources
    is_open = bool(sources.indexes) and not sources.alike and not task.keeps_order
    return is_open and bool(packages_without_file(error.stderr))


def is_hidden_by_folders(error: RequirementsUnmet, task: StackTask) -> bool:
    """Say whether all that may hide a file are folders of this machine, of which nobody needs to be asked."""
    return may_be_on_another_index(error, task) and all(
        source.local for source in task.lock_request.sources.indexes
    )
