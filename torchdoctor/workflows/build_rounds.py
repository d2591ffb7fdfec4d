"""The plan of a stack in which some packages have no wheel: solved again with what stands for all of these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.requirement_names import project_in
from torchdoctor.errors import NoSolution, SourceFailed, TorchdoctorError
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.fallbacks import reachable_sources
from torchdoctor.lock.uv_errors import packages_without_file
from torchdoctor.requirements import AskedRequirement
from torchdoctor.workflows.extension_refusals import ways_out_of
from torchdoctor.workflows.known_sdists import KnownSdists
from torchdoctor.workflows.source_model import built_version, chosen_of
from torchdoctor.workflows.source_search import SourceSearch, wanted_of
from torchdoctor.workflows.stack_model import is_hidden_by_folders, may_be_on_another_index
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Source
    from torchdoctor.workflows.source_builds import SourceBuilds
    from torchdoctor.workflows.source_model import BuiltLater, Provided
    from torchdoctor.workflows.stack_model import StackTask

__all__ = ["needs_of", "plan_with_builds", "with_known_sdists"]

_MAX_ROUNDS = 24


def plan_with_builds(
    task: StackTask, builds: SourceBuilds | None, plan: Callable[[StackTask], Plan | None]
) -> tuple[Plan | None, tuple[Source, ...]]:
    """Return the plan of a stack, and the folders of the wheels that had to be built for it.

    An index that does not answer is left out, and reported. Raises what `plan` raises where neither helps.
    """
    if builds is None:
        return plan(task), ()
    search = SourceSearch(request=task.lock_request)
    rounds = _Rounds(task=with_known_sdists(task, builds), first=task, builds=builds, search=search)
    for _ in range(_MAX_ROUNDS):
        try:
            return rounds.finished(plan(rounds.task))
        except SourceFailed as error:
            rounds.without_silent_indexes(error)
        except RequirementsUnmet as error:
            rounds.after(error)
    return rounds.finished(plan(rounds.task))


def with_known_sdists(task: StackTask, builds: SourceBuilds) -> StackTask:
    """Return the task with what stands for the packages without a wheel that the same request had before.

    Then nothing is solved in vain; what cannot be had of it is left to a solve, which says whether it is needed at all.
    """
    is_done = task.lock_request.stand_ins or task.built or task.left_to_install
    known = {} if is_done else KnownSdists(builds.cache / "sdists").versions(task)
    if not known:
        return task
    try:
        return _with(builds.provide_known(known, task, SourceSearch(request=task.lock_request)), task)
    except TorchdoctorError:
        return task


@dataclass(kw_only=True)
class _Rounds:
    """One task, and what was found for its packages without a wheel."""

    task: StackTask
    first: StackTask  # as it was asked for
    builds: SourceBuilds
    search: SourceSearch
    are_indexes_checked: bool = False
    are_named_checked: bool = False

    def after(self, error: RequirementsUnmet) -> None:
        """Provide for what a solve says has no wheel; raises `error` or its reason where nothing helps."""
        self.task = replace(self.task, silent_pages=(*self.task.silent_pages, *error.silent_pages))
        if self._may_be_on_another_index(error) and _may_ask_indexes_alike(error, self.task, self.builds):
            self.task = _with_indexes_alike(self.task)
            self.search = SourceSearch(request=self.task.lock_request)  # every index has sources now
            return
        if error.is_of_comparison and not self.task.keeps_order:
            self.task = replace(self.task, keeps_order=True)  # the solve before was fine
            return
        self.task = _with(self._provided_after(error), self.task)

    def without_silent_indexes(self, error: SourceFailed) -> None:
        """Leave out the indexes that do not answer; raises `error` where that does not help."""
        request = self.task.lock_request
        if self.are_indexes_checked or error.code != "unreachable" or request.offline:
            raise error
        self.are_indexes_checked = True
        sources = reachable_sources(request.sources, self.builds.report)
        if sources == request.sources:
            raise error
        self.task = replace(self.task, lock_request=replace(request, sources=sources))
        self.search = SourceSearch(request=self.task.lock_request)

    def finished(self, plan: Plan | None) -> tuple[Plan | None, tuple[Source, ...]]:
        """Return the plan with what it leaves to the installation, or with the wheels that it needs besides."""
        task, builds = self.task, self.builds
        if plan is None:
            return None, task.built
        chosen = chosen_of(plan, task.lock_request.stand_ins)
        needed = (*chosen, *(each.sdist for each in task.left_to_install))
        versions = {sdist.project: str(sdist.version) for sdist in needed}
        versions |= dict(map(built_version, task.built))
        KnownSdists(builds.cache / "sdists").keep_versions(self.first, versions)
        texts = [each.what for each in task.left_to_install]
        built = task.built
        if builds.plan_only:
            texts += [builds.how_installed(sdist, task) for sdist in chosen]
        else:
            built = (*built, *builds.build_chosen(plan, task))
        alike = task.lock_request.sources.alike
        return replace(plan, warnings=(*plan.warnings, *texts), indexes_alike=alike), built

    def _may_be_on_another_index(self, error: RequirementsUnmet) -> bool:
        """Whether an index without priority has a file; one that cannot be read may have it."""
        if not may_be_on_another_index(error, self.task):
            return False
        names = packages_without_file(error.stderr)
        wanted = {name: wanted_of(name, self.task) for name in names}
        if self.task.lock_request.offline:
            return True
        self.search.read_ahead(wanted)
        try:
            return any(self.search.indexes_with_wheel(name, limits) for name, limits in wanted.items())
        except TorchdoctorError:
            return True

    def _provided_after(self, error: RequirementsUnmet) -> Provided:
        """Provide for what the proof names. A refusal names pages that do not answer: they may have it."""
        missing = packages_without_file(error.stderr)
        named = (
            ()
            if self.are_named_checked
            else [each.name for each in self.task.named if " @ " not in each.line]
        )
        self.are_named_checked = True
        try:
            provided = (
                self.builds.provide(missing, named, self.task, self.search, error.stderr) if missing else None
            )
        except NoSolution as refused:
            if self.task.silent_pages:
                refused.fix = message(
                    "{fix}; or run the command again when {pages} answers",
                    fix=refused.fix,
                    pages=joined(self.task.silent_pages),
                )
            raise
        if provided is None or not provided.projects & set(missing):
            pages = self.task.silent_pages
            ways = ways_out_of(missing, self.task.lock_request.machine)
            error.fix = joined([*ways, error.fix], "; ")
            raise _nothing_else(error, pages) if pages else error
        return provided


def _with(provided: Provided, task: StackTask) -> StackTask:
    """Let the next solve choose among what is provided."""
    for needed in provided.later:
        task = _built_later(task, needed)
    request = task.lock_request
    sources = replace(request.sources, find_links=(*request.sources.find_links, *provided.folders))
    request = replace(request, sources=sources, stand_ins=(*request.stand_ins, *provided.stand_ins))
    return replace(
        task,
        lock_request=request,
        left_to_install=(*task.left_to_install, *provided.later),
        built=(*task.built, *provided.folders),
    )


def _may_ask_indexes_alike(error: RequirementsUnmet, task: StackTask, builds: SourceBuilds) -> bool:
    """Whether every package may come from whichever index has its newest version.

    A name on a public index could then stand in for a package of a private one. So the user is asked, but where what
    has priority is folders of this machine, which pip mixes with its indexes too.
    """
    names = joined(packages_without_file(error.stderr))
    if is_hidden_by_folders(error, task):
        builds.report.note(
            message(
                "no file of {names} for this machine on the index that has priority: all indexes are asked alike",
                names=names,
            )
        )
        return True
    return builds.report.ask(
        message(
            "No file of {names} for this machine on the index that has priority. Take every package from whichever "
            "index has its newest version?",
            names=names,
        ),
        default=False,
    )


def _with_indexes_alike(task: StackTask) -> StackTask:
    request = task.lock_request
    return replace(task, lock_request=replace(request, sources=replace(request.sources, alike=True)))


def _nothing_else(error: RequirementsUnmet, silent_pages: Sequence[str]) -> SourceFailed:
    """Return the error that what is missing may be on a page that does not answer."""
    pages = joined(silent_pages)
    return SourceFailed(
        message(
            "{pages} does not answer, and nothing else has what it has: {text}",
            pages=pages,
            text=error.message,
        ),
        fix=message("run the command again when it answers, or name another source with --find-links"),
        code="unreachable",
    )


def _built_later(task: StackTask, needed: BuiltLater) -> StackTask:
    """Return the task without the package, but with everything that it needs."""
    project = needed.sdist.project
    needs = needs_of(needed.requires, project)
    named = [asked for asked in task.stack.requirements if asked.name == project]
    request = task.lock_request
    return replace(
        task,
        stack=replace(task.stack, requirements=(*task.stack.requirements, *needs)),
        lock_request=replace(request, excluded=request.excluded | {project}),
        built_later=(*task.built_later, *named),
        implied=task.implied | ({need.name for need in needs} - {asked.name for asked in task.named}),
    )


def needs_of(lines: Iterable[str], project: str) -> tuple[AskedRequirement, ...]:
    """Return what a project needs besides torch, as requirements; a line that cannot be read is none."""
    return tuple(
        AskedRequirement(
            line=line, name=name, origin=message("what {name} needs", name=project), implied=True
        )
        for line in lines
        if (name := project_in(line)) is not None and name not in TORCH_PROJECTS
    )
