"""Packages that have no wheel: their source distributions are looked into, asked about, and built into wheels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.fallbacks import reachable_sources
from torchdoctor.lock.uv_errors import packages_without_file
from torchdoctor.requirements import AskedRequirement
from torchdoctor.resolve.platform_support import python_satisfies
from torchdoctor.sources.source import Source
from torchdoctor.workflows.stack_model import may_be_on_another_index
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.sdist_contents import SdistContents
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Sdist

__all__ = ["BuildsAgainstTorch", "SourceBuilds", "needs_of", "plan_with_builds"]

_MAX_BUILDS = 24


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


class _BuiltLater(Exception):
    """A package without a wheel that only the installation builds."""

    def __init__(self, sdist: Sdist, requires: tuple[str, ...], what: str) -> None:
        super().__init__(what)
        self.sdist, self.requires, self.what = sdist, requires, what


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

    def wheels_for(self, error: RequirementsUnmet, task: StackTask) -> tuple[Source, ...]:
        """Build what the proof says has no wheel; return the folders of the wheels, none where nothing was built.

        Raises `NoSolution` where a package has only sources that cannot be built here, or nobody agreed to run them.
        """
        request = task.lock_request
        if request.offline:
            return ()
        folders = []
        for project in packages_without_file(error.stderr):
            sdist = self._choose(project, task)
            if sdist is None or any(source.name == sdist.filename for source in request.sources.find_links):
                continue
            folders.append(self._build(sdist, task))
        return tuple(folders)

    def _choose(self, project: str, task: StackTask) -> Sdist | None:
        """The newest source distribution that what was asked for allows."""
        from torchdoctor.sources.sdists import list_sdists

        wanted = _specifiers(project, task)
        machine = task.lock_request.machine
        python = machine.python.version if machine is not None else None
        fitting = [
            sdist
            for sdist in list_sdists(project, task.lock_request.sources)
            if wanted.contains(sdist.version, prereleases=bool(wanted.prereleases))
            and (python is None or python_satisfies(sdist.requires_python, python))
        ]
        return max(fitting, key=lambda sdist: sdist.version, default=None)

    def _build(self, sdist: Sdist, task: StackTask) -> Source:
        from torchdoctor.lock.sdist_contents import inspect_sdist
        from torchdoctor.sources.sdists import fetch_sdist
        from torchdoctor.workflows.wheel_build import build_wheel

        path = fetch_sdist(sdist, self.cache / "sdists")
        contents = inspect_sdist(path)
        agreed = bool(self.agreed & {sdist.project, ":all:"})
        if self.plan_only and (contents.requires is not None or contents.compiles):
            what = self._what_it_takes(sdist, path, contents, task)
            raise _BuiltLater(sdist, contents.requires or (), what)
        if contents.needs_torch:
            raise BuildsAgainstTorch(sdist, path, contents, agreed=agreed)
        if contents.compiles and task.lock_request.target is not None:
            raise NoSolution(
                message(
                    "{name} {version} has no wheel for that machine, and its compiled code can only be built there",
                    name=sdist.project,
                    version=sdist.version,
                ),
                fix=message(
                    "run the command on that machine, or leave it out with --without {name}",
                    name=sdist.project,
                ),
                code="build-foreign",
            )
        self._require_consent(sdist, contents, task)
        wheel = build_wheel(path, sdist, task.lock_request, self.cache / "built", self.report)
        return Source(
            name=sdist.filename,
            url=wheel.parent.absolute().as_uri(),
            layout="flat",
            origin="built from source",
        )

    def _what_it_takes(self, sdist: Sdist, path: Path, contents: SdistContents, task: StackTask) -> str:
        """Say how the package comes to be installed."""
        if contents.needs_torch:
            error = BuildsAgainstTorch(sdist, path, contents, agreed=False)
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
        asked = sdist.project in {named.name for named in task.named}
        return (asked and not contents.compiles) or bool(self.agreed & {sdist.project, ":all:"})

    def _require_consent(self, sdist: Sdist, contents: SdistContents, task: StackTask) -> None:
        """A pure-Python package that was asked for by name is built; anything else is asked about."""
        if self._needs_no_question(sdist, contents, task):
            return
        kind = message("compiled code") if contents.compiles else message("Python code")
        what = message(
            "{name} {version} has no wheel; building it runs its own {kind} here",
            name=sdist.project,
            version=sdist.version,
            kind=kind,
        )
        if not self.report.ask(message("{what}. Build it?", what=what), default=False):
            raise NoSolution(
                what,
                fix=message("agree with --build {name}, or leave it out", name=sdist.project),
                code="build-consent",
            )


def plan_with_builds(
    task: StackTask, builds: SourceBuilds | None, plan: Callable[[StackTask], Plan | None]
) -> tuple[Plan | None, tuple[Source, ...]]:
    """Return the plan of a stack, and the folders of the wheels that had to be built for it.

    An index that does not answer is left out, and reported. Raises what `plan` raises where neither helps.
    """
    built: tuple[Source, ...] = ()
    later: list[_BuiltLater] = []
    are_indexes_checked = False
    for _ in range(_MAX_BUILDS):
        try:
            return _with_later(plan(task), later, task), built
        except SourceFailed as error:
            if (
                are_indexes_checked
                or builds is None
                or error.code != "unreachable"
                or task.lock_request.offline
            ):
                raise
            are_indexes_checked = True
            sources = reachable_sources(task.lock_request.sources, builds.report)
            if sources == task.lock_request.sources:
                raise
            task = replace(task, lock_request=replace(task.lock_request, sources=sources))
        except RequirementsUnmet as error:
            task = replace(task, silent_pages=(*task.silent_pages, *error.silent_pages))
            if may_be_on_another_index(error, task) and _may_ask_indexes_alike(error, task, builds):
                task = _with_indexes_alike(task)
                continue
            try:
                more = _build(builds, error, task)
            except _BuiltLater as needed:
                later.append(needed)
                task = _built_later(task, needed)
                continue
            built = (*built, *more)
            sources = task.lock_request.sources
            sources = replace(sources, find_links=(*sources.find_links, *more))
            task = replace(task, lock_request=replace(task.lock_request, sources=sources))
    return _with_later(plan(task), later, task), built


def _may_ask_indexes_alike(error: RequirementsUnmet, task: StackTask, builds: SourceBuilds | None) -> bool:
    """Whether every package may come from whichever index has its newest version.

    A name on a public index could then stand in for a package of a private one. So the user is asked, but where what
    has priority is folders of this machine, which pip mixes with its indexes too.
    """
    if builds is None:
        return False
    names = joined(packages_without_file(error.stderr))
    if all(source.local for source in task.lock_request.sources.indexes):
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


def _build(builds: SourceBuilds | None, error: RequirementsUnmet, task: StackTask) -> tuple[Source, ...]:
    """Build what the proof says has no wheel. A refusal names pages that do not answer: they may have it."""
    try:
        more = builds.wheels_for(error, task) if builds is not None else ()
    except NoSolution as refused:
        if task.silent_pages:
            refused.fix = message(
                "{fix}; or run the command again when {pages} answers",
                fix=refused.fix,
                pages=joined(task.silent_pages),
            )
        raise
    if not more:
        raise _nothing_else(error, task.silent_pages) if task.silent_pages else error
    return more


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


def _built_later(task: StackTask, needed: _BuiltLater) -> StackTask:
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
        AskedRequirement(line=line, name=_name(line), origin=message("what {name} needs", name=project))
        for line in lines
        if _name(line) not in ("", *TORCH_PROJECTS)
    )


def _with_later(plan: Plan | None, later: Sequence[_BuiltLater], task: StackTask) -> Plan | None:
    if plan is None:
        return None
    warnings = (*plan.warnings, *(needed.what for needed in later))
    return replace(plan, warnings=warnings, indexes_alike=task.lock_request.sources.alike)


def _name(line: str) -> str:
    try:
        return str(canonicalize_name(Requirement(line).name))
    except InvalidRequirement:
        return ""


def _specifiers(project: str, task: StackTask) -> SpecifierSet:
    """What was asked of a project, by requirements and by constraints."""
    lines: Sequence[str] = [
        *(asked.line for asked in task.named if asked.name == project),
        *task.lock_request.constraints,
    ]
    wanted = SpecifierSet()
    for line in lines:
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) == project and requirement.url is None:
            wanted &= requirement.specifier
    return wanted
