"""Checks of memory: copies between host and device, and allocating and freeing most of what is free."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from ..control_groups import memory_left_mib
from ..devices import kind, waiter
from ..message import sentence
from ..step import Outcome, failed, passed, skipped, warned

__all__ = ["copies", "memory"]

_MIB = 2**20
# Other programs may use the same GPU, and the allocator needs room for its own blocks.
_SHARE_OF_FREE = 0.8
# Tried in turn: since the free memory was read, another process may have taken some.
_SHARES = (_SHARE_OF_FREE, 0.5, 0.25)
# On the CPU a large part of what is free would push other programs out; this is more than any cache.
_HOST_MIB = 256


def copies(torch: Any, device: str) -> Outcome:
    """Copy 8 MiB of random bytes to the device and back in each way, and compare every byte."""
    if kind(device) == "cpu":
        return skipped("accelerator-only", sentence("the CPU works on the host's own memory"))
    generator = torch.Generator().manual_seed(0)
    source = torch.randint(0, 256, (8 * _MIB,), generator=generator, dtype=torch.uint8)
    there = source.to(device)
    ways = {"to the device and back": there.cpu(), "within the device": there.clone().cpu()}
    ways["every second byte"] = torch.repeat_interleave(there[::2].cpu(), 2)
    said = "pageable"
    wanted = dict.fromkeys(ways, source)
    wanted["every second byte"] = torch.repeat_interleave(source[::2], 2)
    if kind(device) == "cuda":
        pinned = source.pin_memory()
        if not pinned.is_pinned():
            return failed("memory-not-pinned", sentence("pin_memory() gives memory that is not pinned"))
        sent = pinned.to(device, non_blocking=True)
        back = torch.empty_like(source).pin_memory()
        back.copy_(sent, non_blocking=True)
        waiter(torch, device)()
        ways["through pinned memory"], wanted["through pinned memory"] = back, source
        said = "pageable and pinned"
    for name, got in ways.items():
        if not torch.equal(got, wanted[name]):
            differ = int((got != wanted[name]).sum())
            return failed(
                "wrong-result",
                sentence(
                    "{name}: {differ} of {numel} bytes differ", name=name, differ=differ, numel=got.numel()
                ),
            )
    return passed(sentence("8 MiB there and back, {said}: every byte is the same", said=said))


def memory(torch: Any, device: str) -> Outcome:
    """Allocate memory, fill it, read it, and free it."""
    if kind(device) == "cuda":
        return _on_gpu(torch, device)
    if kind(device) != "cpu":
        return skipped(
            "memory-unknown",
            sentence("torch does not say how much memory of {kind} is free", kind=kind(device)),
        )
    available = _available_mib()
    size = _HOST_MIB if available is None else min(_HOST_MIB, int(available * _SHARE_OF_FREE))
    block = torch.empty(size * _MIB, dtype=torch.uint8).fill_(7)
    if int(block[::4096].sum(dtype=torch.int64)) != 7 * len(block[::4096]):
        return failed(
            "memory-corrupted", sentence("{size} MiB of host memory do not keep what was written", size=size)
        )
    del block
    said = "" if available is None else sentence(" of {available} MiB that are free", available=available)
    if size < _HOST_MIB:
        return warned(
            "memory-almost-full",
            sentence(
                "{size} MiB{said} allocated and freed: so little is left that training will not fit",
                size=size,
                said=said,
            ),
        )
    return passed(sentence("{size} MiB{said} allocated, filled, read and freed", size=size, said=said))


def _on_gpu(torch: Any, device: str) -> Outcome:
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info(device)
    before = torch.cuda.memory_reserved(device)
    block, size = _largest(torch, device, free)
    # In pieces: the comparison needs memory too, an eighth of what it compares.
    right = all(bool((piece == 7).all()) for piece in block.split(max(len(block) // 64, 1)))
    del block
    torch.cuda.empty_cache()
    kept = torch.cuda.memory_reserved(device) - before
    if not right:
        return failed(
            "memory-corrupted",
            sentence("{size} MiB of {device} do not keep what was written", size=size // _MIB, device=device),
        )
    if kept > 64 * _MIB:
        return failed(
            "memory-not-returned",
            sentence("{kept} MiB of {device} are not freed", kept=kept // _MIB, device=device),
        )
    said = sentence(
        "{size} of {free} MiB free ({total} in all) allocated, filled, read and freed",
        size=size // _MIB,
        free=free // _MIB,
        total=total // _MIB,
    )
    if free < total // 10 or size < int(free * _SHARE_OF_FREE):
        return warned(
            "memory-held-by-others", sentence("{said}; the rest is held by other processes", said=said)
        )
    return passed(said)


def _largest(torch: Any, device: str, free: int) -> tuple[Any, int]:
    for share in _SHARES[:-1]:
        size = int(free * share)
        with contextlib.suppress(torch.cuda.OutOfMemoryError):
            return torch.full((size // 8,), 7, dtype=torch.int64, device=device), size
    size = int(free * _SHARES[-1])
    return torch.full((size // 8,), 7, dtype=torch.int64, device=device), size


def _available_mib() -> int | None:
    """MiB that can be allocated without swapping; None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path("/proc/meminfo").read_text("ascii")
        fields = dict(line.split(":", 1) for line in text.splitlines())
        free, allowed = int(fields["MemAvailable"].split()[0]) // 1024, memory_left_mib()
        return free if allowed is None else min(free, allowed)
    with contextlib.suppress(AttributeError, ValueError, OSError, KeyError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB
    return None
