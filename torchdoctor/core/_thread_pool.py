"""The executor of `core.threads`: a module of its own, because concurrent.futures takes 17 ms to import."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["ThreadPool"]


class ThreadPool(ThreadPoolExecutor):
    """Runs each call in a copy of its caller's context, as `asyncio.to_thread` does."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Schedule `fn(*args, **kwargs)`, as the base class does."""
        return super().submit(copy_context().run, fn, *args, **kwargs)
