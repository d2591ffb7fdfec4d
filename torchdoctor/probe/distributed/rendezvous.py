"""Where the ranks meet: a store that each can read, so that one which does not come can be named by the others.

A collective that fails says that a peer is gone or late, seldom which. So each rank notes in the store what it has
reached, and whoever waits reads there who has not.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import timedelta
from typing import Any

__all__ = ["LeftAlone", "Meeting"]

_LOOK = 0.02
# After an error elsewhere, a rank that is alive says so within this.
_GRACE = 3.0


class LeftAlone(Exception):  # what happened to us, not what we did
    """Some ranks did not come to a stage."""

    def __init__(self, stage: str, missing: list[int]) -> None:
        super().__init__("ranks %s did not come to %s" % (missing, stage))  # noqa: UP031
        self.stage, self.missing = stage, missing


class Meeting:
    """This rank's side of the store. The ranks come to each stage in the same order."""

    def __init__(self, torch: Any, rank: int, size: int, limit: float) -> None:
        self.rank, self.size, self.limit = rank, size, limit
        # Under torchrun its agent holds the store; elsewhere rank 0 does.
        hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        self._holds = rank == 0 and not hosted
        store = torch.distributed.TCPStore(
            os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=self._holds,
            timeout=timedelta(seconds=limit), wait_for_workers=False,
        )  # fmt: skip
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self.store = torch.distributed.PrefixStore("torchdoctor/" + attempt, store)
        self._turn = threading.Lock()
        self._stage = ""

    def come(self, stage: str, said: Any = None) -> None:
        """Say that this rank has reached the stage, with something for the others, and wait for all of them.

        Raises `LeftAlone` with those who did not come within the limit, or before another rank failed.
        """
        self._stage = stage
        self._set(self._at(self.rank), said)
        end = time.monotonic() + self.limit
        left = list(range(self.size))
        while left:
            left = [rank for rank in left if not self._has(self._at(rank))]
            if left and (time.monotonic() > end or self._has("failed")):
                raise LeftAlone(stage, self.silent("waited in vain for %s" % left))  # noqa: UP031
            time.sleep(_LOOK if left else 0.0)

    def leave(self) -> None:
        """The last word to the store. Who holds it stays until the others have said theirs, for it goes with us."""
        self._set("left/%d" % self.rank, True)  # noqa: UP031
        end = time.monotonic() + _GRACE
        left = list(range(self.size)) if self._holds else []
        while left and time.monotonic() < end:
            left = [rank for rank in left if not self._has("left/%d" % rank)]  # noqa: UP031
            time.sleep(_LOOK if left else 0.0)

    def heard(self) -> list[Any]:
        """What each rank said when it came to this stage."""
        return [json.loads(self._get(self._at(rank))) for rank in range(self.size)]

    def silent(self, error: str) -> list[int]:
        """Say why this rank cannot go on; the ranks that do not say so too, after a little while.

        They hang, or are gone: a rank that is alive meets the same trouble and says so, at the latest when its own
        limit is over. Who was the first to fail stays in the store.
        """
        if not self._has("failed"):
            self._set("failed", [self.rank, error])
        self._set("failed/%d" % self.rank, True)  # noqa: UP031
        end = time.monotonic() + _GRACE
        left = list(range(self.size))
        while left and time.monotonic() < end:
            left = [rank for rank in left if not self._has("failed/%d" % rank)]  # noqa: UP031
            time.sleep(_LOOK)
        return left

    def first(self) -> list[Any]:
        """The rank that failed first, and its error."""
        return list(json.loads(self._get("failed")))

    def _at(self, rank: int) -> str:
        return "at/%s/%d" % (self._stage, rank)  # noqa: UP031

    def _set(self, key: str, value: Any) -> None:
        with self._turn:
            self.store.set(key, json.dumps(value))

    def _get(self, key: str) -> Any:
        with self._turn:
            return self.store.get(key)

    def _has(self, key: str) -> bool:
        with self._turn:
            return bool(self.store.check([key]))
