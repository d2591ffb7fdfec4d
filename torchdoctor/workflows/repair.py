"""The repairs of `doctor --fix`: each is asked for and made; one that fails leaves everything as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.doctor.pip_leftovers import remove_folders
from torchdoctor.doctor.recorded_family import REPLACED
from torchdoctor.doctor.repair_model import Reinstall, Relocate, RemoveLeftovers, RemoveUnneeded, Repaired
from torchdoctor.errors import TorchdoctorError
from torchdoctor.workflows.consent import agreed
from torchdoctor.workflows.unneeded_packages import remove_unneeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.fs.user_folders import UserFolders
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.doctor.repair_model import KernelRepair, Repair
    from torchdoctor.requirements import StackRequest
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["RepairOptions", "run_repairs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairOptions:
    """How to repair: `sources` serve the packages; `dry_run` changes nothing, `assume_yes` asks nobody."""

    sources: SourceOptions
    dry_run: bool = False
    assume_yes: bool = False


def run_repairs(
    repairs: Sequence[Repair],
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
    for repair in repairs:
        # A single repair was already described in the line above the question.
        question = message("Do it?") if len(repairs) == 1 else message("{what}?", what=repair.what)
        reason = agreed(question, report, dry_run=options.dry_run, assume_yes=options.assume_yes)
        if reason is not None:
            outcome = Repaired(findings=repair.findings, what=repair.what, outcome="skipped", reason=reason)
        else:
            outcome = repairer.make(repair)
        outcomes.append(outcome)
    return tuple(outcomes)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Repairer:
    """Makes repairs in one environment and in kernels."""

    python: PythonInfo
    sources: SourceOptions
    system: System
    folders: UserFolders
    report: Reporter

    def make(self, repair: Repair) -> Repaired:
        """Make one repair; an error becomes its outcome."""
        try:
            if isinstance(repair, Reinstall):
                self._reinstall(repair)
                self._remove_leftovers(repair)
            elif isinstance(repair, Relocate):
                self._relocate()
            elif isinstance(repair, RemoveLeftovers):
                self._remove_leftovers(repair)
            elif isinstance(repair, RemoveUnneeded):
                remove_unneeded(
                    self.python, repair.names,
                    cache=self.folders.cache, system=self.system, report=self.report,
                )  # fmt: skip
            else:
                self._repair_kernel(repair)
        except TorchdoctorError as error:
            reason = joined((error.message, error.fix), "; ")
            return Repaired(findings=repair.findings, what=repair.what, outcome="failed", reason=reason)
        return Repaired(findings=repair.findings, what=repair.what, outcome="repaired")

    def _reinstall(self, repair: Reinstall) -> None:
        from torchdoctor.install.hold.model import read_hold
        from torchdoctor.workflows.install import run_install
        from torchdoctor.workflows.install_model import InstallOptions

        options = InstallOptions(
            folder=self.python.prefix,
            cache=self.folders.cache,
            data=self.folders.data,
            request=repair.request,
            sources=self.sources,
            stack=_stack(repair),
            drop_unneeded=bool(REPLACED & set(repair.findings)),
            reinstall=repair.reinstall,
            hold=read_hold(self.python.prefix) is not None,
            verify=False,
            assume_yes=True,
        )
        run_install(options, system=self.system, report=self.report)

    def _relocate(self) -> None:
        from torchdoctor.workflows.relocate import relocate_environment

        locks = self.folders.cache / "locks"
        relocate_environment(self.python, locks, self.system, self.report)

    def _remove_leftovers(self, repair: Reinstall | RemoveLeftovers) -> None:
        """Remove them last: a folder that pip put aside may be the only copy of a half-removed package."""
        if repair.leftovers:
            remove_folders(repair.leftovers)
            self.report.note(message("removed {folders}", folders=joined(repair.leftovers)))

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


def _stack(repair: Reinstall) -> StackRequest:
    """Return what was asked for beside torch, so that other packages may change with it."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    from torchdoctor.requirements import AskedRequirement, StackRequest

    return StackRequest(
        requirements=tuple(
            AskedRequirement(line=line, name=str(canonicalize_name(Requirement(line).name)), origin=origin)
            for line, origin in repair.asked
        )
    )
