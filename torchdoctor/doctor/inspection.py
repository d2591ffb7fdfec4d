"""This machine and one environment -> CheckUp: everything is looked at in parallel, each with a time limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined
from torchdoctor.core.system.background import BackgroundCall
from torchdoctor.doctor.hold_state import hold_state
from torchdoctor.doctor.library_state import library_state
from torchdoctor.doctor.model import CheckUp
from torchdoctor.doctor.moved_environment import scripts_of_elsewhere
from torchdoctor.doctor.stack import inspect_stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torchdoctor.core.net import Reach
    from torchdoctor.core.system import System
    from torchdoctor.detect import Detection, PythonInfo
    from torchdoctor.inventory import Inventory
    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve import Plan
    from torchdoctor.verify import CheckResult
    from wheels_index import Snapshot

__all__ = ["InspectOptions", "inspect"]

_INDEX = "https://download.pytorch.org/whl"
_CONNECT_SECONDS = 2.0
# They show whether torch can be imported and finds a device; `verify` runs all others.
_FIRST_CHECKS = ("import", "devices", "version")
# What was asked for is imported too, and what is compiled against torch; what else lacks can be read.
_PACKAGES = "packages"


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectOptions:
    """How far to look."""

    importing: bool = True  # run the environment's Python and import torch
    packages: bool = True  # import what was asked for too, and what is compiled against torch
    asking: bool = True  # connect to the index of PyTorch
    deep: bool = False  # compare the hashes of all files, not only their sizes


def inspect(
    system: System,
    python: PythonInfo,
    *,
    here: Path,
    cache: Path,
    index: Snapshot,
    options: InspectOptions,
    on_progress: Callable[[int, int], object] | None = None,
) -> CheckUp:
    """Return what is found: the machine, the environment of `python`, the kernels, and whether the index answers.

    `here` is the current folder, `cache` the folder of downloaded wheels. `on_progress` is called, in another thread,
    with how many packages have been imported and of how many. What cannot be found out is unknown in the result;
    nothing is raised for it.
    """
    from torchdoctor.detect import detect
    from torchdoctor.kernel import list_kernels

    reach = BackgroundCall(lambda: _reach(system, options))
    imported = BackgroundCall(lambda: _imported(system, python, options, on_progress))
    detection = BackgroundCall(lambda: detect(system, python=python, cache=cache))
    kernels = BackgroundCall(lambda: list_kernels(system, prefixes=(python.prefix,)))
    inventory = _inventory(system, python, here, index, options)
    detected = detection.result()
    plan, unfit = _plan(detected, index)
    return CheckUp(
        python=python,
        detection=detected,
        inventory=inventory,
        kernels=_offered(kernels.result()),
        plan=plan,
        same_family=_plan_in_family(detected, inventory, index, plan),
        unfit=unfit,
        imported=_of_torch(imported.result()),
        packages=_of_packages(imported.result()),
        stack=inspect_stack(inventory, python),
        reach=reach.result(),
        libraries=library_state(python, detected),
        moved=scripts_of_elsewhere(system, python),
        hold=hold_state(python),
        elsewhere="" if inventory.torch.value else _elsewhere(system, python, here),
    )


def _elsewhere(system: System, python: PythonInfo, here: Path) -> str:
    """The first other environment that has torch: often the reason why it is missing in this one."""
    from torchdoctor.doctor.all_environments import environments

    others = (
        environment
        for environment in environments(system, here=here)
        if environment.torch and environment.prefix != python.prefix
    )
    return next((f"{environment.prefix}: torch {environment.torch}" for environment in others), "")


def _inventory(
    system: System, python: PythonInfo, here: Path, index: Snapshot, options: InspectOptions
) -> Inventory:
    from torchdoctor.inventory import collect_inventory

    return collect_inventory(
        system, python, here=here, depth="hashes" if options.deep else "sizes", index=index
    )


def _offered(kernels: tuple[KernelState, ...]) -> tuple[KernelState, ...]:
    """The kernels that a notebook offers: without those that another one of the same name hides."""
    return tuple(kernel for kernel in kernels if kernel.hidden_by is None)


def _plan(detection: Detection, index: Snapshot) -> tuple[Plan | None, str]:
    from torchdoctor.errors import NoSolution
    from torchdoctor.resolve import Request, resolve

    try:
        return resolve(detection.machine, Request(), index), ""
    except NoSolution as error:
        return None, joined((error.message, error.fix), "; ")


def _plan_in_family(
    detection: Detection, inventory: Inventory, index: Snapshot, plan: Plan | None
) -> Plan | None:
    """The newest build of the family that is installed: what an upgrade that loses nothing would be."""
    from torchdoctor.errors import NoSolution
    from torchdoctor.resolve import Request, resolve
    from torchdoctor.resolve.family_order import cannot_use_gpu
    from wheels_index import UnknownVariant

    torch = inventory.torch.value
    family = torch.variant.value if torch is not None else None
    if torch is None or family is None or (plan is not None and plan.variant == family):
        return plan
    if cannot_use_gpu(detection.machine, torch.version or "", family, index):
        return plan
    try:
        return resolve(detection.machine, Request(variant=family, allow_cuda_without_gpu=True), index)
    except (NoSolution, UnknownVariant):
        return None


def _imported(
    system: System,
    python: PythonInfo,
    options: InspectOptions,
    on_progress: Callable[[int, int], object] | None,
) -> tuple[CheckResult, ...] | None:
    there = any((folder / "torch").is_dir() for folder in python.site_packages)
    if not options.importing or not there:
        return None
    from torchdoctor.verify import verify

    checks = (*_FIRST_CHECKS, *([_PACKAGES] if options.packages else []))
    return verify(
        python.executable, only=checks, quick=True, environ=system.environ, on_progress=on_progress
    ).checks


def _of_torch(checks: tuple[CheckResult, ...] | None) -> tuple[CheckResult, ...] | None:
    return None if checks is None else tuple(check for check in checks if not _is_of_package(check))


def _of_packages(checks: tuple[CheckResult, ...] | None) -> tuple[CheckResult, ...] | None:
    found = tuple(check for check in checks or () if _is_of_package(check))
    return found or None


def _is_of_package(check: CheckResult) -> bool:
    return check.id.partition(":")[0] in ("package", _PACKAGES)


def _reach(system: System, options: InspectOptions) -> Reach | None:
    if not options.asking:
        return None
    from torchdoctor.core.net import probe_connectivity

    return probe_connectivity(_INDEX, system.environ, seconds=_CONNECT_SECONDS)
