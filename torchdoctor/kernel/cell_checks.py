"""CellSession -> checks: passed, failed with the reason, or skipped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.kernel.session import ALL_CELLS
from torchdoctor.verify import CheckResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torchdoctor.kernel.session import CellSession

__all__ = ["judge_cells"]

# The gradient of x**2 at 0, 1, 2 and 3.
_EXPECTED_GRADIENT = [0.0, 2.0, 4.0, 6.0]


def judge_cells(
    session: CellSession, *, expected_prefix: Path | None, cells: Sequence[str] = ALL_CELLS
) -> tuple[CheckResult, ...]:
    """Return the check `start` and one for each cell; `expected_prefix` is the environment the kernel is for."""
    device = str(session.answers.get("device", {}).get("device", "cpu"))
    checks = []
    status: Literal["pass", "fail", "skip"]
    for name in ("start", *cells):
        if name == session.failed_at:
            status, detail = "fail", _failure(session)
        elif name != "start" and name not in session.answers:
            status, detail = "skip", message("not run, because an earlier check failed")
        else:
            status, detail = _verdict(name, session.answers.get(name, {}), expected_prefix)
        check_device = device if name in ("device", "tensor") else "cpu"
        checks.append(
            CheckResult(
                id=name,
                device=check_device,
                status=status,
                seconds=session.seconds.get(name, 0.0),
                # The text of a kernel is shown on terminals, which would obey its escape sequences.
                detail=sanitize_line(detail, limit=1000),
                evidence=tuple(map(sanitize_line, session.output)) if name == session.failed_at else (),
            )
        )
    return tuple(checks)


def _failure(session: CellSession) -> str:
    sentences = {
        "start": message("it could not be started: {why}", why=session.detail),
        "garbage": message("it does not speak Jupyter's protocol: {why}", why=session.detail),
        "lost": message("the process that starts it did not answer: {why}", why=session.detail),
    }
    text = sentences.get(session.kind or "", session.detail)
    last = next(iter(session.output[-1:]), "")
    if last and session.kind == "died":
        return message("{text} (its last output: {last})", text=text, last=last)
    return text


def _verdict(
    name: str, answer: Mapping[str, Any], expected_prefix: Path | None
) -> tuple[Literal["pass", "fail"], str]:
    if name == "start":
        return "pass", message("it started and identified itself")
    if name == "python":
        return _python_verdict(answer, expected_prefix)
    if name == "import":
        return "pass", message(
            "torch {version} from {file}", version=answer.get("torch"), file=answer.get("file")
        )
    if name == "device":
        suffix = f", {answer['name']}" if answer.get("name") else ""
        return "pass", message("torch uses {device}", device=f"{answer.get('device')}{suffix}")
    gradient = answer.get("gradient")
    if gradient == _EXPECTED_GRADIENT:
        return "pass", message(
            "a tensor and its gradient on {device} are correct", device=answer.get("device")
        )
    return "fail", message("the gradient of x**2 is {gradient} instead of [0, 2, 4, 6]", gradient=gradient)


def _python_verdict(
    answer: Mapping[str, Any], expected_prefix: Path | None
) -> tuple[Literal["pass", "fail"], str]:
    runs = message(
        "sys.executable is {python}, Python {version}",
        python=answer.get("executable"),
        version=answer.get("version"),
    )
    if expected_prefix is None:
        return "pass", runs
    if os.path.realpath(str(answer.get("prefix"))) == os.path.realpath(expected_prefix):
        return "pass", runs
    return "fail", message(
        "{runs}, from {place} instead of {meant}",
        runs=runs,
        place=answer.get("prefix"),
        meant=expected_prefix,
    )
