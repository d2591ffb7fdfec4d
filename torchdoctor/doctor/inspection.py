"""This machine and one environment -> Seen: every look side by side, each with a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import joined
from torchdoctor.core.system.background import BackgroundCall
from torchdoctor.doctor.model import CheckUp
from torchdoctor.doctor.moved_environment import scripts_of_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.net.connectivity import Reach
    from torchdoctor.core.system import System
    from torchdoctor.detect import Detection, PythonInfo
    from torchdoctor.inventory import Inventory
    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve.model import Plan
    from torchdoctor.verify import CheckResult
    from wheels_index import Snapshot

__all__ = ["InspectOptions", "inspect"]

_INDEX = "https://download.pytorch.org/whl"
_CONNECT_SECONDS = 2.0
# What shows that torch is there and finds the device; the rest of the proof is verify's.
_FIRST_CHECKS = ("import", "devices", "version")


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectOptions:
    """How far to look: `importing` runs the environment's Python with torch, `asking` connects to the index."""

    importing: bool = True
    asking: bool = True
    deep: bool = False


def inspect(
    system: System, python: PythonInfo, *, here: Path, cache: Path, index: Snapshot, how: InspectOptions
) -> CheckUp:
    """Look at the machine, the environment of `python`, the kernels and the way to the index."""
    from torchdoctor.detect import detect
    from torchdoctor.kernel import list_kernels

    reach = BackgroundCall(lambda: _reach(system, how))
    imported = BackgroundCall(lambda: _imported(system, python, how))
    detection = BackgroundCall(lambda: detect(system, python=python, cache=cache))
    kernels = BackgroundCall(lambda: list_kernels(system, prefixes=(python.prefix,)))
    inventory = _inventory(system, python, here, index, how)
    machine = detection.result()
    plan, unfit = _plan(machine, index)
    return CheckUp(
        python=python,
        detection=machine,
        inventory=inventory,
        kernels=_offered(kernels.result()),
        plan=plan,
        unfit=unfit,
        imported=imported.result(),
        reach=reach.result(),
        moved=scripts_of_elsewhere(system, python),
        elsewhere="" if inventory.torch.value else _elsewhere(system, python, here),
    )


def _elsewhere(system: System, python: PythonInfo, here: Path) -> str:
    """The first other environment that has torch: the usual reason why it is looked for here."""
    from torchdoctor.doctor.all_environments import environments

    rows = (row for row in environments(system, here=here) if row.torch and row.prefix != python.prefix)
    return next((f"{row.prefix}: torch {row.torch}" for row in rows), "")


def _inventory(
    system: System, python: PythonInfo, here: Path, index: Snapshot, how: InspectOptions
) -> Inventory:
    from torchdoctor.inventory import collect_inventory

    return collect_inventory(system, python, here=here, depth="hashes" if how.deep else "sizes", index=index)


def _offered(kernels: tuple[KernelState, ...]) -> tuple[KernelState, ...]:
    """The kernels that a notebook offers: not those that another of the same name hides."""
    return tuple(row for row in kernels if row.hidden_by is None)


def _plan(detection: Detection, index: Snapshot) -> tuple[Plan | None, str]:
    from torchdoctor.errors import NoSolution
    from torchdoctor.resolve import resolve
    from torchdoctor.resolve.model import Request

    try:
        return resolve(detection.machine, Request(), index), ""
    except NoSolution as error:
        return None, joined((error.message, error.fix), "; ")


def _imported(system: System, python: PythonInfo, how: InspectOptions) -> tuple[CheckResult, ...] | None:
    there = any((folder / "torch").is_dir() for folder in python.site_packages)
    if not how.importing or not there:
        return None
    from torchdoctor.verify import verify

    return verify(python.executable, only=_FIRST_CHECKS, environ=system.environ).checks


def _reach(system: System, how: InspectOptions) -> Reach | None:
    if not how.asking:
        return None
    from torchdoctor.core.net.connectivity import probe_connectivity

    return probe_connectivity(_INDEX, system.environ, seconds=_CONNECT_SECONDS)
