"""Finds the size of a file that no index gives: from the first response, or by reading all of it."""

from __future__ import annotations

import contextlib
import shutil
import time
from typing import TYPE_CHECKING

from torchdoctor.core.fs.own_files import create_own_file, open_own_file
from torchdoctor.core.i18n import message
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.interfaces import TransferFailed, TransferStopped
from torchdoctor.fetch.transfer.origin import Origin, best_origin
from torchdoctor.fetch.transfer.partial_file import MAX_UNVOUCHED_BYTES, PartialFile
from torchdoctor.fetch.transfer.response import RangeResponse, request_range
from torchdoctor.fetch.transfer.retry import RetryPolicy
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["request_size", "room_for_unvouched", "write_response_of_unknown_size"]

_CHUNK_BYTES = 1 << 20
_FIRST_REQUEST_BYTES = 1 << 20
_COPY = ".whole"


def room_for_unvouched(folder: Path) -> int:
    """Return how many bytes a file may have whose size only a server gives; raises `OSError`."""
    return min(MAX_UNVOUCHED_BYTES, shutil.disk_usage(folder).free)


def request_size(
    origins: list[Origin], most: int, stopped: threading.Event, retry: Callable[[str], None]
) -> tuple[Origin, RangeResponse]:
    """Request the first segments; return the origin that answered and its response, whose body is not read yet.

    The response tells the size, and whether there are ranges. The origin is moved to the front of `origins`: the first
    connection of the transfer uses it, with this response. One that says more than `most` bytes is not used. `retry`
    gets the reasons of failures. Raises `TransferFailed` when no origin answers so, and `TransferStopped`.
    """
    policy = RetryPolicy()
    while (origin := best_origin(origins)) is not None:
        try:
            response = request_range(origin.url, 0, _FIRST_REQUEST_BYTES, None, ranges=origin.ranges)
        except Fault as fault:
            if fault.kind == "bad-range":
                origin.ranges = False
            elif fault.kind == "refused" or not policy.failed(0, fault.kind):
                origin.refuse(fault)
                policy = RetryPolicy()
            else:
                retry(fault.reason)
                if stopped.wait(policy.wait(fault.retry_after, time.monotonic() % 1.0)):
                    raise TransferStopped from fault
            continue
        if response.total is not None and response.total > most:
            response.close()
            origin.refuse(Fault("refused", _too_large(response.total, most)))
            continue
        if response.total is not None or not response.ranged:
            origins.remove(origin)
            origins.insert(0, origin)
            return origin, response
        response.close()
        origin.ranges = False  # it gives a range of a file without saying how long that is
    raise TransferFailed("; ".join(dict.fromkeys(origin.refused or "" for origin in origins)))


def write_response_of_unknown_size(
    response: RangeResponse,
    host: str,
    path: Path,
    journal: Path,
    most: int,
    stopped: threading.Event,
    arrived: Callable[[int], None],
) -> PartialFile:
    """Write a response that does not say how long it is to the disk, and return it as a complete partial file.

    Raises `TransferFailed`, also where more than `most` bytes come, and `TransferStopped`; nothing is left then.
    """
    try:
        size = 0
        with contextlib.closing(response), create_own_file(path) as file:
            for chunk in response.chunks(_CHUNK_BYTES):
                size += len(chunk)
                _check_on(host, size, most, stopped)
                file.write(chunk)
                arrived(len(chunk))
        return _as_partial_file(path, journal, size)
    except Fault as fault:
        PartialFile.remove(path)
        raise TransferFailed(
            message("{host}: {why}, and it does not say how long the file is", host=host, why=fault.reason)
        ) from fault
    except BaseException:
        PartialFile.remove(path, path.with_suffix(_COPY))
        raise


def _check_on(host: str, size: int, most: int, stopped: threading.Event) -> None:
    if stopped.is_set():
        raise TransferStopped
    if size > most:
        raise TransferFailed(f"{host}: {_too_large(size, most)}")


def _too_large(size: int, most: int) -> str:
    return message(
        "the file there has {size:.1f} GB or more, which no index says, and there is room for {most:.1f} GB",
        size=size / 1e9,
        most=most / 1e9,
    )


def _as_partial_file(path: Path, journal: Path, size: int) -> PartialFile:
    """Make the file at `path`, which is complete, a partial file with a journal."""
    copy = path.with_suffix(_COPY)
    path.replace(copy)
    part = PartialFile.create(path, journal, size, reserve=False)
    with open_own_file(copy) as file:
        for index in range(-(-size // SEGMENT_BYTES)):
            part.write(index, file.read(SEGMENT_BYTES))
    copy.unlink()
    return part
