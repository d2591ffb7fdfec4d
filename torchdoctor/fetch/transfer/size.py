"""How long a file is that no index gives the size of: its first answer tells, or all of its bytes do."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.interfaces import Failed, TransferStopped
from torchdoctor.fetch.transfer.origin import Origin, best_origin
from torchdoctor.fetch.transfer.partial_file import Part
from torchdoctor.fetch.transfer.response import Answer, ask
from torchdoctor.fetch.transfer.retry import RetryPolicy
from torchdoctor.fetch.transfer.segments import SEGMENT

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["ask_size", "write_out"]

_CHUNK = _FIRST = 1 << 20  # bytes


def ask_size(
    origins: list[Origin], stopped: threading.Event, retry: Callable[[str], None]
) -> tuple[Origin, Answer]:
    """Ask for the first segments: the answer tells the size, and whether there are ranges. Its body is to come.

    The place that answered comes first in `origins` afterwards: the first connection of the transfer goes to that one,
    and has this answer. Raises `Failed` when no place answers so, and `TransferStopped`.
    """
    patience = RetryPolicy()
    while (origin := best_origin(origins)) is not None:
        try:
            answer = ask(origin.url, 0, _FIRST, None, ranges=origin.ranges)
        except Fault as fault:
            if fault.kind == "lying":
                origin.ranges = False
            elif fault.kind == "refused" or not patience.failed(0, slow=fault.kind == "slow"):
                origin.refuse(fault)
                patience = RetryPolicy()
            else:
                retry(fault.why)
                if stopped.wait(patience.wait(fault.retry_after, time.monotonic() % 1.0)):
                    raise TransferStopped from fault
            continue
        if answer.total is not None or not answer.ranged:
            origins.remove(origin)
            origins.insert(0, origin)
            return origin, answer
        answer.close()
        origin.ranges = False  # it gives a range of a file that it does not say the length of
    raise Failed("; ".join(dict.fromkeys(row.refused or "" for row in origins)))


def write_out(
    answer: Answer,
    host: str,
    path: Path,
    journal: Path,
    stopped: threading.Event,
    arrived: Callable[[int], None],
) -> Part:
    """Write out an answer that does not say how long it is; then it is known. Raises `Failed` and `TransferStopped`."""
    with contextlib.closing(answer), path.open("wb") as file:
        try:
            for chunk in answer.chunks(_CHUNK):
                if stopped.is_set():
                    raise TransferStopped
                file.write(chunk)
                arrived(len(chunk))
        except Fault as fault:
            raise Failed(
                message("{host}: {why}, and it does not say how long the file is", host=host, why=fault.why)
            ) from fault
        size = file.tell()
    return _taken_over(path, journal, size)


def _taken_over(path: Path, journal: Path, size: int) -> Part:
    """A part of a file that is there whole."""
    copy = path.with_suffix(".whole")
    path.replace(copy)
    part = Part.create(path, journal, size)
    with copy.open("rb") as file:
        for index in range(-(-size // SEGMENT)):
            part.write(index, file.read(SEGMENT))
    copy.unlink()
    return part
