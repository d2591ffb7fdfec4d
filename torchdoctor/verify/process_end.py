"""Exit status of a process -> a stable code and a sentence."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from torchdoctor.core.i18n import message

__all__ = ["ProcessEnd", "describe_end", "signal_name"]

# Windows' status codes for what is a signal elsewhere.
# https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/596a1078-e883-4972-9bbc-49e60bebca55
_WINDOWS_CRASHES = {
    0xC0000005: "access violation",
    0xC00000FD: "stack overflow",
    0xC0000135: "a DLL is missing",
    0xC0000409: "abort",
}
# Signals that have a cause of their own; every other one is a crash.
_SIGNAL_CODES = {"SIGKILL": "process-sigkill", "SIGILL": "process-sigill"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessEnd:
    """Why a process is gone: `code` decides what it means, `text` continues a sentence ("the process ...")."""

    code: str
    text: str


def describe_end(returncode: int | None) -> ProcessEnd:
    """Say how a process with this `subprocess` return code ended; None means that it still runs."""
    if returncode is None:
        return ProcessEnd(code="process-running", text=message("still running"))
    if returncode < 0:
        name = signal_name(-returncode)
        code = _SIGNAL_CODES.get(name, "process-signal")
        if name == "SIGKILL":
            text = message("was killed by SIGKILL (as the system does when memory runs out)")
        else:
            text = message("was killed by {name}", name=name)
        return ProcessEnd(code=code, text=text)
    windows = _WINDOWS_CRASHES.get(returncode & 0xFFFFFFFF)
    if windows is not None:
        return ProcessEnd(code="process-signal", text=message("was killed by Windows: {what}", what=windows))
    return ProcessEnd(code="process-exit", text=message("ended with status {status}", status=returncode))


def signal_name(number: int) -> str:
    """Return the name of a signal, or its number in words where the system has no name for it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return message("signal {number}", number=number)
