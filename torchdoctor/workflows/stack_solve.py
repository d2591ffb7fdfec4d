"""Runs of uv that decide a stack: all at once, and again where a named package stays below its newest version."""

from __future__ import annotations

import tempfile
import threading
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from torchdoctor.core.threads import thread_pool
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.proof import in_words, premises_of
from torchdoctor.lock.solve import solve
from torchdoctor.lock.solve_inputs import write_offer
from torchdoctor.workflows.newest_versions import NewestSearch
from torchdoctor.workflows.stack_model import StackChoice, is_hidden_by_folders, may_be_on_another_index
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Future

    from packaging.version import Version

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.lock.solve import Solution
    from torchdoctor.lock.solve_inputs import SolverOffer
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.resolve import Request
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.sources import Source
    from torchdoctor.sources.cutoff import Cutoff
    from torchdoctor.workflows.stack_model import StackTask

__all__ = ["StackSolver"]

_T = TypeVar("_T")
_MAX_EXPLAINED = 3  # packages below their newest version for which another run finds the reason
_MAX_PROOF_LENGTH = 60_000  # a longer one may be cut


class StackSolver:
    """Solves the stack of one task over the builds that are offered, and remembers what does not depend on them."""

    def __init__(self, task: StackTask, request: Request, report: Reporter) -> None:
        self._task = task
        self._request = request
        self._report = report
        self._newest: Mapping[str, str] | None = None
        self._offer: tuple[Sequence[OfferedBuild], SolverOffer] | None = None
        self._unmet_by_others: dict[tuple[tuple[str, ...], tuple[str, ...]], RequirementsUnmet] = {}

    @property
    def named(self) -> tuple[AskedRequirement, ...]:
        """What was asked for by name."""
        return self._task.named

    @property
    def built_later(self) -> tuple[AskedRequirement, ...]:
        """What was asked for by name, and is built from source once torch is there."""
        return self._task.built_later

    @property
    def cutoff(self) -> Cutoff | None:
        """The time after which nothing counts."""
        return self._task.lock_request.sources.limits.cutoff

    @property
    def silent_pages(self) -> tuple[str, ...]:
        """Pages of extensions that did not answer before."""
        return self._task.silent_pages

    @property
    def report(self) -> Reporter:
        """Where to say what is found on the way."""
        return self._report

    def limited(self, *, constraints: Sequence[str] = (), find_links: Sequence[Source] = ()) -> StackSolver:
        """Return a solver of the same task with more limits and more pages of links."""
        request = self._task.lock_request
        sources = replace(request.sources, find_links=(*request.sources.find_links, *find_links))
        request = replace(request, constraints=(*request.constraints, *constraints), sources=sources)
        return StackSolver(replace(self._task, lock_request=request), self._request, self._report)

    def solve(self, builds: Sequence[OfferedBuild], overrides: Sequence[str] = ()) -> StackChoice:
        """Return the best choice among the builds: packages that were named newest, then the torch release.

        `overrides` replace what others require of torch. Raises `RequirementsUnmet` where nothing goes together, and
        what `lock.solve.solve` raises besides.
        """
        solution, newest = self._solve_and_look_for_newest(builds, overrides)
        newest = self._without_kept(newest, solution)
        choice = StackChoice(solution=solution, newest=newest)
        return self._with_newer(choice, builds, overrides) if choice.below else choice

    def _with_newer(
        self, choice: StackChoice, builds: Sequence[OfferedBuild], overrides: Sequence[str]
    ) -> StackChoice:
        """Return a choice with more named packages at their newest version, or this one with the reasons.

        What the first run of uv may leave open is asked beside it.
        """
        newest, several = choice.newest, len(choice.below) > 1
        self._offer_of(builds)  # before several threads need it
        with _Asking(1 + several + _MAX_EXPLAINED * several) as asking:
            whole = asking.start(lambda stopped: self._run(builds, overrides, _exactly(newest), stopped))
            pins = _exactly(newest, choice.below)
            part = (
                asking.start(lambda stopped: self._run(builds, overrides, pins, stopped)) if several else None
            )
            reasons = self._ask_reasons(asking, choice, builds, overrides) if several else {}
            try:
                return StackChoice(solution=whole.result(), newest=newest)
            except RequirementsUnmet as error:
                if is_hidden_by_folders(error, self._task):
                    raise  # and all is solved again, with no index before another
                proof = in_words(premises_of(error.stderr, newest))
            if part is not None:
                other = _solution_of(part)
                if other is not None and len(_below(other, choice)) < len(choice.below):
                    choice = StackChoice(solution=other, newest=newest)
                    several = len(choice.below) > 1
                    reasons = self._ask_reasons(asking, choice, builds, overrides) if several else {}
            if not several:
                return replace(choice, why_below=dict.fromkeys(choice.below, proof))
            return replace(choice, why_below={name: why.result() or proof for name, why in reasons.items()})

    def with_torch(
        self, torch: Version, choice: StackChoice, builds: Sequence[OfferedBuild]
    ) -> StackChoice | tuple[str, ...]:
        """Return the choice with this release of torch, or which packages of the choice do not take it."""
        chosen = {name: choice.solution.versions[name] for name in choice.newest}
        try:
            solution = self._run(builds, (), [f"torch=={torch}", *_exactly(chosen)])
        except RequirementsUnmet as error:
            if may_be_on_another_index(error, self._task):
                error.is_of_comparison = True
                raise  # and all is solved again, with no index before another
            premises = premises_of(error.stderr, chosen)
            return tuple(premise.text for premise in premises if premise.kind == "wants")
        return replace(choice, solution=solution)

    def _solve_and_look_for_newest(
        self, builds: Sequence[OfferedBuild], overrides: Sequence[str]
    ) -> tuple[Solution, Mapping[str, str]]:
        if self._newest is not None:
            return self._run(builds, overrides), self._newest
        known, asked = self._task.newest, self._task.newest_asked
        known = known if known is not None and known.is_for(asked) else None
        with nullcontext(known) if known is not None else NewestSearch(asked, self._task.run_dir) as search:
            try:
                solution = self._run(builds, overrides)
            except RequirementsUnmet:
                # A package that nobody can install alone is a shorter reason than everything together.
                self._newest = search.result()
                raise
            try:
                self._newest = search.result()
            except RequirementsUnmet:
                self._newest = {}  # what is asked for twice with different limits goes together nonetheless
        return solution, self._newest

    def _without_kept(self, newest: Mapping[str, str], solution: Solution) -> Mapping[str, str]:
        """Leave out what has the version of the project's lock: that it is not the newest is what was asked for."""
        preferred = self._task.lock_request.preferred
        return {
            name: version
            for name, version in newest.items()
            if name not in preferred or solution.versions.get(name) != preferred[name]
        }

    def _run(
        self,
        builds: Sequence[OfferedBuild],
        overrides: Sequence[str],
        pins: Sequence[str] = (),
        stopped: threading.Event | None = None,
    ) -> Solution:
        return self._solve_lines(self._lines(pins), builds, overrides, stopped)

    def _solve_lines(
        self,
        lines: Sequence[str],
        builds: Sequence[OfferedBuild],
        overrides: Sequence[str],
        stopped: threading.Event | None,
    ) -> Solution:
        """Run uv; what other packages exclude among each other is not tried again with other builds of torch."""
        key = tuple(lines), tuple(overrides)
        if (known := self._unmet_by_others.get(key)) is not None:
            raise known
        try:
            return solve(
                lines,
                self._offer_of(builds),
                self._lock_request(overrides),
                folder=self._folder(),
                on_wait=lambda seconds, asked: self._report.waiting("resolve", seconds, asked),
                stopped=stopped,
            )
        except RequirementsUnmet as error:
            if "torch" not in error.stderr and len(error.stderr) < _MAX_PROOF_LENGTH:
                self._unmet_by_others[key] = error
            raise

    def _offer_of(self, builds: Sequence[OfferedBuild]) -> SolverOffer:
        """Return what uv reads of the builds, which is written when other ones than the last are offered."""
        if self._offer is None or self._offer[0] is not builds:
            self._offer = builds, write_offer(builds, self._task.lock_request, self._folder())
        return self._offer[1]

    def _lines(self, pins: Sequence[str] = ()) -> list[str]:
        """What is named comes first: uv keeps what comes first newest, and torch follows."""
        named = [asked.line for asked in self._task.named]
        companions = [f"{name}{wanted}" for name, wanted in self._request.required.items()]
        return [*pins, *named, f"torch{self._request.torch or ''}", *companions]

    def _lock_request(self, overrides: Sequence[str]) -> LockRequest:
        request = self._task.lock_request
        return replace(request, overrides=(*request.overrides, *overrides))

    def _ask_reasons(
        self,
        asking: _Asking,
        choice: StackChoice,
        builds: Sequence[OfferedBuild],
        overrides: Sequence[str],
    ) -> dict[str, Future[str]]:
        """Ask why each named package stays below its newest version; uv has no answer to some."""
        return {
            name: asking.start(partial(self._why, name, choice, builds, overrides))
            for name in [*choice.below][:_MAX_EXPLAINED]
        }

    def _why(
        self,
        name: str,
        choice: StackChoice,
        builds: Sequence[OfferedBuild],
        overrides: Sequence[str],
        stopped: threading.Event,
    ) -> str:
        """Return why a package is not at its newest version: a short run asks for that and for what requires it."""
        versions = choice.solution.versions
        requiring = choice.solution.required_by.get(name, ())
        pinned = {other: versions[other] for other in requiring if other not in TORCH_PROJECTS}
        pinned[name] = choice.newest[name]
        try:
            self._solve_lines(_exactly(pinned), builds, overrides, stopped)
        except RequirementsUnmet as error:
            return in_words(premises_of(error.stderr, pinned))
        return ""

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="solve-", dir=self._task.run_dir))


def _exactly(versions: Mapping[str, str], names: Collection[str] | None = None) -> list[str]:
    """Return lines that ask for exactly these versions, of all projects or of those named; a file by URL has none."""
    return [
        f"{name}=={version}"
        for name, version in versions.items()
        if version and (names is None or name in names)
    ]


class _Asking:
    """Runs of uv side by side; those whose answer is not needed when the `with` block ends are stopped."""

    def __init__(self, count: int) -> None:
        self._pool = thread_pool(count)
        self._stopped = threading.Event()

    def start(self, work: Callable[[threading.Event], _T]) -> Future[_T]:
        """Begin `work`, which is given what stops it."""
        return self._pool.submit(work, self._stopped)

    def __enter__(self) -> _Asking:  # noqa: PYI034  (Self needs Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)


def _solution_of(run: Future[Solution]) -> Solution | None:
    try:
        return run.result()
    except RequirementsUnmet:
        return None


def _below(solution: Solution, choice: StackChoice) -> Mapping[str, tuple[str, str]]:
    return StackChoice(solution=solution, newest=choice.newest).below
