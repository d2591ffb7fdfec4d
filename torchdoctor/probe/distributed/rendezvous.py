"""How the ranks meet: through torch's TCPStore, in stages, so that those who do not come can be named by the others.

A collective that fails says that another rank is gone or late, seldom which. So each rank notes in the store what it
has reached, and a rank that waits reads there who is missing.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import timedelta
from typing import Any

__all__ = ["RanksMissing", "Rendezvous"]

_POLL_SECONDS = 0.02
# After an error elsewhere, a rank that is alive reports one within this.
_GRACE_SECONDS = 3.0


class RanksMissing(Exception):  # what happened to us, not what we did
    """Some ranks did not come to a stage."""

    def __init__(self, stage: str, missing: list[int]) -> None:
        super().__init__("ranks %s did not come to %s" % (missing, stage))  # noqa: UP031
        self.stage, self.missing = stage, missing


class Rendezvous:
    """This rank's side of the store. The ranks come to each stage in the same order.

    `limit` is how many seconds a rank waits for the others in a stage.
    """

    def __init__(self, torch: Any, rank: int, size: int, limit: float) -> None:
        self.rank, self.size, self.limit = rank, size, limit
        # Under torchrun its agent holds the store; elsewhere rank 0 does.
        hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        self._holds_store = rank == 0 and not hosted
        store = torch.distributed.TCPStore(
            os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=self._holds_store,
            timeout=timedelta(seconds=limit), wait_for_workers=False,
        )  # fmt: skip
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self.store = torch.distributed.PrefixStore("torchdoctor/" + attempt, store)
        self._lock = threading.Lock()
        self._stage = ""

    def meet(self, stage: str, data: Any = None) -> None:
        """Report that this rank has reached the stage, with data for the others, and wait for all of them.

        Raises `RanksMissing` with those who did not come within the limit, or before another rank failed.
        """
        self._stage = stage
        self._set(self._key(self.rank), data)
        end = time.monotonic() + self.limit
        missing = list(range(self.size))
        while missing:
            missing = [rank for rank in missing if not self._has(self._key(rank))]
            if missing and (time.monotonic() > end or self._has("failed")):
                raise RanksMissing(stage, self.report_failure("waited in vain for %s" % missing))  # noqa: UP031
            time.sleep(_POLL_SECONDS if missing else 0.0)

    def data_of_all(self) -> list[Any]:
        """Return what each rank brought to this stage, by rank."""
        return [json.loads(self._get(self._key(rank))) for rank in range(self.size)]

    def leave(self) -> None:
        """Say goodbye. The rank that holds the store stays until the others have done so: it takes the store along."""
        self._set("left/%d" % self.rank, True)  # noqa: UP031
        if self._holds_store:
            self._wait_for_all("left")

    def report_failure(self, error: str) -> list[int]:
        """Report why this rank cannot go on. Returns the ranks that report nothing within some seconds.

        They hang, or are gone: a rank that is alive meets the same trouble and reports it, at the latest when its own
        limit is over. The first rank to fail stays in the store.
        """
        if not self._has("failed"):
            self._set("failed", [self.rank, error])
        self._set("failed/%d" % self.rank, True)  # noqa: UP031
        return self._wait_for_all("failed")

    def first_failure(self) -> list[Any]:
        """Return the rank that failed first, and its error."""
        return list(json.loads(self._get("failed")))

    def _wait_for_all(self, word: str) -> list[int]:
        """Wait until every rank has set this word. Returns those that have not when the time is up."""
        end = time.monotonic() + _GRACE_SECONDS
        missing = list(range(self.size))
        while missing and time.monotonic() < end:
            missing = [rank for rank in missing if not self._has("%s/%d" % (word, rank))]  # noqa: UP031
            time.sleep(_POLL_SECONDS if missing else 0.0)
        return missing

    def _key(self, rank: int) -> str:
        return "at/%s/%d" % (self._stage, rank)  # noqa: UP031

    def _set(self, key: str, value: Any) -> None:
        with self._lock:
            self.store.set(key, json.dumps(value))

    def _get(self, key: str) -> Any:
        with self._lock:
            return self.store.get(key)

    def _has(self, key: str) -> bool:
        with self._lock:
            return bool(self.store.check([key]))
