"""The newest version of each package that was named, looked for beside other work."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.system.uv import UvStopped
from torchdoctor.core.threads import thread_pool
from torchdoctor.lock.solve import newest_versions
from torchdoctor.lock.solve_inputs import write_offer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.lock.model import LockRequest

__all__ = ["NewestSearch"]


class NewestSearch:
    """A run of uv that began with the `with` block and ends with it at the latest.

    What it reads of the indexes is in uv's cache for the runs that decide.
    """

    def __init__(self, asked: tuple[tuple[str, ...], LockRequest], run_dir: Path) -> None:
        self._asked, self._run_dir = asked, run_dir
        self._stopped = threading.Event()

    def __enter__(self) -> NewestSearch:  # noqa: PYI034  (Self needs Python 3.11)
        self._pool = thread_pool(1)
        self._looking = self._pool.submit(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def is_for(self, asked: tuple[tuple[str, ...], LockRequest]) -> bool:
        """Whether this is what is looked for: lines, and where and for what."""
        return self._asked == asked

    def result(self) -> Mapping[str, str]:
        """Wait for the versions by name, and return them; raises what `lock.solve.newest_versions` raises."""
        return self._looking.result()

    def _look(self) -> Mapping[str, str]:
        lines, request = self._asked
        if not lines:
            return {}
        try:
            offer = write_offer((), request, self._folder())
            return newest_versions(lines, offer, request, folder=self._folder(), stopped=self._stopped)
        except UvStopped:
            return {}

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="newest-", dir=self._run_dir))
