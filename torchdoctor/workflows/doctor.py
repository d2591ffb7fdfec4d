"""The check-up of one environment: inspect, diagnose, and on request repair and check again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.system.background import BackgroundCall
from torchdoctor.core.system.environment_trust import foreign_environment
from torchdoctor.detect import describe_python
from torchdoctor.doctor import InspectOptions
from torchdoctor.inventory.interpreter_files import look_at_python, not_run_warning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.fs.user_folders import UserFolders
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.diagnose import Diagnosis, Finding
    from torchdoctor.doctor import CheckUp
    from torchdoctor.doctor.lines import CheckLine
    from torchdoctor.doctor.repair_model import Repair, Repaired
    from torchdoctor.workflows.repair import RepairOptions
    from torchdoctor.workflows.repair_plan import PlannedRepair
    from wheels_index import Snapshot

__all__ = ["DoctorOptions", "DoctorResult", "run_doctor"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorOptions:
    """What to check: ids of `checks` (None: all), and ids of findings that are `excluded` from the result.

    `translate` gives the language of the findings. Without `repair` nothing is changed.
    """

    checks: tuple[str, ...] | None = None
    excluded: frozenset[str] = frozenset()
    inspection: InspectOptions = field(default_factory=InspectOptions)
    translate: Callable[[str], str] = str
    repair: RepairOptions | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorResult:
    """What was seen and what is wrong: a line for each check, and the findings of the diagnosis.

    `repairs` are what torchdoctor can repair itself, with the command `fix_command`; `outcomes` say how each repair
    ended, where repairs were asked for. `checked_again`: something was repaired, and this is what is seen now.
    """

    check_up: CheckUp
    diagnosis: Diagnosis
    lines: tuple[CheckLine, ...]
    repairs: tuple[Repair, ...]
    fix_command: str
    outcomes: tuple[Repaired, ...] = ()
    checked_again: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, the most likely first cause first."""
        return self.diagnosis.findings

    @property
    def install_command(self) -> str:
        """The command that installs torch into this environment, or into another where this one should stay."""
        from torchdoctor.doctor.install_command import install_command

        return install_command(self.check_up)

    def exit_status(self, *, strict: bool = False) -> int:
        """Return 1 for an error, with `strict` for a warning too, else 0."""
        worst = {finding.severity for finding in self.findings} | {line.mark for line in self.lines}
        return 1 if "error" in worst or (strict and "warning" in worst) else 0

    def to_json(self) -> dict[str, Any]:
        """Return the document of `doctor --json`."""
        from torchdoctor.inventory.installed import read_installed

        check_up = self.check_up
        problems = any(finding.severity != "note" for finding in self.findings)
        problems = problems or any(line.mark == "error" for line in self.lines)
        return {
            "schema": 1,
            "verdict": "problems-found" if problems else "nothing-wrong-found",
            "machine": check_up.detection.machine.to_json(),
            "plan": check_up.plan.to_json() if check_up.plan else None,
            "environment": {
                "path": str(check_up.python.prefix),
                "python": str(check_up.python.executable),
                "packages": read_installed(check_up.python.site_packages).to_json(),
            },
            "checks": [line.to_json() for line in self.lines],
            "findings": [finding.to_json() for finding in self.findings],
            "repairs": [outcome.to_json() for outcome in self.outcomes],
        }


def run_doctor(
    python: Path,
    options: DoctorOptions,
    *,
    system: System,
    folders: UserFolders,
    report: Reporter,
    on_diagnosed: Callable[[DoctorResult], None] | None = None,
    on_planned: Callable[[Sequence[PlannedRepair]], None] | None = None,
) -> DoctorResult:
    """Check the environment of the interpreter `python`; with `options.repair` repair it and check it again.

    Nothing of the environment runs where torch is not to be imported, nor where another user could change what would
    run. `on_diagnosed` gets the first result before any repair is planned, `on_planned` the
    repairs before they are asked for. Raises `EnvironmentUnusable` when the
    interpreter does not run; a repair that fails is an outcome, not an error.
    """
    reason = foreign_environment(python)
    if reason is not None and options.inspection.importing:
        report.warn(not_run_warning(python, reason))
    if reason is not None:
        options = replace(options, inspection=replace(options.inspection, importing=False), repair=None)
    look = describe_python if options.inspection.importing else look_at_python
    describing = BackgroundCall(lambda: look(system, python))
    # The rules take some 20 ms to load, as long as the interpreter takes to describe itself.
    from torchdoctor.doctor.repairs import confirmed_outcomes, with_fix_command
    from torchdoctor.sources.freshness import old_facts_warning
    from torchdoctor.sources.index_cache import known_index
    from torchdoctor.workflows.repair import plan_repairs_here, run_repairs

    described, index = describing.result(), known_index(folders.data, report.warn)
    if warning := old_facts_warning(index, asked=False):
        report.warn(warning)
    first = _diagnosed(described, options, system, folders, index, report)
    if options.repair is None:
        findings = with_fix_command(first.findings, first.repairs, first.fix_command)
        return replace(first, diagnosis=replace(first.diagnosis, findings=findings))
    if on_diagnosed is not None:
        on_diagnosed(first)
    repair = options.repair
    planned = plan_repairs_here(
        first.repairs, described, repair, system=system, folders=folders, report=report
    )
    if on_planned is not None:
        on_planned(planned)
    outcomes = run_repairs(planned, described, repair, system=system, folders=folders, report=report)
    if all(outcome.outcome != "repaired" for outcome in outcomes):
        return replace(first, outcomes=outcomes)
    second = _diagnosed(described, options, system, folders, index, report)
    outcomes = confirmed_outcomes(outcomes, second.findings)
    return replace(second, outcomes=outcomes, checked_again=True)


def _diagnosed(
    python: PythonInfo,
    options: DoctorOptions,
    system: System,
    folders: UserFolders,
    index: Snapshot,
    report: Reporter,
) -> DoctorResult:
    """Inspect the environment and judge what was seen, less what the options leave out."""
    from torchdoctor.diagnose import diagnose, live_failures
    from torchdoctor.doctor import check_lines, inspect, plan_repairs
    from torchdoctor.doctor.check_selection import select_doctor_checks
    from torchdoctor.doctor.evidence import evidence_from
    from torchdoctor.doctor.lines import check_for
    from torchdoctor.doctor.package_findings import package_findings, with_findings
    from torchdoctor.doctor.repairs import fix_command

    check_up = inspect(
        system, python, here=folders.current, cache=folders.cache, index=index, options=options.inspection,
        on_progress=report.packages,
    )  # fmt: skip
    diagnosis = diagnose(evidence_from(check_up), options.translate, live_failures())
    found = with_findings(diagnosis.findings, package_findings(check_up, options.translate))
    checks = select_doctor_checks() if options.checks is None else options.checks
    findings = tuple(
        finding for finding in found if finding.id not in options.excluded and check_for(finding) in checks
    )
    return DoctorResult(
        check_up=check_up,
        diagnosis=replace(diagnosis, findings=findings),
        lines=check_lines(check_up, findings, checks),
        repairs=plan_repairs(check_up, findings, index) if findings else (),
        fix_command=fix_command(python),
    )
