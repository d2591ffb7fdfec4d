"""This machine and one environment -> Seen: every look side by side, each with a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import joined
from torchdoctor.core.system.background import Beside
from torchdoctor.doctor.model import Seen
from torchdoctor.doctor.moved_environment import scripts_of_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.system import World
    from torchdoctor.detect import Detection, PythonInfo
    from torchdoctor.doctor.model import Reach
    from torchdoctor.inventory import Inventory
    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve.model import Plan
    from torchdoctor.verify import CheckResult
    from wheels_index import Snapshot

__all__ = ["Looking", "look"]

_INDEX = "https://download.pytorch.org/whl"
_CONNECT_SECONDS = 2.0
# What shows that torch is there and finds the device; the rest of the proof is verify's.
_FIRST_CHECKS = ("import", "devices", "version")


@dataclass(frozen=True, kw_only=True, slots=True)
class Looking:
    """How far to look: `importing` runs the environment's Python with torch, `asking` connects to the index."""

    importing: bool = True
    asking: bool = True
    deep: bool = False


def look(world: World, python: PythonInfo, *, here: Path, cache: Path, index: Snapshot, how: Looking) -> Seen:
    """Look at the machine, the environment of `python`, the kernels and the way to the index."""
    from torchdoctor.detect import detect
    from torchdoctor.kernel import list_kernels

    reach = Beside(lambda: _reach(world, how))
    imported = Beside(lambda: _imported(world, python, how))
    detection = Beside(lambda: detect(world, python=python, cache=cache))
    kernels = Beside(lambda: list_kernels(world, prefixes=(python.prefix,)))
    inventory = _inventory(world, python, here, index, how)
    seen = detection.result()
    plan, unfit = _plan(seen, index)
    return Seen(
        python=python,
        detection=seen,
        inventory=inventory,
        kernels=_offered(kernels.result()),
        plan=plan,
        unfit=unfit,
        imported=imported.result(),
        reach=reach.result(),
        moved=scripts_of_elsewhere(world, python),
        elsewhere="" if inventory.torch.value else _elsewhere(world, python, here),
    )


def _elsewhere(world: World, python: PythonInfo, here: Path) -> str:
    """The first other environment that has torch: the usual reason why it is looked for here."""
    from torchdoctor.doctor.all_environments import environments

    rows = (row for row in environments(world, here=here) if row.torch and row.prefix != python.prefix)
    return next((f"{row.prefix}: torch {row.torch}" for row in rows), "")


def _inventory(world: World, python: PythonInfo, here: Path, index: Snapshot, how: Looking) -> Inventory:
    from torchdoctor.inventory import take_inventory

    return take_inventory(world, python, here=here, depth="hashes" if how.deep else "sizes", index=index)


def _offered(kernels: tuple[KernelState, ...]) -> tuple[KernelState, ...]:
    """The kernels that a notebook offers: not those that another of the same name hides."""
    return tuple(row for row in kernels if row.hidden_by is None)


def _plan(detection: Detection, index: Snapshot) -> tuple[Plan | None, str]:
    from torchdoctor.errors import NoSolution
    from torchdoctor.resolve.model import Request
    from torchdoctor.resolve.offline import plan_from_snapshot

    try:
        return plan_from_snapshot(detection.machine, Request(), index), ""
    except NoSolution as error:
        return None, joined((error.message, error.fix), "; ")


def _imported(world: World, python: PythonInfo, how: Looking) -> tuple[CheckResult, ...] | None:
    there = any((folder / "torch").is_dir() for folder in python.site_packages)
    if not how.importing or not there:
        return None
    from torchdoctor.verify import verify

    return verify(python.executable, only=_FIRST_CHECKS, environ=world.environ).checks


def _reach(world: World, how: Looking) -> Reach | None:
    if not how.asking:
        return None
    from torchdoctor.core.net.connectivity import probe_reach

    return probe_reach(_INDEX, world.environ, seconds=_CONNECT_SECONDS)
