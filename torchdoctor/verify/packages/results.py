"""Results of packages as checks of verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.probe import suite
from torchdoctor.verify.model import CheckResult

if TYPE_CHECKING:
    from torchdoctor.verify.model import Status
    from torchdoctor.verify.packages.importing import ImportRun
    from torchdoctor.verify.packages.model import PackageTask
    from torchdoctor.verify.step_result import StepResult

__all__ = ["checks_of", "package_result", "run_result", "without_torch"]


def checks_of(task: PackageTask, run: ImportRun) -> tuple[CheckResult, ...]:
    """Return the results of one package's steps."""
    return tuple(_imported(task, result) for result in run.results)


def without_torch(task: PackageTask) -> CheckResult:
    """Return the result of a package that requires torch, where torch cannot be imported."""
    return package_result(task.package.name, "skip", "no-torch", suite.NO_TORCH)


def package_result(name: str, status: Status, code: str | None, detail: str) -> CheckResult:
    """Return a result that is known without an import."""
    return CheckResult(
        id=f"package:{name}", device="cpu", status=status, seconds=0.0, detail=detail, code=code
    )


def run_result(status: Status, code: str, detail: str) -> CheckResult:
    """Return the only result of a run in which no package was imported."""
    return CheckResult(id="packages", device="cpu", status=status, seconds=0.0, detail=detail, code=code)


def _imported(task: PackageTask, result: StepResult) -> CheckResult:
    package = task.package
    status, code, detail = result.status, result.code, result.detail
    if status == "pass":
        done = message("{names} is imported", names=joined(package.modules))
        detail = message("{name} {version}: {why}", name=package.name, version=package.version, why=done)
        if task.outside:
            status, code, detail = "warn", "package-version", joined((detail, task.outside), "; ")
    return CheckResult(
        id=f"package:{package.name}",
        device=result.device,
        status=status,
        seconds=result.seconds,
        detail=detail,
        code=code,
        evidence=result.evidence,
    )
