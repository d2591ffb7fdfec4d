"""Whether the kernel killed a process because its container, service or job may have no more memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.system import host_system
from torchdoctor.detect.host.cgroup import memory_kills_count, probe_memory_limit

if TYPE_CHECKING:
    from torchdoctor.core.system import System
    from torchdoctor.verify.process_end import ProcessEnd

__all__ = ["MemoryKills"]


class MemoryKills:
    """The kills that the control groups of this process have counted, from now on."""

    def __init__(self, system: System | None = None) -> None:
        self._system = system if system is not None else host_system({})
        self._before = memory_kills_count(self._system)

    def limit_behind(self, end: ProcessEnd) -> tuple[str, ...]:
        """Return a sentence where the end is such a kill: English, as evidence by which the failure is found."""
        if end.code != "process-sigkill" or memory_kills_count(self._system) <= self._before:
            return ()
        limit = probe_memory_limit(self._system)
        if limit.value is None:
            return ()
        return (
            f"limit here: memory {limit.value} MiB ({limit.source}), and the kernel killed a process for it",
        )
