"""Commands that are run before their turn, while the program still loads what it needs."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.system.host import PROBE_SECONDS, RealWorld

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchdoctor.core.system.host import Completed

__all__ = ["AheadWorld", "begin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AheadWorld(RealWorld):
    """This computer, on which some commands have been begun already; each answers once."""

    begun: dict[tuple[str, ...], Future[Completed]] = field(default_factory=dict)

    def run(self, argv: Sequence[str], *, timeout: float = PROBE_SECONDS) -> Completed:
        """What the command that was begun says, else what it says now."""
        begun = self.begun.pop(tuple(map(str, argv)), None)
        return begun.result() if begun is not None else RealWorld.run(self, argv, timeout=timeout)


def begin(environ: Mapping[str, str], commands: Iterable[Sequence[str]], *, timeout: float) -> AheadWorld:
    """Begin the commands side by side; each is stopped after `timeout` seconds."""
    world = AheadWorld(environ=environ)
    for argv in commands:
        future: Future[Completed] = Future()
        world.begun[tuple(argv)] = future
        # Nobody waits at the end of the program for an answer that was not asked for.
        threading.Thread(target=_run, args=(environ, argv, timeout, future), daemon=True).start()
    return world


def _run(environ: Mapping[str, str], argv: Sequence[str], timeout: float, future: Future[Completed]) -> None:
    try:
        future.set_result(RealWorld(environ=environ).run(argv, timeout=timeout))
    except BaseException as error:  # noqa: BLE001  (it goes on in the thread that asks)
        future.set_exception(error)
