"""The repairs of `doctor --fix`: each is asked for and made; one that fails leaves everything as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs import run_directory
from torchdoctor.core.i18n import joined, message
from torchdoctor.doctor.pip_leftovers import remove_folders
from torchdoctor.doctor.repair_model import Reinstall, Relocate, RemoveLeftovers, RemoveUnneeded, Repaired
from torchdoctor.doctor.stale_metadata import names_what_is_installed
from torchdoctor.errors import TorchdoctorError
from torchdoctor.workflows.consent import agreed
from torchdoctor.workflows.file_repair import repair_files
from torchdoctor.workflows.repair_plan import plan_repair
from torchdoctor.workflows.repair_proof import prove_repair
from torchdoctor.workflows.unneeded_packages import remove_unneeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.fs.user_folders import UserFolders
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.doctor.repair_model import KernelRepair, Outcome, Repair
    from torchdoctor.workflows.repair_plan import PlannedRepair
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["RepairOptions", "plan_repairs_here", "run_repairs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairOptions:
    """How to repair: `sources` serve the packages; `dry_run` changes nothing, `assume_yes` asks nobody."""

    sources: SourceOptions
    dry_run: bool = False
    assume_yes: bool = False


def plan_repairs_here(
    repairs: Sequence[Repair],
    python: PythonInfo,
    options: RepairOptions,
    *,
    system: System,
    folders: UserFolders,
    report: Reporter,
) -> tuple[PlannedRepair, ...]:
    """Return each repair as it would be made. `python` is the environment's, in which nothing is changed."""
    return tuple(
        plan_repair(repair, python, options.sources, system=system, folders=folders, report=report)
        for repair in repairs
    )


def run_repairs(
    planned: Sequence[PlannedRepair],
    python: PythonInfo,
    options: RepairOptions,
    *,
    system: System,
    folders: UserFolders,
    report: Reporter,
) -> tuple[Repaired, ...]:
    """Make every repair that the user agrees to, in order, and return how each ended. `python` is the environment's."""
    repairer = _Repairer(
        python=python, sources=options.sources, system=system, folders=folders, report=report
    )
    outcomes = []
    for each in planned:
        # A single repair was already described in the line above the question.
        question = message("Do it?") if len(planned) == 1 else message("{what}?", what=each.what)
        if each.refusal:
            outcomes.append(_ended(each, "failed", each.refusal))
            continue
        reason = agreed(question, report, dry_run=options.dry_run, assume_yes=options.assume_yes)
        outcomes.append(repairer.make(each) if reason is None else _ended(each, "skipped", reason))
    return tuple(outcomes)


def _ended(planned: PlannedRepair, outcome: Outcome, reason: str = "") -> Repaired:
    return Repaired(findings=planned.repair.findings, what=planned.what, outcome=outcome, reason=reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Repairer:
    """Makes repairs in one environment and in kernels."""

    python: PythonInfo
    sources: SourceOptions
    system: System
    folders: UserFolders
    report: Reporter

    def make(self, planned: PlannedRepair) -> Repaired:
        """Make one repair; an error becomes its outcome."""
        repair = planned.repair
        try:
            if isinstance(repair, Reinstall):
                self._reinstall(planned)
                self._remove_leftovers(repair)
            elif isinstance(repair, Relocate):
                self._relocate()
            elif isinstance(repair, RemoveLeftovers):
                self._remove_leftovers(repair)
            elif isinstance(repair, RemoveUnneeded):
                remove_unneeded(
                    self.python, repair.names,
                    cache=self.folders.cache, system=self.system, report=self.report,
                    prove=prove_repair(self.python.prefix, self.system, self.report),
                )  # fmt: skip
            else:
                self._repair_kernel(repair)
        except TorchdoctorError as error:
            return _ended(planned, "failed", joined((error.message, error.fix), "; "))
        return _ended(planned, "repaired")

    def _reinstall(self, planned: PlannedRepair) -> None:
        """Change a copy of the environment, and take it once it is proven."""
        from torchdoctor.workflows.install import run_install

        prove = prove_repair(self.python.prefix, self.system, self.report)
        if planned.files is not None:
            cache, offline = self.folders.cache, self.sources.offline
            with run_directory(cache) as run_dir:
                repair_files(planned.files, self.python, cache, run_dir, prove, self.report, offline=offline)
        elif planned.options is not None:
            options = replace(planned.options, decided=planned.decided, prove=prove)
            run_install(options, system=self.system, report=self.report)

    def _relocate(self) -> None:
        from torchdoctor.workflows.relocate import relocate_environment

        locks = self.folders.cache / "locks"
        relocate_environment(self.python, locks, self.system, self.report)

    def _remove_leftovers(self, repair: Reinstall | RemoveLeftovers) -> None:
        """Remove them last: a folder that pip put aside may be the only copy of a half-removed package.

        Which they are was decided before: metadata of the version that is installed since then stays.
        """
        leftovers = [folder for folder in repair.leftovers if not names_what_is_installed(folder)]
        if leftovers:
            remove_folders(leftovers)
            self.report.note(message("removed {folders}", folders=joined(leftovers)))

    def _repair_kernel(self, repair: KernelRepair) -> None:
        from torchdoctor.workflows.kernel_repair import repair_kernel

        repair_kernel(
            repair.kernel,
            python=self.python.executable,
            assume_yes=True,
            sources=self.sources,
            cache=self.folders.cache,
            system=self.system,
            report=self.report,
        )
