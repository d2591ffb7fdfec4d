"""The build of torch that fits the machine of a report, as the resolver chooses it from the bundled data."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.asked import asked_torch, pinned_torch
from torchdoctor.diagnose.derived import (
    capabilities,
    machine_of,
    operating_system,
    platform_of,
    torch_build,
    torch_version,
)

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.resolve import Plan

__all__ = ["fitting_plan", "newest_plan", "newest_plan_of_family", "pip_command"]

# Runs every build that a GPU of the Blackwell generation needs, and is two years old.
_USUAL_DRIVER = "570.124.06"


def fitting_plan(evidence: Evidence) -> Plan | None:
    """Return the plan of the pinned or installed torch in the build that fits, else of the newest torch that fits.

    None where the evidence does not say enough, and instead of the CPU build, which is no fix for a GPU.
    """
    installed = torch_version(evidence)
    for release in dict.fromkeys((pinned_torch(evidence), installed.public if installed else None)):
        same = _plan(evidence, release) if release else None
        if same is not None and same.variant != "cpu" and _runs_natively(evidence, same):
            return same
    newest = _plan(evidence, None)
    return newest if newest is not None and newest.variant != "cpu" else None


def newest_plan(evidence: Evidence) -> Plan | None:
    """Return the plan of the torch that was asked for, else of the newest: for a machine that has none yet."""
    asked = asked_torch(evidence)
    plan = _plan(evidence, asked) if asked else None
    return plan if plan is not None and _runs_natively(evidence, plan) else _plan(evidence, None)


def newest_plan_of_family(evidence: Evidence) -> Plan | None:
    """Return the plan of the newest torch in the family of builds that is installed, of any where none is.

    None where the family has none for this machine.
    """
    build = torch_build(evidence) if torch_version(evidence) is not None else None
    return newest_plan(evidence) if build is None else _plan(evidence, None, build)


def pip_command(evidence: Evidence, plan: Plan, installer: str) -> str:
    """Return the command by which `installer` (`python -m pip install`) installs the packages of the plan.

    The build in the version (`==2.9.1+cu126`) has pip replace another build of that release, and nothing else.
    """
    if operating_system(evidence) == "macos":
        pins = " ".join(f"{package.name}=={package.version.public}" for package in plan.packages)
        return f"{installer} {pins}"
    pins = " ".join(f"{package.name}=={package.version}" for package in plan.packages)
    return f"{installer} {pins} --index-url {plan.index_url}"


@lru_cache(maxsize=8)
def _plan(evidence: Evidence, torch: str | None, variant: str = "auto") -> Plan | None:
    """Return the resolver's plan; if the system is not known, that of Windows if Linux has the same build."""
    if operating_system(evidence) is not None:
        return _plan_on(evidence, torch, variant, None)
    from wheels_index import bundled

    plan = _plan_on(evidence, torch, variant, "windows")
    if plan is None:
        return None
    builds = bundled().release(Version(plan.torch.version.public)).platforms.get("linux_x86_64")
    return plan if builds is not None and plan.variant in builds.variants else None


def _plan_on(evidence: Evidence, torch: str | None, variant: str, system: str | None) -> Plan | None:
    from packaging.specifiers import SpecifierSet

    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.resolve import Request, resolve

    machine = machine_of(evidence, system=system, usual_driver=_USUAL_DRIVER)
    if machine is None:
        return None
    try:
        return resolve(machine, Request(torch=SpecifierSet(f"=={torch}") if torch else None, variant=variant))
    except TorchdoctorError:
        return None


def _runs_natively(evidence: Evidence, plan: Plan) -> bool:
    """Whether the build has compiled code for every GPU: the PTX code of an old build is no fix."""
    from wheels_index import covers, nearest_arch_list, variant

    targets = nearest_arch_list(Version(plan.torch.version.public), plan.variant, platform_of(evidence))
    toolkit = variant(plan.variant).toolkit
    return targets is None or all(
        covers(targets, device, toolkit=toolkit) == "native" for device, _ in capabilities(evidence)
    )
