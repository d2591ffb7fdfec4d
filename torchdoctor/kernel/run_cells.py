"""Kernel spec -> CellSession: starts the kernel, runs cells in it and stops it, each wait with a limit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.kernel.client_process import GRACE_SECONDS, ClientProcess
from torchdoctor.kernel.session import ALL_CELLS, CellLimits, CellSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["run_cells"]


def run_cells(
    client_python: Path,
    folder: Path,
    *,
    environ: Mapping[str, str],
    cells: Sequence[str] = ALL_CELLS,
    limits: CellLimits | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> CellSession:
    """Start the kernel whose spec is in `folder`, run `cells` in it one after the other, and stop it.

    `client_python` has jupyter_client. A cell that fails ends the session. `on_wait` gets the seconds that have passed,
    every 10 s. Raises `KernelFailed` when that Python cannot be run.
    """
    limits = limits or CellLimits()
    request = {"folder": str(folder), "cells": list(cells), "start": limits.start, "cell": limits.cell}
    with (
        tempfile.TemporaryDirectory(prefix="torchdoctor-kernel-", ignore_cleanup_errors=True) as run_dir,
        ClientProcess(client_python, request, folder=Path(run_dir), environ=environ) as client,
    ):
        session = _follow(client, limits, on_wait or _ignore)
        if session.kind != "lost":
            client.wait_for_end()
        return session


def _ignore(seconds: float) -> None:
    pass


def _follow(client: ClientProcess, limits: CellLimits, on_wait: Callable[[float], None]) -> CellSession:
    """Read the events of the client up to the end of the session."""
    answers: dict[str, Mapping[str, Any]] = {}
    seconds: dict[str, float] = {}
    at = "start"
    while True:
        limit = limits.start if at == "start" else limits.cell
        progress: dict[str, Any] = {"answers": answers, "seconds": seconds}
        match client.next_event(limit + GRACE_SECONDS, on_wait):
            case {"event": "end"}:
                return CellSession(**progress)
            case {"event": "ready", "seconds": float(taken)}:
                seconds["start"] = taken
            case {"event": "cell", "id": str(at)}:
                pass
            case {"event": "result", "id": str(name), "seconds": float(taken), "answer": dict(answer)}:
                answers[name], seconds[name] = answer, taken
            case {"event": "result", "id": str(name), "error": str(error)}:
                return CellSession(**progress, failed_at=name, kind="cell", detail=error)
            case {"event": "error", "kind": str(kind), "values": dict(values), "output": list(output)}:
                return CellSession(
                    **progress,
                    failed_at=at,
                    kind=kind,
                    detail=_failure_sentence(kind, at, values),
                    output=tuple(map(str, output)),
                )
            case {"event": "lost", "detail": str(detail)}:
                return CellSession(**progress, failed_at=at, kind="lost", detail=detail, output=client.output)


def _failure_sentence(kind: str, at: str, values: Mapping[str, Any]) -> str:
    """Describe a failure; the client runs in the kernel's environment, and gives only the values."""
    seconds, status = values.get("seconds"), values.get("status")
    match kind, at == "start":
        case "not-python", _:
            language = values.get("language")
            return message("its language is {language}; only Python kernels are checked", language=language)
        case "silent", True:
            return message("it did not identify itself within {seconds:g} s", seconds=seconds)
        case "silent", False:
            return message("the cell did not finish within {seconds:g} s", seconds=seconds)
        case "died", True if status is None:
            return message("it ended before it identified itself")
        case "died", True:
            return message("it ended with status {status} before it identified itself", status=status)
        case "died", False if status is None:
            return message("it ended while it ran the cell")
        case "died", False:
            return message("it ended with status {status} while it ran the cell", status=status)
    return str(values.get("error"))
