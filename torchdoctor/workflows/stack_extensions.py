"""Known extensions in a stack: builds that go with the torch chosen, or another torch for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.fallbacks import reachable_pages
from torchdoctor.requirements.wheel_urls import wheel_tie
from torchdoctor.workflows.extension_pairs import (
    goes_with,
    has_builds_for,
    is_obtainable,
    oldest_alike,
    with_companions,
)
from torchdoctor.workflows.extension_refusals import (
    Misfit,
    below_newest,
    goes_without,
    needs_besides,
    no_build_error,
    no_pair_error,
)
from torchdoctor.workflows.own_builds import builds_for_wheel, own_builds
from wheels_index import variant
from wheels_index.extension import extension, fits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.requirements.wheel_urls import WheelTie
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.sources import Source
    from torchdoctor.workflows.stack_model import StackChoice
    from torchdoctor.workflows.stack_solve import StackSolver
    from wheels_index import Wheel
    from wheels_index.extension import Extension

__all__ = ["FittedStack", "solve_with_extensions"]

_MAX_ROUNDS = 12  # of solving again, each with an older version or another torch


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedStack:
    """A choice in which each known extension goes with torch, and what had to be limited for that."""

    choice: StackChoice
    solver: StackSolver
    builds: Sequence[OfferedBuild]
    limits: tuple[str, ...]  # why not the best torch: which extension has builds for another one
    warnings: tuple[str, ...]
    constraints: tuple[str, ...]  # requirement lines
    find_links: tuple[Source, ...]
    wheels: tuple[Wheel, ...]  # of the PyTorch index, for the variant chosen


def solve_with_extensions(
    solver: StackSolver,
    builds: Sequence[OfferedBuild],
    machine: Machine,
    wheels_of: Callable[[str, str], Sequence[Wheel]],
) -> FittedStack:
    """Return the best choice in which every extension of which pairs are known goes with the torch that is chosen.

    A package that was named keeps its newest version where any torch for this machine goes with it. `wheels_of` gives
    the wheels for this machine that the PyTorch index has of a project for a variant. Raises `NoSolution` with the way
    out for an extension that has no build here, and what `StackSolver.solve` raises.
    """
    fitter = _Fitter(solver=solver, builds=builds, machine=machine, wheels_of=wheels_of)
    fitter.prepare()
    try:
        choice = fitter.solver.solve(fitter.builds)
    except RequirementsUnmet as error:
        error.silent_pages = tuple(fitter.silent_pages)
        raise
    rounds = 0
    while (misfit := fitter.misfit(choice)) is not None:
        rounds += 1
        if rounds > _MAX_ROUNDS:
            raise no_pair_error(misfit, machine, tuple(fitter.limits.values()))
        choice = fitter.without(misfit, choice)
    fitter.renew_warnings(choice)
    return FittedStack(
        choice=choice,
        solver=fitter.solver,
        builds=fitter.builds,
        limits=tuple(fitter.limits.values()),
        warnings=tuple(fitter.warnings.values()),
        constraints=tuple(fitter.constraints),
        find_links=tuple(fitter.find_links),
        wheels=tuple(fitter.wheels.values()),
    )


@dataclass(kw_only=True)
class _Fitter:
    """What is limited so far: builds of torch, versions of extensions and where these come from."""

    solver: StackSolver
    builds: Sequence[OfferedBuild]
    machine: Machine
    wheels_of: Callable[[str, str], Sequence[Wheel]]
    limits: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    constraints: list[str] = field(default_factory=list)
    find_links: list[Source] = field(default_factory=list)
    silent_pages: list[str] = field(default_factory=list)
    wheels: dict[str, Wheel] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)  # that go without their GPU part
    tied: set[str] = field(default_factory=set)  # asked for by a URL that says which torch they go with

    @property
    def platform(self) -> str:
        return self.machine.platform or ""

    @property
    def kinds(self) -> set[str]:
        """The kinds of the variants that can be chosen."""
        return {variant(build.variant).kind for build in self.builds if build.name == "torch"}

    def prepare(self) -> None:
        """Refuse what has no build here; choose the torch first for what has its builds on a page for each torch."""
        for asked in (*self.solver.named, *self.solver.built_later):
            tie = wheel_tie(asked.line)
            if tie is not None:
                self._follow(tie, asked.name)
            known = extension(asked.name)
            if known is None or tie is not None:
                continue
            for row in known.needs_outside_pip(self.platform):
                self.warnings[f"{known.project} {row.name}"] = needs_besides(known, row)
            if not is_obtainable(known, self.platform, self.kinds):
                raise no_build_error(known, self.platform, self.kinds)
            if not any(row.place == "pypi" for row in known.builds_for(self.platform)):
                self._prefer_own_builds(known, asked)

    def misfit(self, choice: StackChoice) -> Misfit | None:
        """Return the first extension of the choice that does not go with its torch."""
        torch = self._torch_of(choice)
        settled = self.accepted | self.tied
        names = (name for name in choice.solution.versions if name not in settled)
        return next((found for name in names if (found := self._misfit_of(name, choice, torch))), None)

    def renew_warnings(self, choice: StackChoice) -> None:
        """Say of what goes without its GPU part why, for the torch that was chosen in the end."""
        torch = self._torch_of(choice)
        for name in self.accepted:
            self.warnings.pop(name, None)
            if name in choice.solution.versions and (found := self._misfit_of(name, choice, torch)):
                self.warnings[name] = goes_without(found, self.machine)

    def _torch_of(self, choice: StackChoice) -> OfferedBuild:
        version = choice.solution.versions["torch"]
        return next(
            build for build in self.builds if build.name == "torch" and str(build.package.version) == version
        )

    def _misfit_of(self, name: str, choice: StackChoice, torch: OfferedBuild) -> Misfit | None:
        known, version = extension(name), choice.solution.versions[name]
        if known is None or not version:
            return None
        wheel = self.wheels.get(name)
        full = str(wheel.version) if wheel is not None and wheel.variant == torch.variant else version
        release = torch.package.version.public
        fit = fits(name, full, torch=release, variant=torch.variant, platform=self.platform)
        return Misfit(known=known, version=version, torch=torch, fit=fit) if fit.answer == "no" else None

    def without(self, misfit: Misfit, choice: StackChoice) -> StackChoice:
        """Return a choice without the misfit.

        Another torch is taken for a package that was named, then the PyTorch index's build of it, then an older
        version; what only loses its GPU part is left as it is where nobody named it, or where nothing else goes.
        """
        known, name = misfit.known, misfit.known.project
        is_named = any(asked.name == name for asked in self.solver.named)
        if is_named or known.on_mismatch == "import-fails":
            for change in (self._with_other_torch, self._with_pytorch_build, self._with_older_version):
                changed = change(misfit, choice)
                if changed is not None:
                    return changed
        if known.on_mismatch == "import-fails":
            raise no_pair_error(misfit, self.machine, tuple(self.limits.values()))
        self.accepted.add(name)
        self.warnings[name] = goes_without(misfit, self.machine)
        return choice

    def _with_other_torch(self, misfit: Misfit, _: StackChoice) -> StackChoice | None:
        kind = variant(misfit.torch.variant).kind
        fitting = with_companions(
            self.builds,
            lambda build: (
                variant(build.variant).kind == kind
                and goes_with(misfit.known, misfit.version, build, self.platform)
            ),
        )
        try:
            choice = self.solver.solve(fitting) if fitting else None
        except RequirementsUnmet:
            return None
        if choice is not None:
            self.builds = fitting
            self.limits[misfit.known.project] = misfit.built_for
        return choice

    def _with_pytorch_build(self, misfit: Misfit, choice: StackChoice) -> StackChoice | None:
        """Take the newest build that the PyTorch index has for the variant, in a version that PyPI has too."""
        known = misfit.known
        if not any(row.place == "pytorch" for row in known.builds_for(self.platform)):
            return None
        offered = [
            wheel
            for wheel in self.wheels_of(known.project, misfit.torch.variant)
            if goes_with(known, wheel.version, misfit.torch, self.platform, "pytorch")
        ]
        for wheel in sorted(offered, key=lambda wheel: wheel.version, reverse=True)[:3]:
            changed = self._constrained(f"{known.project}=={wheel.version.public}", known.project)
            if changed is not None:
                self.wheels[known.project] = wheel
                if wheel.version.public != misfit.version:
                    self.warnings.setdefault(known.project, below_newest(misfit, choice))
                return changed
        return None

    def _with_older_version(self, misfit: Misfit, choice: StackChoice) -> StackChoice | None:
        if misfit.fit.because == "variant" and not has_builds_for(misfit.known, misfit.torch.variant):
            return None
        name = misfit.known.project
        changed = self._constrained(f"{name}<{oldest_alike(misfit).public}", name)
        if changed is not None:
            self.warnings.setdefault(name, below_newest(misfit, choice))
        return changed

    def _constrained(self, line: str, name: str) -> StackChoice | None:
        """Return a choice with one more limit; None where there is none, or nothing is known of the version taken.

        Early versions of many extensions were Python alone, and do something else.
        """
        solver = self.solver.limited(constraints=(line,))
        try:
            choice = solver.solve(self.builds)
        except RequirementsUnmet:
            return None
        if name in choice.solution.versions and not self._is_known(name, choice):
            return None
        self.solver = solver
        self.constraints.append(line)
        return choice

    def _is_known(self, name: str, choice: StackChoice) -> bool:
        """Say whether a pair of the version taken is known, be it for this torch or for another one."""
        torch = Version(choice.solution.versions["torch"])
        version = choice.solution.versions[name]
        fit = fits(name, version, torch=torch.public, variant="cpu", platform=self.platform)
        return fit.because != "no-pair-known"

    def _prefer_own_builds(self, known: Extension, asked: AskedRequirement) -> None:
        """Choose the best torch that has a build on the project's own page, else the best that has one elsewhere."""
        own = own_builds(known, asked, self.builds, self.platform)
        if own is None:
            return
        asked_for = [page.url for page in own.pages if page.url not in self.solver.silent_pages]
        cutoff = self.solver.cutoff
        if own.pages and cutoff is not None and cutoff.of(known.project) is not None:
            self.warnings[known.project] = message(
                "{page} does not say when it got its files, so none of {name} counts there: {origin} says {moment}",
                page=joined(page.name for page in own.pages),
                name=known.project,
                origin=cutoff.origin,
                moment=cutoff.shown,
            )
            return
        answering = reachable_pages(asked_for, self.solver.report)
        if own.pages and not answering:
            self.silent_pages += asked_for
            self.warnings[known.project] = message(
                "{page} does not answer: {name} is looked for elsewhere",
                page=joined(page.name for page in own.pages),
                name=known.project,
            )
            return  # what other sources have of it goes with another torch, or is built
        self.builds = with_companions(self.builds, lambda build: build is own.torch)
        self.limits[known.project] = message(
            "{name} has builds for torch {torch}", name=known.project, torch=own.torch.package.version.public
        )
        if answering:
            links = [page for page in own.pages if page.url in answering]
            self.find_links += links
            self.solver = self.solver.limited(find_links=links)

    def _follow(self, tie: WheelTie, name: str) -> None:
        """Take a torch that a wheel asked for by URL was built against: its name says it, whatever else is known."""
        self.builds = builds_for_wheel(tie, name, self.builds)
        self.tied.add(name)
        self.limits[name] = tie.text
