"""Checks of loading data: datasets, batches, and worker processes with their shared memory."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
from typing import Any

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, broken, failed, passed, warned

__all__ = ["Numbered", "dataset", "workers"]

_MIB = 2**20
_SHM = "/dev/shm"  # noqa: S108  # looked at, not written to
# Docker's default, and the usual cause of workers that die: eight images of 1024x1024 in float32 take 96 MiB.
_SMALL_SHM_MIB = 64
# A worker that has not answered by then hangs: its own import of torch takes seconds, from a cold disk tens of seconds.
_TIMEOUT_SECONDS = 100
_SAMPLE_COUNT = 32


class Numbered:
    """Map-style data: at each index a block of 256 KiB, the index and the process that made it.

    It is at module level because worker processes that do not fork import it by name.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        import torch

        if not 0 <= index < self._size:
            raise IndexError(index)
        return torch.full((65536,), float(index)), index, os.getpid()


def dataset(torch: Any, _device: str) -> Outcome:
    """Batch, shuffle and split a dataset: each sample comes exactly once, and the same seed gives the same order."""
    data = torch.utils.data
    samples = data.TensorDataset(torch.arange(20.0).reshape(10, 2), torch.arange(10))

    def order(seed: int) -> list[int]:
        loader = data.DataLoader(
            samples, batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(seed)
        )
        seen = []
        for values, numbers in loader:
            if not torch.equal(values[:, 0], 2.0 * numbers):
                raise ValueError("a batch mixes samples and labels")
            seen += numbers.tolist()
        return seen

    first = order(1)
    if sorted(first) != list(range(10)):
        return failed(
            "wrong-samples",
            sentence("shuffled batches hold the samples {first}, not each of 0 to 9 once", first=first),
        )
    if first != order(1):
        return failed("seed-ignored", sentence("the same seed gives another order"))
    parts = data.random_split(samples, [7, 3], generator=torch.Generator().manual_seed(1))
    split = sorted(int(samples[index][1]) for part in parts for index in part.indices)
    if [len(part) for part in parts] != [7, 3] or split != list(range(10)):
        return failed("wrong-samples", sentence("random_split gives {split}", split=split))
    return passed(sentence("batches, shuffling and a split hold each sample once; a seed fixes the order"))


def workers(torch: Any, device: str) -> Outcome:
    """Load with two worker processes, pinned where there is an accelerator: each sample once, from both."""
    shared = _shared_mib()
    pinned = kind(device) == "cuda"
    try:
        wrong, seen, processes = _load(torch, device, pinned=pinned)
    except Exception as error:  # noqa: BLE001  # whatever it raises, the cause may be the shared memory
        return _explain_failure(error, shared)
    if wrong is not None:
        return wrong
    if sorted(seen) != list(range(_SAMPLE_COUNT)):
        text = sentence("two workers give the samples {seen}, not each of 0 to 31 once", seen=seen)
        return failed("wrong-samples", text)
    if len(processes) != 2 or os.getpid() in processes:
        text = sentence("the samples come from {count} processes, not from 2 workers", count=len(processes))
        return failed("workers-not-used", text)
    method = torch.multiprocessing.get_start_method()
    text = joined(
        [
            sentence("2 workers ({method}) gave each sample once", method=method),
            sentence(", pinned") if pinned else "",
        ],
        "",
    )
    if shared is not None and shared <= _SMALL_SHM_MIB:
        text = sentence(
            "{said}; /dev/shm has only {shared} MiB, so workers with large batches die of a bus error (start the "
            "container with --shm-size=8g or --ipc=host)",
            said=text,
            shared=shared,
        )
        return warned("shm-too-small", text)
    return passed(text)


def _load(torch: Any, device: str, *, pinned: bool) -> tuple[Outcome | None, list[int], set[int]]:
    """Load all samples. Returns what is wrong with a batch, the samples, and the processes that made them."""
    loader = torch.utils.data.DataLoader(
        Numbered(_SAMPLE_COUNT), batch_size=4, num_workers=2, pin_memory=pinned, timeout=_TIMEOUT_SECONDS
    )
    seen: list[int] = []
    processes: set[int] = set()
    for values, numbers, made_by in loader:
        if pinned and not values.is_pinned():
            text = sentence("the batches are not in pinned memory")
            return failed("memory-not-pinned", text), seen, processes
        if not torch.equal(values.to(device)[:, -1].cpu().long(), numbers):
            text = sentence("a batch does not hold what the worker put in")
            return failed("wrong-samples", text), seen, processes
        seen += numbers.tolist()
        processes |= set(made_by.tolist())
    return None, seen, processes


def _explain_failure(error: Exception, shared: int | None) -> Outcome:
    raised = broken(error)
    if shared is not None and shared <= _SMALL_SHM_MIB:
        cause = sentence(
            "{shm} has only {shared} MiB, and worker processes pass their batches through it",
            shm=_SHM,
            shared=shared,
        )
        text = sentence(
            "{cause} (start the container with --shm-size=8g or --ipc=host): {detail}",
            cause=cause,
            detail=raised.detail,
        )
        return failed("shm-too-small", text, raised.evidence)
    text = sentence("worker processes do not work: {detail}", detail=raised.detail)
    return failed("workers-failed", text, raised.evidence)


def _shared_mib() -> int | None:
    """MiB free in /dev/shm; None where there is none, as on macOS and Windows."""
    if not hasattr(os, "statvfs"):
        return None
    try:
        seen = os.statvfs(_SHM)
    except OSError:
        return None
    return int(seen.f_bavail * seen.f_frsize // _MIB)
