"""One rank: says what it is, meets the others, proves that a sum over all is right, then measures.

Whatever started it (torchrun, srun, the parent itself) has set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
import platform
import signal
import socket
import threading
import time
from datetime import timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from ..bench.cpu_share import CpuShareMeter
from .collectives import MIB, Ring, collectives, compute, pairs, send
from .rendezvous import LeftAlone, Meeting

if TYPE_CHECKING:
    from ..events import Channel

__all__ = ["run"]

# Bytes by backend, for the quick run and the full one.
_SIZES = {
    ("gloo", True): (64 << 10, MIB, 16 * MIB),
    ("gloo", False): (8 << 10, 64 << 10, MIB, 16 * MIB, 128 * MIB),
    ("nccl", True): (MIB, 64 * MIB, 512 * MIB),
    ("nccl", False): (64 << 10, MIB, 16 * MIB, 128 * MIB, 1024 * MIB),
}
_LINK_BYTES = {"gloo": 16 * MIB, "nccl": 256 * MIB}
_SECONDS = {True: 0.15, False: 0.5}
_TRIES = 5
_LONGEST = 600


def run(request: dict[str, Any], channel: Channel) -> None:
    """Do what is asked: `quick`, `measure` (or only meet and compare), and `limit` in seconds for each stage."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    # When a rank dies torchrun ends the others at once; they have to say which one it was first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    guard = _Guard(channel, rank, float(request["limit"]))
    guard.stage("import torch")
    import torch

    worker = _Worker(torch, request, channel, guard, rank, size)
    try:
        worker.work()
    except LeftAlone as alone:
        worker.tell(alone.stage, alone.missing, str(alone))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this rank's result
        said = "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:_LONGEST])  # noqa: UP031
        worker.tell(guard.at, worker.silent(said), said)
    else:
        channel.send("end", rank=rank)
        return
    os._exit(1)


class _Guard:
    """Ends this rank when a stage takes far too long, or when who started it is gone: a driver may hang for ever."""

    def __init__(self, channel: Channel, rank: int, limit: float) -> None:
        self._channel, self._rank, self._limit = channel, rank, limit
        self._parent = os.getppid()
        self.at = ""
        self._end = time.monotonic() + 4 * limit
        threading.Thread(target=self._watch, daemon=True).start()

    def stage(self, name: str) -> None:
        """A stage begins."""
        self.at = name
        # Longer than the others' limits, so that who hangs is found by those who do not.
        self._end = time.monotonic() + 2 * self._limit + 10
        self._channel.send("stage", rank=self._rank, stage=name)

    def _watch(self) -> None:
        while time.monotonic() < self._end and os.getppid() == self._parent:
            time.sleep(0.2)
        if os.getppid() == self._parent:
            self._channel.send(
                "trouble", rank=self._rank, stage=self.at, missing=[], error="hangs in " + self.at
            )
        os._exit(1)


