"""The newest version of each package that was named, looked for beside other work."""

from __future__ import annotations

import tempfile
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.system.uv import UvStopped
from torchdoctor.core.threads import thread_pool
from torchdoctor.lock.solve import newest_versions
from torchdoctor.lock.solve_inputs import write_offer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.workflows.stack_model import StackTask

__all__ = ["NewestSearch", "searching_newest"]


class NewestSearch:
    """A run of uv that began with the `with` block and ends with it at the latest.

    What it reads of the indexes is in uv's cache for the runs that decide.
    """

    def __init__(self, task: StackTask) -> None:
        self._asked = _asked(task)
        self._run_dir = task.run_dir
        self._stopped = threading.Event()

    def __enter__(self) -> NewestSearch:  # noqa: PYI034  (Self needs Python 3.11)
        self._pool = thread_pool(1)
        self._looking = self._pool.submit(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def is_for(self, task: StackTask) -> bool:
        """Whether the answer holds for a task: which packages are left out, or what overrides others, is no matter."""
        return self._asked == _asked(task)

    def result(self) -> Mapping[str, str]:
        """Wait for the versions by name, and return them; raises what `lock.solve.newest_versions` raises."""
        return self._looking.result()

    def _look(self) -> Mapping[str, str]:
        lines, request = self._asked
        if not lines:
            return {}
        try:
            offer = write_offer((), request.sources, self._folder())
            return newest_versions(lines, offer, request, folder=self._folder(), stopped=self._stopped)
        except UvStopped:
            return {}

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="newest-", dir=self._run_dir))


def searching_newest(task: StackTask) -> AbstractContextManager[NewestSearch]:
    """Return the search that the task brings along where that asks the same, else a new one."""
    known = task.newest
    return nullcontext(known) if known is not None and known.is_for(task) else NewestSearch(task)


def _asked(task: StackTask) -> tuple[tuple[str, ...], LockRequest]:
    lines = tuple(asked.line for asked in task.named if asked.name not in task.implied)
    return lines, replace(task.lock_request, excluded=frozenset(), overrides=())
