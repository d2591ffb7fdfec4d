"""Commands that are run before their turn, while the program still loads what it needs."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from torchdoctor.core.system.host import HostSystem
from torchdoctor.core.system.model import PROBE_SECONDS
from torchdoctor.core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchdoctor.core.system.model import Completed

__all__ = ["PrefetchingSystem", "prefetch"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefetchingSystem(HostSystem):
    """This computer, on which some commands have been begun already; each answers once."""

    begun: dict[tuple[str, ...], Future[Completed]] = field(default_factory=dict)

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """What the command that was begun says, else what it says now."""
        begun = self.begun.pop(tuple(map(str, argv)), None)
        return begun.result() if begun is not None else HostSystem.run(self, argv, timeout=timeout)


def prefetch(
    environ: Mapping[str, str], commands: Iterable[Sequence[str]], *, timeout: float
) -> PrefetchingSystem:
    """Begin the commands side by side; each is stopped after `timeout` seconds."""
    system = PrefetchingSystem(environ=environ)
    for argv in commands:
        future: Future[Completed] = Future()
        system.begun[tuple(argv)] = future
        # Nobody waits at the end of the program for an answer that was not asked for.
        start_thread(partial(_run, environ, argv, timeout, future))
    return system


def _run(environ: Mapping[str, str], argv: Sequence[str], timeout: float, future: Future[Completed]) -> None:
    try:
        future.set_result(HostSystem(environ=environ).run(argv, timeout=timeout))
    except BaseException as error:  # noqa: BLE001  (it goes on in the thread that asks)
        future.set_exception(error)
