"""The status of a check in words, the same in every output; JSON has the status itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import Message, joined, message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.verify.model import CheckResult

__all__ = ["STATUS", "counted_checks"]

STATUS = {
    "pass": message("passed"),
    "fail": message("failed"),
    "warn": message("with a warning"),
    "skip": message("skipped"),
}


def counted_checks(checks: Iterable[CheckResult]) -> Message:
    """Return how many checks have each status, as `34 passed, 9 skipped`; empty without checks."""
    statuses = [check.status for check in checks]
    return joined(
        message("{count} {status}", count=statuses.count(status), status=word)
        for status, word in STATUS.items()
        if status in statuses
    )
