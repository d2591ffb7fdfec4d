"""What the cells of a kernel answered -> checks: passed, failed with the reason, or skipped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.kernel.run_cells import ALL_CELLS
from torchdoctor.verify import CheckResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torchdoctor.kernel.run_cells import Session

__all__ = ["judge_cells"]

_RIGHT = [0.0, 2.0, 4.0, 6.0]


def judge_cells(
    session: Session, *, meant: Path | None, cells: Sequence[str] = ALL_CELLS
) -> tuple[CheckResult, ...]:
    """The checks `start` and one for each cell. `meant` is the environment that the kernel is for."""
    device = str(session.answers.get("device", {}).get("device", "cpu"))
    checks = []
    status: Literal["pass", "fail", "skip"]
    for name in ("start", *cells):
        if name == session.failed_at:
            status, detail = "fail", _failure(session)
        elif name != "start" and name not in session.answers:
            status, detail = "skip", message("not run, because of what failed before")
        else:
            status, detail = _verdict(name, session.answers.get(name, {}), meant)
        on = device if name in ("device", "tensor") else "cpu"
        checks.append(
            CheckResult(
                id=name,
                device=on,
                status=status,
                seconds=session.seconds.get(name, 0.0),
                # What a kernel says is shown on terminals, which would obey its escapes.
                detail=sanitize_line(detail, limit=1000),
                evidence=tuple(map(sanitize_line, session.said)) if name == session.failed_at else (),
            )
        )
    return tuple(checks)


def _failure(session: Session) -> str:
    sentences = {
        "start": message("it could not be started: {why}", why=session.detail),
        "garbage": message("it does not speak Jupyter's protocol: {why}", why=session.detail),
        "lost": message("the process that starts it gave no answer: {why}", why=session.detail),
    }
    text = sentences.get(session.kind or "", session.detail)
    last = next(iter(session.said[-1:]), "")
    if last and session.kind == "died":
        return message("{text} (its last words: {last})", text=text, last=last)
    return text


def _verdict(name: str, answer: Mapping[str, Any], meant: Path | None) -> tuple[Literal["pass", "fail"], str]:
    if name == "start":
        return "pass", message("it started, and said what it is")
    if name == "python":
        return _right_python(answer, meant)
    if name == "import":
        said = message("torch {version} from {file}", version=answer.get("torch"), file=answer.get("file"))
        return "pass", said
    if name == "device":
        named = f", {answer['name']}" if answer.get("name") else ""
        return "pass", message("torch uses {device}", device=f"{answer.get('device')}{named}")
    gradient = answer.get("gradient")
    if gradient == _RIGHT:
        return "pass", message("a tensor and its gradient on {device} are right", device=answer.get("device"))
    return "fail", message(
        "the gradient of x**2 came out as {gradient} where [0, 2, 4, 6] is right", gradient=gradient
    )


def _right_python(answer: Mapping[str, Any], meant: Path | None) -> tuple[Literal["pass", "fail"], str]:
    runs = message(
        "sys.executable is {python}, Python {version}",
        python=answer.get("executable"),
        version=answer.get("version"),
    )
    if meant is None:
        return "pass", runs
    if os.path.realpath(str(answer.get("prefix"))) == os.path.realpath(meant):
        return "pass", runs
    return "fail", message(
        "{runs}, of {place} and not of {meant}", runs=runs, place=answer.get("prefix"), meant=meant
    )
