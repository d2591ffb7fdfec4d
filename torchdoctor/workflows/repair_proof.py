"""The proof of a repair: the changed environment passes what the one before it passed, and is not taken otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import EnvironmentUnusable, InstallFailed
from torchdoctor.install.location import interpreter_of
from torchdoctor.verify import verify
from torchdoctor.verify.status_text import counted_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.verify import CheckResult

__all__ = ["prove_repair", "worse_check"]


def prove_repair(folder: Path, system: System, report: Reporter) -> Callable[[Path], None]:
    """Return what raises `InstallFailed` for a changed copy of the environment at `folder` that works less well."""

    def prove(stage: Path) -> None:
        after = _checks(stage, system)
        report.stage("verify", message("{counts}, in the copy", counts=counted_checks(after)))
        if not any(check.status == "fail" for check in after):
            return
        # Only then is it worth a second run to know what did not pass before.
        if (worse := worse_check(_checks(folder, system), after)) is not None:
            raise InstallFailed(
                message(
                    "the repair would make {folder} worse, and nothing was changed: {check}: {detail}",
                    folder=folder,
                    check=worse.id,
                    detail=worse.detail,
                ),
                fix=message("install into an environment of its own: torchdoctor install ENV"),
                code="worse",
            )

    return prove


def worse_check(before: Sequence[CheckResult], after: Sequence[CheckResult]) -> CheckResult | None:
    """Return the first check that fails after a repair and passed before it; None where it is no worse.

    Where torch could not be imported before, nothing else was seen of it.
    """
    failed = {(check.id, check.device) for check in before if check.status == "fail"}
    if any(name == "import" for name, _ in failed):
        return None
    return next(
        (check for check in after if check.status == "fail" and (check.id, check.device) not in failed), None
    )


def _checks(folder: Path, system: System) -> tuple[CheckResult, ...]:
    try:
        return verify(interpreter_of(folder), quick=True, environ=system.environ).checks
    except EnvironmentUnusable as error:
        from torchdoctor.verify import CheckResult

        return (CheckResult(id="import", device="cpu", status="fail", seconds=0.0, detail=error.message),)
