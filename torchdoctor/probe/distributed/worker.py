"""One rank: reports what it is, meets the others, verifies a sum over all of them, then measures.

Its launcher (torchrun, srun, the parent itself) has set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
import platform
import signal
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .collectives import Ring
from .measurements import Measurements
from .rendezvous import RanksMissing, Rendezvous
from .watchdog import Watchdog

if TYPE_CHECKING:
    from ..events import Channel

__all__ = ["run"]

_MAX_ERROR_CHARACTERS = 600


def run(request: dict[str, Any], channel: Channel) -> None:
    """Run the request: `quick`, `measure` (or only meet and compare), and `limit` in seconds for each stage."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    # When a rank dies torchrun ends the others at once; they have to report which one it was first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watchdog = Watchdog(channel, rank, float(request["limit"]))
    watchdog.start_stage("import torch")
    import torch

    worker = _Worker(torch, request, channel, watchdog, rank, size)
    try:
        worker.run()
    except RanksMissing as error:
        worker.report_failure(error.stage, error.missing, str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this rank's result
        text = "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:_MAX_ERROR_CHARACTERS])  # noqa: UP031
        worker.report_failure(watchdog.current_stage, worker.silent_ranks(text), text)
    else:
        channel.send("end", rank=rank)
        return
    os._exit(1)


class _Worker:
    def __init__(
        self, torch: Any, request: dict[str, Any], channel: Channel, watchdog: Watchdog, rank: int, size: int
    ) -> None:
        self._torch, self._request, self._channel, self._watchdog = torch, request, channel, watchdog
        self._rank, self._size = rank, size
        self._limit = float(request["limit"])
        self._rendezvous: Any = None
        self._backend = "gloo"
        local = int(os.environ.get("LOCAL_RANK", "0"))
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        self._gpu = "cuda:%d" % local if local < gpus else None  # noqa: UP031

    def run(self) -> None:
        """Do everything, from the first report to the last figure."""
        self._channel.send("rank", rank=self._rank, pid=os.getpid(), facts=self._facts())
        self._watchdog.start_stage("the meeting")
        self._rendezvous = Rendezvous(self._torch, self._rank, self._size, self._limit)
        nccl = self._gpu is not None and self._torch.distributed.is_nccl_available()
        self._rendezvous.meet("the meeting", {"nccl": nccl, "facts": self._facts()})
        ranks = self._rendezvous.data_of_all()
        for number, data in enumerate(ranks):
            # One by one: a pipe with several writers keeps only short lines whole.
            self._report_once("met", rank=number, facts=data["facts"])
        # When one rank has no GPU of its own, all take the backend that each has.
        self._backend = "nccl" if all(data["nccl"] for data in ranks) else "gloo"
        ring = self._join()
        self._verify_sum(ring)
        if self._request["measure"]:
            Measurements(
                ring,
                self._rendezvous,
                self._backend,
                quick=bool(self._request["quick"]),
                start_stage=self._start_stage,
                report=self._report_once,
            ).measure()
        self._start_stage("the end")
        self._torch.distributed.destroy_process_group()
        self._rendezvous.leave()

    def report_failure(self, stage: str, missing: list[int], error: str) -> None:
        """Send what went wrong here, which ranks are missing, and which was the first to fail."""
        try:
            first = self._rendezvous.first_failure() if self._rendezvous is not None else [self._rank, error]
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

    def silent_ranks(self, error: str) -> list[int]:
        """Report the error to the others. Returns the ranks that do not report one too."""
        try:
            return list(self._rendezvous.report_failure(error)) if self._rendezvous is not None else []
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
        self._watchdog.start_stage("joining")
        torch = self._torch
        device = self._gpu if self._backend == "nccl" else "cpu"
        if device != "cpu":
            torch.cuda.set_device(device)
        store = torch.distributed.PrefixStore("group", self._rendezvous.store)
        torch.distributed.init_process_group(
            self._backend, store=store, rank=self._rank, world_size=self._size,
            timeout=timedelta(seconds=self._limit),
        )  # fmt: skip
        self._report_once("group", backend=self._backend, device=str(device).partition(":")[0])
        return Ring(torch, str(device), self._rank, self._size)

    def _verify_sum(self, ring: Ring) -> None:
        self._start_stage("the sum")
        data = self._torch.full((1000,), float(self._rank + 1), device=ring.device)
        ring.dist.all_reduce(data)
        expected = self._size * (self._size + 1) / 2
        if not bool((data == expected).all()):
            raise ArithmeticError("the sum over all ranks is %s, not %s" % (data[0].item(), expected))  # noqa: UP031

    def _start_stage(self, stage: str, data: Any = None) -> None:
        """Begin a stage together with all other ranks."""
        self._watchdog.start_stage(stage)
        self._rendezvous.meet(stage, data)

    def _report_once(self, event: str, **values: Any) -> None:
        """Send an event that is the same on every rank: only rank 0 does."""
        if self._rank == 0:
            self._channel.send(event, **values)
