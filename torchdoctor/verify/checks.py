"""Verifies that PyTorch works in an environment: runs the probe's checks and reports one result for each."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import UsageError
from torchdoctor.probe import suite
from torchdoctor.verify.devices import valid_device
from torchdoctor.verify.model import CheckResult, VerifyReport
from torchdoctor.verify.runner import SuiteRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.verify.packages.model import PackageOptions
    from torchdoctor.verify.step_result import StepResult

__all__ = ["select_checks", "verify"]

# Checks that run in processes of their own, by the beginning of their results' names.
_OF_PACKAGES = {"package:": "packages", "operation:": "operations"}


def verify(
    python: Path,
    *,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    quick: bool = False,
    devices: Sequence[str] | None = None,
    asked: Sequence[AskedRequirement] = (),
    on_result: Callable[[CheckResult], None] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    time_limit_scale: float = 1.0,
    memory_limit_mib: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> VerifyReport:
    """Verify that PyTorch works in the environment of this interpreter, and that the packages beside it do.

    `only` and `skip` name checks, `package:NAME` and `operation:NAME` among them, `quick` leaves out the slow ones,
    `devices` limits the checks to some devices ("cpu", "cuda:0", "cuda" for all of that kind). `asked` are
    requirements that somebody asks for, besides those that the environment's record names. A check that takes more host
    memory than `memory_limit_mib` is stopped; the default is most of what is free. `on_result` is called with each
    result as soon as it is known, `on_progress` with the number of packages that are done and of all. `environ` is the
    interpreter's environment, by default our own.

    Returns one result for each check and device, in the order in which they ran. Raises `UsageError` for an unknown
    check or device, and `EnvironmentUnusable` when the interpreter cannot be run.
    """
    only, skip = list(only), list(skip)
    selected = select_checks(only, skip, quick=quick)
    for name in devices or ():
        valid_device(name)
    environ = os.environ if environ is None else environ
    checks: list[CheckResult] = []

    def report(check: CheckResult) -> None:
        checks.append(check)
        if on_result is not None:
            on_result(check)

    def take(step: StepResult) -> None:
        # The import and the search for devices always run; they are reported when selected, or when they fail.
        if step.id in selected or step.status == "fail":
            report(_check_of(step))

    runner = SuiteRunner(
        "verify",
        [name for name in selected if name not in _OF_PACKAGES.values()],
        devices=devices,
        time_limit_scale=time_limit_scale,
        memory_limit_mib=memory_limit_mib,
        on_result=take,
    )
    runner.run(python, environ)
    if set(selected) & set(_OF_PACKAGES.values()):
        from torchdoctor.verify.packages.runner import verify_packages

        options = _package_options(
            runner, selected, asked, only=only, skip=skip, quick=quick, devices=devices,
            scale=time_limit_scale, memory_limit_mib=memory_limit_mib,
        )  # fmt: skip
        checks.extend(verify_packages(python, options, environ, on_result=on_result, on_progress=on_progress))
    return VerifyReport(environment=runner.environment, checks=tuple(checks))


def _package_options(
    runner: SuiteRunner,
    selected: Sequence[str],
    asked: Sequence[AskedRequirement],
    *,
    only: Sequence[str],
    skip: Sequence[str],
    quick: bool,
    devices: Sequence[str] | None,
    scale: float,
    memory_limit_mib: int | None,
) -> PackageOptions:
    """What to do with the packages, after the suite has told which environment it is and whether torch works."""
    from torchdoctor.install.record import asked_in
    from torchdoctor.verify.packages.model import PackageOptions
    from torchdoctor.verify.packages.selection import with_recorded

    return PackageOptions(
        asked=with_recorded(asked, asked_in(Path(str(runner.environment.get("prefix", ""))))),
        compiled_only=quick, only=_package_names(only), skip=_package_names(skip),
        importing="packages" in selected, proving="operations" in selected, devices=devices,
        has_torch=runner.has_torch, torch_mib=runner.import_mib,
        scale=scale, memory_limit_mib=memory_limit_mib,
    )  # fmt: skip


def select_checks(only: Iterable[str], skip: Iterable[str], *, quick: bool = False) -> list[str]:
    """Return the ids of the checks to run, in the order in which they run.

    A check named in `only` runs also when `quick` would leave it out. `package:NAME` in `only` selects `packages`, and
    `operation:NAME` selects `operations`. Raises `UsageError` for an unknown check.
    """
    known = [step.id for step in suite.CHECKS]
    default = {step.id for step in suite.CHECKS if step.quick or not quick}
    only = [_OF_PACKAGES.get(_prefix(name), name) for name in only]
    skip = [name for name in skip if _prefix(name) not in _OF_PACKAGES]
    for name in (*only, *skip):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = message(", did you mean {name}?", name=near[0]) if near else ""
            raise UsageError(
                message("there is no check named {name}{hint}", name=repr(name), hint=hint),
                fix=message("the checks are {names}", names=joined(known)),
            )
    return [name for name in known if name in (only or default) and name not in skip]


def _package_names(names: Iterable[str]) -> frozenset[str]:
    from packaging.utils import canonicalize_name

    return frozenset(
        str(canonicalize_name(name.partition(":")[2])) for name in names if _prefix(name) in _OF_PACKAGES
    )


def _prefix(name: str) -> str:
    return "".join(name.partition(":")[:2])


def _check_of(step: StepResult) -> CheckResult:
    return CheckResult(
        id=step.id,
        device=step.device,
        status=step.status,
        seconds=step.seconds,
        detail=step.detail,
        code=step.code,
        evidence=step.evidence,
    )
