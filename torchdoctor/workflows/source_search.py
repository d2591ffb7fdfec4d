"""Which packages have no wheel for a machine, and which source distribution stands for each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.core.requirement_names import project_in
from torchdoctor.core.threads import thread_pool
from torchdoctor.detect import supported_tags
from torchdoctor.errors import TorchdoctorError
from torchdoctor.resolve.platform_support import python_satisfies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.sources.sdists import IndexFiles
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Sdist, Wheel

__all__ = ["SourceSearch", "lines_by_project", "specifiers_in", "wanted_of"]

_PAGES_AT_ONCE = 8
_SPECIFIER = r"(?P<specifier>(?:===|[<>=!~]=|[<>])[^\s;]*)"
_MAX_TEXT_LENGTH = 64 * 1024


@dataclass(kw_only=True)
class SourceSearch:
    """The pages of packages on the indexes of a request; each is read once."""

    request: LockRequest
    _found: dict[str, IndexFiles | TorchdoctorError] = field(default_factory=dict)
    _linked: tuple[Wheel, ...] | None = None  # of folders and pages of links

    def read_ahead(self, projects: Iterable[str]) -> None:
        """Read the pages of these projects side by side."""
        missing = [name for name in projects if name not in self._found]
        if not missing:
            return
        with thread_pool(min(_PAGES_AT_ONCE, len(missing))) as pool:
            self._found.update(zip(missing, pool.map(self._read, missing), strict=True))

    def indexes_with_wheel(self, project: str, wanted: SpecifierSet) -> tuple[str, ...]:
        """Return the names of the indexes that have a wheel for the machine; raises `Unreachable`."""
        return self._files(project).indexes_with_wheel(self._accepts(wanted))

    def has_wheel(self, project: str, wanted: SpecifierSet) -> bool:
        """Say whether an index, a folder or a page of links has a wheel for the machine; raises `Unreachable`."""
        accepts = self._accepts(wanted)
        return any(
            wheel.project == project and accepts(wheel.version, wheel.tags, wheel.requires_python)
            for wheel in self._linked_wheels()
        ) or bool(self.indexes_with_wheel(project, wanted))

    def _linked_wheels(self) -> tuple[Wheel, ...]:
        """The wheels of folders and pages of links; one that does not answer has none."""
        if self._linked is None:
            from torchdoctor.sources import SourceListing

            listings = [SourceListing(source=source) for source in self.request.sources.find_links]
            self._linked = tuple(wheel for listing in listings for wheel in listing.all_wheels())
        return self._linked

    def sdist(
        self,
        project: str,
        wanted: SpecifierSet,
        *,
        said: SpecifierSet | None = None,
        offered: Sequence[str] = (),
    ) -> Sdist | None:
        """Return the newest source distribution that is wanted, and was not offered before.

        `said` are limits in the words of uv, of whoever they are: one within them is preferred, and after another
        version was offered only such a one helps. Raises `Unreachable`.
        """
        machine = self.request.machine
        python = machine.python.version if machine is not None else None
        fitting = [
            sdist
            for sdist in self._files(project).sdists
            if wanted.contains(sdist.version, prereleases=bool(wanted.prereleases))
            and (python is None or python_satisfies(sdist.requires_python, python))
            and str(sdist.version) not in offered
        ]
        within = [sdist for sdist in fitting if said is not None and said.contains(sdist.version)]
        if offered and not (said is not None and str(said)):
            return None  # something else than the version is in the way
        candidates = within if offered else within or fitting
        return max(candidates, key=lambda sdist: sdist.version, default=None)

    def sdist_of_version(self, project: str, version: str) -> Sdist | None:
        """Return the source distribution of one version; raises `Unreachable`."""
        found = self._files(project).sdists
        return next((sdist for sdist in found if str(sdist.version) == version), None)

    def _files(self, project: str) -> IndexFiles:
        self.read_ahead([project])
        found = self._found[project]
        if isinstance(found, TorchdoctorError):
            raise found
        return found

    def _read(self, project: str) -> IndexFiles | TorchdoctorError:
        from torchdoctor.sources.sdists import list_files

        try:
            return list_files(project, self.request.sources)
        except TorchdoctorError as error:
            return error

    def _accepts(self, wanted: SpecifierSet) -> Callable[[Version, frozenset[Tag], str | None], bool]:
        """Return what says whether a wheel is wanted, and is for the machine."""
        machine = self.request.machine
        supported = frozenset(supported_tags(machine)) if machine is not None else None
        python = machine.python.version if machine is not None else None

        def accepts(version: Version, tags: frozenset[Tag], requires_python: str | None) -> bool:
            return (
                wanted.contains(version, prereleases=bool(wanted.prereleases) or self.request.prereleases)
                and (supported is None or bool(tags & supported))
                and (python is None or python_satisfies(requires_python, python))
            )

        return accepts


def wanted_of(project: str, task: StackTask, others: Iterable[str] = ()) -> SpecifierSet:
    """What was asked of a project, by requirements, by constraints and by `others`, which are requirement lines."""
    asked = (each.line for each in task.named if each.name == project)
    wanted = SpecifierSet()
    for line in (*asked, *task.lock_request.constraints, *others):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == project and requirement.url is None:
            wanted &= requirement.specifier
    return wanted


def lines_by_project(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return requirement lines by the normalised name that each is about; a line that is none is left out."""
    found: dict[str, list[str]] = {}
    for line in lines:
        name = project_in(line)
        if name is not None:
            found.setdefault(name, []).append(line)
    return found


def specifiers_in(text: str, project: str) -> SpecifierSet:
    """Return the limits of a project that stand in uv's words.

    >>> str(specifiers_in("Because a==1 depends on gruut-ipa>=0.12,<1 and all versions of gruut-ipa", "gruut-ipa"))
    '<1,>=0.12'
    """
    words = " ".join(text[:_MAX_TEXT_LENGTH].split())
    found = SpecifierSet()
    pattern = rf"(?:depends? on|require) {re.escape(project)}(?:\[[^\]]*\])?{_SPECIFIER}"
    for match in re.finditer(pattern, words):
        try:
            found &= SpecifierSet(match["specifier"].rstrip(",.:"))
        except InvalidSpecifier:
            continue
    return found