class _Worker:
    def __init__(
        self, torch: Any, request: dict[str, Any], channel: Channel, guard: _Guard, rank: int, size: int
    ) -> None:
        self._torch, self._request, self._channel, self._guard = torch, request, channel, guard
        self._rank, self._size = rank, size
        self._quick = bool(request["quick"])
        self._limit = float(request["limit"])
        self._meeting: Any = None
        self._local = int(os.environ.get("LOCAL_RANK", "0"))
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        self._gpu = "cuda:%d" % self._local if self._local < gpus else None  # noqa: UP031

    def work(self) -> None:
        """From the first word to the last figure."""
        self._channel.send("rank", rank=self._rank, pid=os.getpid(), facts=self._facts())
        self._stage("the meeting")
        self._meeting = Meeting(self._torch, self._rank, self._size, self._limit)
        nccl = self._gpu is not None and self._torch.distributed.is_nccl_available()
        self._meeting.come("the meeting", {"nccl": nccl, "facts": self._facts()})
        heard = self._meeting.heard()
        for rank, row in enumerate(heard):
            # One by one: a pipe with several writers keeps only short lines whole.
            self._send_first("met", rank=rank, facts=row["facts"])
        # One rank without a GPU of its own, and all take the way that each has.
        self._backend = "nccl" if all(row["nccl"] for row in heard) else "gloo"
        ring = self._join()
        self._prove(ring)
        if self._request["measure"]:
            self._measure(ring)
            self._links(ring)
            self._compute(ring)
        self._together("the end")
        self._torch.distributed.destroy_process_group()
        self._meeting.leave()

    def tell(self, stage: str, missing: list[int], error: str) -> None:
        """Say what went wrong here, who is missing, and who was the first to fail."""
        try:
            first = self._meeting.first() if self._meeting is not None else [self._rank, error]
        except Exception:  # noqa: BLE001  # the store went with the rank that held it
            first = [self._rank, error]
        self._channel.send(
            "trouble",
            rank=self._rank,
            stage=stage,
            missing=missing,
            error=error,
            first=first[0],
            first_error=first[1],
        )

    def silent(self, error: str) -> list[int]:
        """The ranks that do not say that they failed too."""
        try:
            return list(self._meeting.silent(error)) if self._meeting is not None else []
        except Exception:  # noqa: BLE001  # the store went with the rank that held it
            return [0] if self._rank else []

    def _facts(self) -> dict[str, Any]:
        torch, version = self._torch, self._torch.version
        facts = {
            "host": socket.gethostname(),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "cuda": getattr(version, "cuda", None),
            "hip": getattr(version, "hip", None),
            "nccl": None,
            "device": None,
            "machine": platform.machine(),
            "system": platform.system() + " " + platform.release(),
            "driver": self._request.get("driver"),
            "threads": torch.get_num_threads(),
        }
        if self._gpu is not None:
            facts["device"] = str(torch.cuda.get_device_name(self._gpu))
            if torch.distributed.is_nccl_available():
                facts["nccl"] = ".".join(str(part) for part in torch.cuda.nccl.version())
        return facts

    def _join(self) -> Ring:
        self._stage("joining")
        torch = self._torch
        device = self._gpu if self._backend == "nccl" else "cpu"
        if device != "cpu":
            torch.cuda.set_device(device)
        torch.distributed.init_process_group(
            self._backend, store=torch.distributed.PrefixStore("group", self._meeting.store), rank=self._rank,
            world_size=self._size, timeout=timedelta(seconds=self._limit),
        )  # fmt: skip
        self._send_first("group", backend=self._backend, device=str(device).partition(":")[0])
        return Ring(torch, str(device), self._rank, self._size)

    def _prove(self, ring: Ring) -> None:
        self._together("the sum")
        data = self._torch.full((1000,), float(self._rank + 1), device=ring.device)
        ring.dist.all_reduce(data)
        wanted = self._size * (self._size + 1) / 2
        if not bool((data == wanted).all()):
            raise ArithmeticError("the sum over all ranks is %s, not %s" % (data[0].item(), wanted))  # noqa: UP031

    def _measure(self, ring: Ring) -> None:
        for size in _SIZES[self._backend, self._quick]:
            for name, factor, call in collectives(ring, size):
                self._together("%s of %d bytes" % (name, size))  # noqa: UP031
                meter = CpuShareMeter(self._torch.get_num_threads())
                said = {"times": ring.times(call, _SECONDS[self._quick]), "share": meter.share()}
                self._together("after %s of %d bytes" % (name, size), said)  # noqa: UP031
                heard = self._meeting.heard()
                # A collective is done when its last rank is.
                slowest = [max(row) for row in zip(*(one["times"] for one in heard))]
                shares = [one["share"] for one in heard if one["share"] is not None and ring.device == "cpu"]
                middle = median(slowest)
                quarters = quantiles(slowest, n=4)
                self._send_first(
                    "collective", name=name, bytes=size, median_s=middle, best_s=min(slowest),
                    iqr_s=quarters[2] - quarters[0], repeats=len(slowest), algbw=size / middle / 1e9,
                    busbw=size / middle / 1e9 * factor, cpu_share=min(shares, default=None),
                )  # fmt: skip

    def _links(self, ring: Ring) -> None:
        data = self._torch.rand(_LINK_BYTES[self._backend] // 4, device=ring.device)
        for source, goal in pairs(self._size):
            stage = "the link from rank %d to rank %d" % (source, goal)  # noqa: UP031
            self._together(stage)
            rate = send(ring, source, goal, data, _TRIES) if self._rank in (source, goal) else None
            self._together("after " + stage, rate)
            rates = self._meeting.heard()
            self._send_first(
                "link", source=source, goal=goal, bytes=data.numel() * 4, busbw=rates[source] / 1e9
            )

    def _compute(self, ring: Ring) -> None:
        self._together("the product")
        rate = compute(ring)
        self._together("after the product", rate)
        self._send_first("compute", gflops=self._meeting.heard())

    def _together(self, stage: str, said: Any = None) -> None:
        self._stage(stage)
        self._meeting.come(stage, said)

    def _stage(self, name: str) -> None:
        self._guard.stage(name)

    def _send_first(self, event: str, **values: Any) -> None:
        if self._rank == 0:
            self._channel.send(event, **values)
