"""How a check ended, in the same words in every output; in JSON it is the status itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import Message, joined, message

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
    """How many ended in which way, as `34 passed, 9 skipped`; empty where there are none."""
    ended = [check.status for check in checks]
    return joined(
        message("{count} {status}", count=ended.count(status), status=word)
        for status, word in STATUS.items()
        if status in ended
    )
