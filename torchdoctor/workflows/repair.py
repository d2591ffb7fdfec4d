"""What `doctor --fix` does: each repair shown, asked for, carried out; one that fails leaves things as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.cli.locations import cache_folder, data_folder
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.doctor.pip_leftovers import remove_folders
from torchdoctor.doctor.repairs import Reinstall, RemoveLeftovers, Repaired
from torchdoctor.errors import TorchdoctorError
from torchdoctor.report.terminal.stages import StageLines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.cli.options import Output
    from torchdoctor.core.system import System
    from torchdoctor.doctor import CheckUp
    from torchdoctor.doctor.repairs import KernelRepair, Repair
    from torchdoctor.workflows.doctor import DoctorOptions

__all__ = ["run_repairs"]


def run_repairs(
    repairs: Sequence[Repair], seen: CheckUp, asked: DoctorOptions, output: Output, system: System
) -> tuple[Repaired, ...]:
    """Every repair that is agreed to, in order; each says how it ended."""
    report = StageLines(
        quiet=output.quiet or output.json, verbose=output.verbose, may_ask=not (output.json or asked.yes)
    )
    try:
        return tuple(_one(row, seen, asked, system, report, alone=len(repairs) == 1) for row in repairs)
    finally:
        report.close()


def _one(
    row: Repair, seen: CheckUp, asked: DoctorOptions, system: System, report: StageLines, *, alone: bool
) -> Repaired:
    # One that is alone was told in the line above.
    question = message("Do it?") if alone else message("{what}?", what=row.what)
    if (why := _refused(question, asked, report)) is not None:
        return Repaired(findings=row.findings, what=row.what, outcome="skipped", why=why)
    try:
        if isinstance(row, Reinstall):
            _reinstall(row, seen, asked, system, report)
            _clear(row, report)
        elif isinstance(row, RemoveLeftovers):
            _clear(row, report)
        else:
            _repair_kernel(row, seen, asked, system, report)
    except TorchdoctorError as error:
        why = joined((error.message, error.fix), "; ")
        return Repaired(findings=row.findings, what=row.what, outcome="failed", why=why)
    return Repaired(findings=row.findings, what=row.what, outcome="repaired")


def _refused(question: str, asked: DoctorOptions, report: StageLines) -> str | None:
    """Why nothing is done; None where it was agreed to, by --yes or by the answer."""
    if asked.dry_run:
        return "--dry-run"
    if asked.yes:
        return None
    if not report.may_ask:
        return message("nobody could be asked; --yes says it beforehand")
    return None if report.agree(question) else message("declined")


def _reinstall(
    row: Reinstall, seen: CheckUp, asked: DoctorOptions, system: System, report: StageLines
) -> None:
    from torchdoctor.workflows.install import InstallOptions, install

    options = InstallOptions(
        folder=seen.python.prefix,
        cache=cache_folder(),
        data=data_folder(),
        request=row.request,
        sources=asked.sources,
        reinstall=row.reinstall,
        verify=False,
        assume_yes=True,
    )
    install(options, system=system, report=report)


def _clear(row: Reinstall | RemoveLeftovers, report: StageLines) -> None:
    """Only once all else is done: what is put aside may be the one copy of a package that is half removed."""
    if row.leftovers:
        remove_folders(row.leftovers)
        report.note(message("removed {folders}", folders=joined(row.leftovers)))


def _repair_kernel(
    row: KernelRepair, seen: CheckUp, asked: DoctorOptions, system: System, report: StageLines
) -> None:
    from torchdoctor.workflows.kernel_repair import repair_kernel

    repair_kernel(
        row.kernel,
        python=seen.python.executable,
        assume_yes=True,
        sources=asked.sources,
        cache=cache_folder(),
        system=system,
        report=report,
    )
