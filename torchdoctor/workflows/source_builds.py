"""Packages that have no wheel: their source distributions are looked into, asked about, and built into wheels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.requirement_names import project_of
from torchdoctor.core.threads import thread_pool
from torchdoctor.errors import NoSolution, TorchdoctorError
from torchdoctor.lock.stand_ins import StandIn
from torchdoctor.sources.source import Source
from torchdoctor.workflows.known_sdists import KnownSdists
from torchdoctor.workflows.source_check import refuse_untrue_sources
from torchdoctor.workflows.source_model import (
    BuildsAgainstTorch,
    BuiltLater,
    Provided,
    chosen_of,
    counting_requirements,
)
from torchdoctor.workflows.source_search import lines_by_project, specifiers_in, wanted_of
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.sdist_contents import SdistContents
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.source_search import SourceSearch
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Sdist

__all__ = ["SourceBuilds"]

_MAX_LOOKED_AT = 200
_FILES_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceBuilds:
    """How packages without a wheel are built: `agreed` are the names to which the user said yes beforehand.

    With `plan_only` nothing is built of which it is known what it needs: it is left for the installation, and the plan
    says so.
    """

    cache: Path
    report: Reporter
    agreed: frozenset[str] = frozenset()  # normalised; `:all:` stands for every package
    plan_only: bool = False

    def provide(
        self,
        missing: Sequence[str],
        others: Iterable[str],
        task: StackTask,
        search: SourceSearch,
        text: str = "",
    ) -> Provided:
        """Return what stands for the packages that have no wheel.

        `missing` are those of which a solve said so in `text`, `others` may be such. What these require is looked at
        too, so that one solve is enough for all. What says itself what it requires takes part in the choice without
        being built; the others are built at once. Raises `NoSolution` where a package has only sources that cannot be
        built here, or nobody agreed to run them.
        """
        provided = Provided()
        if task.lock_request.offline:
            return provided
        lines: list[str] = []  # what the packages found require
        batch = dict.fromkeys([*missing, *others])
        seen: set[str] = set()
        while batch and len(seen) < _MAX_LOOKED_AT:
            names = [*batch][: _MAX_LOOKED_AT - len(seen)]
            limits = lines_by_project(lines)
            wanted = {name: wanted_of(name, task, limits.get(name, ())) for name in names}
            search.read_ahead(wanted)
            seen.update(names)
            chosen = [
                sdist
                for name, limits in wanted.items()
                if (sdist := self._without_wheel(name, limits, task, search, text, is_sure=name in missing))
            ]
            required = self._add(provided, chosen, task)
            lines += required
            batch = dict.fromkeys(
                name for name in map(project_of, required) if name not in (*TORCH_PROJECTS, *seen)
            )
        return provided

    def provide_known(self, known: Mapping[str, str], task: StackTask, search: SourceSearch) -> Provided:
        """Return what stands for packages that had no wheel when the same was asked for before.

        `known` are their versions of that time, which are offered beside the newest. Nothing is asked. Raises what
        `provide` raises.
        """
        provided = Provided()
        if task.lock_request.offline:
            return provided
        wanted = {name: wanted_of(name, task) for name in known}
        search.read_ahead(wanted)
        chosen = [self._without_wheel(*each, task, search, "", is_sure=False) for each in wanted.items()]
        self._add(provided, [sdist for sdist in chosen if sdist], task, may_ask=False)
        before = [
            sdist
            for each in provided.stand_ins
            if (version := known[each.project]) != each.version
            and (sdist := search.sdist_of_version(each.project, version))
        ]
        self._add(provided, before, task, may_ask=False)
        return provided

    def build_chosen(self, plan: Plan, task: StackTask) -> tuple[Source, ...]:
        """Build what the plan has chosen of what was offered by its metadata alone, and return the wheels' folders."""
        return self._build(chosen_of(plan, task.lock_request.stand_ins), task)

    def how_installed(self, sdist: Sdist, task: StackTask) -> str:
        """Say how a package that a plan leaves to the installation comes to be installed."""
        return self._what_it_takes(sdist, self._contents(sdist), task)

    def is_agreed(self, project: str) -> bool:
        """Say whether the user agreed beforehand to build a project, by its normalised name."""
        return bool(self.agreed & {project, ":all:"})

    def require_consent(self, sdists: Sequence[tuple[Sdist, SdistContents]]) -> None:
        """Ask about all of these at once; raises `NoSolution` where nobody agrees that their code runs."""
        if not sdists:
            return
        what = joined([_what_runs(*each) for each in sdists], "; ")
        if not self.report.ask(message("{what}. Build it?", what=what), default=False):
            options = " ".join(f"--build {sdist.project}" for sdist, _ in sdists)
            raise NoSolution(
                what,
                fix=message("agree with {options}, or leave it out", options=options),
                code="build-consent",
            )

    def _without_wheel(
        self,
        name: str,
        wanted: SpecifierSet,
        task: StackTask,
        search: SourceSearch,
        text: str,
        *,
        is_sure: bool,
    ) -> Sdist | None:
        """The source distribution to offer for a package; None where it has a wheel or is there already."""
        request = task.lock_request
        offered = [each.version for each in request.stand_ins if each.project == name]
        if not is_sure and (offered or name in request.excluded):
            return None
        try:
            if not is_sure and search.has_wheel(name, wanted):
                return None
            sdist = search.sdist(name, wanted, said=specifiers_in(text, name), offered=offered)
        except TorchdoctorError:
            if is_sure:
                raise
            return None
        if sdist is not None and any(source.name == sdist.filename for source in request.sources.find_links):
            return None
        return sdist

    def _add(
        self, provided: Provided, sdists: Sequence[Sdist], task: StackTask, *, may_ask: bool = True
    ) -> list[str]:
        """Take these packages in, and return what they require."""
        required: list[str] = []
        refuse_untrue_sources(sdists, task.lock_request, self.report)
        for sdist, contents in zip(sdists, self._all_contents(sdists), strict=True):
            requires = contents.requires
            counting = _counting(requires or (), sdist.project, task)
            if contents.needs_torch and not self.plan_only:
                raise BuildsAgainstTorch(
                    sdist, self._fetch(sdist), contents, agreed=self.is_agreed(sdist.project)
                )
            if contents.needs_torch or (requires is None and contents.compiles and self.plan_only):
                what = self._what_it_takes(sdist, contents, task)
                provided.later.append(BuiltLater(sdist=sdist, requires=tuple(counting), what=what))
            elif requires is not None:
                provided.stand_ins.append(StandIn(sdist=sdist, requires=requires))
            elif may_ask or self._needs_no_question(sdist, contents, task):
                provided.folders += self._build([sdist], task)
            required += counting
        return required

    def _all_contents(self, sdists: Sequence[Sdist]) -> list[SdistContents]:
        with thread_pool(_FILES_AT_ONCE) as pool:
            return list(pool.map(self._contents, sdists))

    def _contents(self, sdist: Sdist) -> SdistContents:
        """What is in a file, which is looked into once."""
        from torchdoctor.lock.sdist_contents import inspect_sdist

        known = KnownSdists(self.cache / "sdists")
        contents = known.contents(sdist)
        if contents is None:
            contents = inspect_sdist(self._fetch(sdist))
            known.keep_contents(sdist, contents)
        return contents

    def _fetch(self, sdist: Sdist) -> Path:
        from torchdoctor.sources.sdists import fetch_sdist

        return fetch_sdist(sdist, self.cache / "sdists")

    def _build(self, sdists: Sequence[Sdist], task: StackTask) -> tuple[Source, ...]:
        """Build wheels after the consent that they need, and return their folders.

        Of what was built of the same bytes before no code runs again, so nobody is asked.
        """
        from torchdoctor.lock.sdist_contents import inspect_sdist
        from torchdoctor.workflows.wheel_build import build_wheel, wheel_built_before

        built = self.cache / "built"
        paths = [self._fetch(sdist) for sdist in sdists]
        contents = [inspect_sdist(path) for path in paths]  # consent rests on the files themselves
        for sdist, found in zip(sdists, contents, strict=True):
            if found.compiles and task.lock_request.target is not None:
                raise _foreign_build(sdist)
        self.require_consent(
            [
                (sdist, found)
                for path, sdist, found in zip(paths, sdists, contents, strict=True)
                if not self._needs_no_question(sdist, found, task)
                and wheel_built_before(path, task.lock_request, built) is None
            ]
        )
        wheels = [
            build_wheel(path, sdist, task.lock_request, built, self.report)
            for path, sdist in zip(paths, sdists, strict=True)
        ]
        return tuple(
            Source(
                name=sdist.filename,
                url=wheel.parent.absolute().as_uri(),
                layout="flat",
                origin="built from source",
            )
            for sdist, wheel in zip(sdists, wheels, strict=True)
        )

    def _what_it_takes(self, sdist: Sdist, contents: SdistContents, task: StackTask) -> str:
        """Say how the package comes to be installed."""
        if contents.needs_torch:
            error = BuildsAgainstTorch(sdist, self.cache, contents, agreed=False)
            return message("{what}; {fix}", what=error.message, fix=error.fix)
        named, version = sdist.project, sdist.version
        if contents.requires is None:
            return message(
                "{name} {version} has no wheel: install builds it with --build {name}, which tells what it requires",
                name=named,
                version=version,
            )
        if self._needs_no_question(sdist, contents, task):
            return message("{name} {version} has no wheel: install builds it", name=named, version=version)
        return message(
            "{name} {version} has no wheel: install builds it with --build {name}",
            name=named,
            version=version,
        )

    def _needs_no_question(self, sdist: Sdist, contents: SdistContents, task: StackTask) -> bool:
        """Whether it is pure Python that was asked for by name, or was agreed to beforehand."""
        asked = sdist.project in {named.name for named in task.named if not named.implied}
        return (asked and not contents.compiles) or self.is_agreed(sdist.project)


def _what_runs(sdist: Sdist, contents: SdistContents) -> str:
    kind = message("compiled code") if contents.compiles else message("Python code")
    return message(
        "{name} {version} has no wheel; building it runs its own {kind} here",
        name=sdist.project,
        version=sdist.version,
        kind=kind,
    )


def _foreign_build(sdist: Sdist) -> NoSolution:
    return NoSolution(
        message(
            "{name} {version} has no wheel for that machine, and its compiled code can only be built there",
            name=sdist.project,
            version=sdist.version,
        ),
        fix=message(
            "run the command on that machine, or leave it out with --without {name}", name=sdist.project
        ),
        code="build-foreign",
    )


def _counting(lines: Iterable[str], project: str, task: StackTask) -> list[str]:
    """The requirements that count on the machine, with the extras that were asked for."""
    extras = {
        extra for asked in task.named if asked.name == project for extra in Requirement(asked.line).extras
    }
    return counting_requirements(lines, task.lock_request.machine, extras)
