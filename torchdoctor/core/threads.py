"""Threads that go on in the context of the one that starts them: its language, for example."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["start_thread", "thread_pool"]


def start_thread(work: Callable[[], object]) -> threading.Thread:
    """Run `work` in a thread that does not keep the program alive, and return the thread."""
    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    thread.start()
    return thread


def thread_pool(max_workers: int) -> ThreadPoolExecutor:
    """Return an executor of which each call runs in the context of its `submit` or `map`."""
    from torchdoctor.core._thread_pool import ThreadPool

    return ThreadPool(max_workers)
