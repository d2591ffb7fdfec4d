"""The process: its standard streams, the signals that stop it, and how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from torchdoctor.cli.look_alikes import write_look_alikes
from torchdoctor.core.system.background import wait_for_calls
from torchdoctor.core.system.running_processes import RUNNING

if TYPE_CHECKING:
    from types import FrameType

__all__ = [
    "EXIT_INTERNAL",
    "EXIT_INTERRUPTED",
    "EXIT_USAGE",
    "discard_stdout",
    "exit_immediately",
    "exit_with",
    "stop_on_signals",
    "use_colour",
    "use_safe_streams",
]

EXIT_USAGE = 2
EXIT_INTERNAL = 70  # EX_SOFTWARE of sysexits.h: the fault is ours
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

_CLEANUP_SECONDS = 10.0  # after a signal that stops the process, further ones are ignored for so long
_LAST_SECONDS = 1.0


def use_safe_streams() -> None:
    """Replace closed streams by empty ones; write what an output's encoding lacks as look-alikes or escapes."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=write_look_alikes())


def discard_stdout() -> None:
    """Send what is still to be written to nowhere: the reader of our output has gone away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def use_colour() -> bool | None:
    """Return False where colour is not wanted (https://no-color.org); None leaves it to the terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return False if plain else None


def stop_on_signals() -> None:
    """Clean up on a scheduler's SIGTERM and a closed terminal's SIGHUP as on Ctrl-C."""
    stopped_at = 0.0

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped_at
        now = time.monotonic()
        # Ignore further signals for 10 s so that clean-up can finish.
        if not stopped_at or now - stopped_at > _CLEANUP_SECONDS:
            stopped_at = now
            raise KeyboardInterrupt

    for number in _stopping_signals():
        # An ignored signal stays ignored: nohup, and what a shell starts in the background.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def exit_with(status: int) -> NoReturn:
    """End the process once its output is written."""
    # All is done: a signal that stops the process now must not end in a traceback.
    for number in _stopping_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        os._exit(status)
    except OSError:
        # Nothing more can be written; Python would report that with a traceback.
        os._exit(status or EXIT_USAGE)
    sys.exit(status)


def exit_immediately(status: int) -> NoReturn:
    """End the process without waiting for threads: a download may wait for a connection that is silent.

    What they have started is ended, and those that look at the machine get a moment to remove their files.
    """
    RUNNING.end()
    wait_for_calls(_LAST_SECONDS)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _stopping_signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]
