"""Asks every probe beside the others, gives up those that hang, and names what each left open."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fact import absent, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.system.background import BackgroundCall
from torchdoctor.core.system.host import DeadlineSystem
from torchdoctor.core.system.model import PROBE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["LIMIT_SECONDS", "Probe", "run_probes"]

LIMIT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Facts that are read together: their names, how they are asked for, and on which `sys.platform`."""

    names: tuple[str, ...]
    ask: Callable[[System, PythonInfo], Mapping[str, Fact[object]]]
    systems: tuple[str, ...] = ("linux",)


def run_probes(
    system: System, python: PythonInfo, probes: Sequence[Probe], *, seconds: float = LIMIT_SECONDS
) -> dict[str, Fact[Any]]:
    """Each name's fact, in the order of the probes.

    A probe that does not end, that fails or that leaves a name out makes its names unknown; one for another
    system makes them absent.
    """
    end = time.monotonic() + seconds
    share = min(PROBE_SECONDS, seconds * 0.9)
    running = [
        BackgroundCall(lambda probe=probe: probe.ask(DeadlineSystem(system, share), python))  # type: ignore[misc]
        if python.sys_platform in probe.systems
        else None
        for probe in probes
    ]
    facts: dict[str, Fact[Any]] = {}
    for probe, beside in zip(probes, running, strict=True):
        facts |= _answer(probe, beside, python, max(0.0, end - time.monotonic()), seconds)
    return facts


def _answer(
    probe: Probe,
    beside: BackgroundCall[Mapping[str, Fact[object]]] | None,
    python: PythonInfo,
    left: float,
    seconds: float,
) -> dict[str, Fact[object]]:
    if beside is None:
        return dict.fromkeys(probe.names, absent(message("{system} has none", system=python.sys_platform)))
    source = "the probe"
    try:
        said = beside.result(left)
    except TimeoutError:
        return dict.fromkeys(
            probe.names, unknown(message("it did not answer within {seconds:g} s", seconds=seconds), source)
        )
    except Exception as error:  # noqa: BLE001  (one probe's fault must not take the others along)
        return dict.fromkeys(probe.names, unknown(message("it failed: {error!r}", error=error), source))
    silent = unknown(message("it left this out"), source)
    return {name: said.get(name, silent) for name in probe.names}
