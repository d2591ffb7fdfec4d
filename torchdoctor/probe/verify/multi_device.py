"""Checks of several devices and processes: GPUs that reach each other, NCCL, and a process group."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from ..message import sentence
from ..step import Outcome, failed, passed, skipped

__all__ = ["nccl", "peers", "process_group"]


def _count_gpus(torch: Any) -> int:
    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def peers(torch: Any, _device: str) -> Outcome:
    """Copy between every two GPUs and compare, and count the pairs that reach each other without the host."""
    count = _count_gpus(torch)
    if count < 2:
        return skipped("one-gpu", sentence("needs two GPUs"))
    source = torch.arange(2**20, dtype=torch.int32)
    direct = []
    for first in range(count):
        here = source.to(f"cuda:{first}")
        for second in range(count):
            if first == second:
                continue
            there = here.to(f"cuda:{second}")
            # Waited for on both sides: a copy is queued on the source.
            torch.cuda.synchronize(first)
            torch.cuda.synchronize(second)
            if not torch.equal(there.cpu(), source):
                return failed(
                    "wrong-result",
                    sentence(
                        "a copy from cuda:{first} to cuda:{second} arrives changed (IOMMU or ACS may be on)",
                        first=first,
                        second=second,
                    ),
                )
            if torch.cuda.can_device_access_peer(first, second):
                direct.append((first, second))
    pairs = count * (count - 1)
    return passed(
        sentence(
            "copies between all {count} GPUs are right; {count2} of {pairs} ways are direct",
            count=count,
            count2=len(direct),
            pairs=pairs,
        )
    )


def nccl(torch: Any, _device: str) -> Outcome:
    """Sum a tensor over all GPUs with NCCL's all-reduce, exactly."""
    count = _count_gpus(torch)
    if count < 2:
        return skipped("one-gpu", sentence("needs two GPUs"))
    if not torch.distributed.is_nccl_available():
        return skipped("nccl-not-built", sentence("this build has no NCCL"))
    parts = [torch.full((1024,), float(index + 1), device=f"cuda:{index}") for index in range(count)]
    torch.cuda.nccl.all_reduce(parts)
    wanted = float(count * (count + 1) // 2)
    for index, part in enumerate(parts):
        torch.cuda.synchronize(index)
        if not bool((part == wanted).all()):
            return failed(
                "wrong-result",
                sentence(
                    "all-reduce over {count} GPUs gives {item} on cuda:{index}, not {wanted}",
                    count=count,
                    item=part[0].item(),
                    index=index,
                    wanted=wanted,
                ),
            )
    return passed(
        sentence(
            "NCCL {value} sums over {count} GPUs exactly",
            value=".".join(map(str, torch.cuda.nccl.version())),
            count=count,
        )
    )


def process_group(torch: Any, _device: str) -> Outcome:
    """Start a process group of one with gloo, sum in it and end it: needs a host name and network that work."""
    distributed = torch.distributed
    if not distributed.is_available():
        return skipped("distributed-not-built", sentence("this build has no torch.distributed"))
    if not getattr(distributed, "is_gloo_available", lambda: True)():
        return skipped("gloo-not-built", sentence("this build has no gloo"))
    with tempfile.TemporaryDirectory() as folder:
        distributed.init_process_group(
            "gloo", init_method=Path(folder, "store").as_uri(), rank=0, world_size=1,
            timeout=dt.timedelta(seconds=30),
        )  # fmt: skip
        try:
            values = torch.arange(4.0)
            distributed.all_reduce(values)
        finally:
            distributed.destroy_process_group()
    if values.tolist() != [0, 1, 2, 3]:
        return failed(
            "wrong-result", sentence("all_reduce in a group of one gives {tolist}", tolist=values.tolist())
        )
    return passed(sentence("a gloo process group starts, sums and ends"))
