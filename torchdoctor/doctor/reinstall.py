"""Which build to install where the installed one is wrong or damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchdoctor.core.versions import public_version
from torchdoctor.doctor.pip_leftovers import removable_leftovers, unrecorded_packages
from torchdoctor.doctor.repair_model import Reinstall
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request, resolve
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.resolve import Plan
    from wheels_index import Snapshot

__all__ = ["damaged_in", "plan_reinstall"]


def plan_reinstall(
    check_up: CheckUp, findings: tuple[str, ...], index: Snapshot, *, other_build: bool
) -> Reinstall | None:
    """Return the installation that repairs these findings; None where no build would.

    With `other_build` the build itself is wrong, and another one is chosen.
    """
    torch = check_up.inventory.torch.value
    variant = torch.variant.value if torch else None
    for request in _requests(check_up, other_build=other_build):
        plan = _resolved(check_up, request, index)
        if plan is not None and not (other_build and plan.variant == variant):
            release = SpecifierSet(f"=={plan.torch.version.public}")
            return Reinstall(
                findings=findings,
                plan=plan,
                request=replace(request, torch=release, variant=plan.variant),
                reinstall=damaged_in(check_up),
                unchanged=_unchanged(check_up, plan),
                leftovers=removable_leftovers(check_up) if "partial-install" in findings else (),
            )
    return None


def _requests(check_up: CheckUp, *, other_build: bool) -> Iterator[Request]:
    """What to ask the resolver for, the best first: the installed release if possible."""
    torch = check_up.inventory.torch.value
    version = public_version(torch.version) if torch else None
    companions = {
        name: SpecifierSet() for name in COMPANIONS if getattr(check_up.inventory, name).value is not None
    }
    # A companion that is not installed was not asked for.
    absent = frozenset(COMPANIONS) - set(companions)
    same = Request(
        torch=SpecifierSet(f"=={version}") if version else None, required=companions, excluded=absent
    )
    if other_build:
        # The same release in the right build, else the build that fits best, whatever its release.
        yield from (same, replace(same, torch=None), Request(excluded=absent))
    else:
        variant = torch.variant.value if torch else None
        yield from (replace(same, variant=variant or "auto"), same)


def _resolved(check_up: CheckUp, request: Request, index: Snapshot) -> Plan | None:
    try:
        return resolve(check_up.detection.machine, request, index)
    except NoSolution:
        return None


def _unchanged(check_up: CheckUp, plan: Plan) -> frozenset[str]:
    """Packages of the plan that are installed in that very version; none where nothing would be left to report."""
    installed = {
        package.name: package.version
        for package in check_up.inventory.distributions.value or ()
        if package.kind == "wheel"
    }
    same = frozenset(
        package.name for package in plan.packages if installed.get(package.name) == str(package.version)
    )
    return same if len(same) < len(plan.packages) or damaged_in(check_up) else frozenset()


def damaged_in(check_up: CheckUp) -> frozenset[str]:
    """Return the packages whose files are not as they were installed."""
    inventory = check_up.inventory
    damaged = {check.name for check in inventory.records.value or () if check.wrong_count}
    damaged |= unrecorded_packages(inventory)
    truncated = inventory.truncated.value or ()
    for package in inventory.copies.value or ():
        if any(path.startswith(f"{package.folder}/") for path in truncated):
            damaged.add(package.name)
    return frozenset(damaged)
