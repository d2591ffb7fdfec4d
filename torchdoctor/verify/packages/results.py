"""Results of packages as checks of verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.probe import suite
from torchdoctor.verify.model import CheckResult

if TYPE_CHECKING:
    from torchdoctor.verify.model import Status
    from torchdoctor.verify.packages.importing import ImportRun
    from torchdoctor.verify.packages.model import PackageOptions, PackageTask
    from torchdoctor.verify.step_result import StepResult

__all__ = ["checks_of", "package_result", "run_result", "unlisted", "without_torch"]


def checks_of(task: PackageTask, run: ImportRun, options: PackageOptions) -> tuple[CheckResult, ...]:
    """Return the results of one package's steps; an import that is not reported still is where it failed."""
    imports = [result for result in run.results if result.id == "import"]
    checks = [_imported(task, result) for result in imports if options.importing or result.status == "fail"]
    checks += [_proven(task, result) for result in run.results if result.id != "import"]
    if task.operation is not None and any(result.status == "fail" for result in imports):
        text = message("not run, because {name} cannot be imported", name=task.package.name)
        checks.append(package_result(task.package.name, "skip", "not-imported", text, kind="operation"))
    elif task.operation is not None and not options.has_torch:
        checks.append(package_result(task.package.name, "skip", "no-torch", suite.NO_TORCH, kind="operation"))
    return tuple(checks)


def without_torch(task: PackageTask, options: PackageOptions) -> tuple[CheckResult, ...]:
    """Return the results of a package that requires torch, where torch cannot be imported."""
    kinds = [
        kind for kind, wanted in (("package", options.importing), ("operation", task.operation)) if wanted
    ]
    return tuple(
        package_result(task.package.name, "skip", "no-torch", suite.NO_TORCH, kind=kind) for kind in kinds
    )


def package_result(
    name: str, status: Status, code: str | None, detail: str, *, kind: str = "package"
) -> CheckResult:
    """Return a result that is known without an import."""
    return CheckResult(
        id=f"{kind}:{name}", device="cpu", status=status, seconds=0.0, detail=detail, code=code
    )


def run_result(check: str, status: Status, code: str, detail: str) -> CheckResult:
    """Return the result of a check as a whole, where it has none of a single package."""
    return CheckResult(id=check, device="cpu", status=status, seconds=0.0, detail=detail, code=code)


def unlisted(reason: str) -> CheckResult:
    """Return the only result of a run in which the packages could not be listed."""
    detail = message("the packages of the environment could not be listed: {why}", why=reason)
    return run_result("packages", "fail", "packages-unknown", detail)


def _proven(task: PackageTask, result: StepResult) -> CheckResult:
    return CheckResult(
        id=f"operation:{task.package.name}",
        device=result.device,
        status=result.status,
        seconds=result.seconds,
        detail=result.detail,
        code=result.code,
        evidence=result.evidence,
    )


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
