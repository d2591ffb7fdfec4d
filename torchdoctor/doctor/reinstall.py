"""Which build to install where the installed one is wrong or damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchdoctor.core.versions import public_version
from torchdoctor.doctor.lost_torch import lost_torch
from torchdoctor.doctor.pip_leftovers import removable_leftovers, unrecorded_packages
from torchdoctor.doctor.recorded_family import REPLACED, asked_besides_torch, recorded_requests
from torchdoctor.doctor.repair_model import Reinstall
from torchdoctor.doctor.stale_metadata import stale_metadata
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request, resolve
from wheels_index import COMPANIONS, TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.resolve import Plan
    from wheels_index import Snapshot

__all__ = ["damaged_in", "plan_reinstall"]

# Beginnings of the names of packages that torch pins.
_OF_TORCH = ("nvidia-", "cuda-", "triton", "pytorch-triton")


def plan_reinstall(
    check_up: CheckUp, findings: tuple[str, ...], index: Snapshot, *, other_build: bool
) -> Reinstall | None:
    """Return the installation that repairs these findings; None where no build would.

    With `other_build` the build itself is wrong, and another one is chosen.
    """
    replaced = bool(REPLACED & set(findings))
    family = recorded_requests(check_up, _same_packages(check_up)) if replaced else ()
    for request in (*family, *_requests(check_up, other_build=other_build)):
        plan = _resolved(check_up, request, index)
        if plan is not None and not (other_build and _is_installed(plan, check_up, exactly=replaced)):
            release = SpecifierSet(f"=={plan.torch.version.public}")
            return Reinstall(
                findings=findings,
                plan=plan,
                request=replace(request, torch=release, variant=plan.variant),
                reinstall=damaged_in(check_up),
                unchanged=_unchanged(check_up, plan),
                leftovers=removable_leftovers(check_up) if "partial-install" in findings else (),
                asked=asked_besides_torch(check_up) if replaced else (),
                pins=_pins(check_up),
                kept=frozenset() if other_build else _belonging(check_up),
            )
    return None


def _is_installed(plan: Plan, check_up: CheckUp, *, exactly: bool) -> bool:
    """Whether the plan's torch is of the installed build, with `exactly` of the installed release too."""
    torch = check_up.inventory.torch.value
    if torch is None or plan.variant != torch.variant.value:
        return False
    return not exactly or public_version(torch.version) == plan.torch.version.public


def _same_packages(check_up: CheckUp) -> Request:
    """Any torch with the companions that are installed: one that is not was not asked for."""
    companions = {
        name: SpecifierSet() for name in COMPANIONS if getattr(check_up.inventory, name).value is not None
    }
    return Request(required=companions, excluded=frozenset(COMPANIONS) - set(companions))


def _pins(check_up: CheckUp) -> tuple[str, ...]:
    """Return the versions of damaged packages that torch does not bring along, such as NumPy's."""
    damaged = damaged_in(check_up) - set(TORCH_PROJECTS)
    return tuple(
        f"{package.name}=={public_version(package.version)}"
        for package in check_up.inventory.distributions.value or ()
        if package.name in damaged and package.kind == "wheel" and not package.name.startswith(_OF_TORCH)
    )


def _belonging(check_up: CheckUp) -> frozenset[str]:
    """Return torch, and its companions of which the installed version belongs to it."""
    torch = {"torch"} if check_up.inventory.torch.value is not None else set()
    return frozenset(_belonging_companions(check_up)) | torch


def _belonging_companions(check_up: CheckUp) -> dict[str, str | None]:
    """The companions, with their releases, that belong to the torch that is installed or missing."""
    if (lost := lost_torch(check_up.inventory)) is not None:
        return dict(lost.companions)
    return {
        match.name: public_version(match.version)
        for match in check_up.inventory.companions.value or ()
        if match.matches and match.same_variant is not False
    }


def _with_belonging(check_up: CheckUp, request: Request) -> Request:
    """Return the request with each companion that belongs at the version that is installed."""
    versions = {
        name: SpecifierSet(f"=={version}")
        for name, version in _belonging_companions(check_up).items()
        if name in request.required
    }
    return replace(request, required={**request.required, **versions})


def _requests(check_up: CheckUp, *, other_build: bool) -> Iterator[Request]:
    """What to ask the resolver for, the best first: the installed release if possible."""
    torch, lost = check_up.inventory.torch.value, lost_torch(check_up.inventory)
    version = public_version(torch.version) if torch else lost and lost.release
    same = _same_packages(check_up)
    absent = same.excluded
    same = replace(same, torch=SpecifierSet(f"=={version}") if version else None)
    if other_build:
        # The same release in the right build, else the build that fits best, whatever its release.
        yield from (same, replace(same, torch=None), Request(excluded=absent))
    elif lost is None or lost.release is not None:
        # Of several releases that go with the companions nothing says which one is missing.
        variant = torch.variant.value if torch else lost and lost.variant
        exact = _with_belonging(check_up, same)
        yield from (replace(exact, variant=variant or "auto"), replace(same, variant=variant or "auto"))


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
    stale = {str(folder / "RECORD") for folder in stale_metadata(inventory)}
    damaged = {
        check.name
        for check in inventory.records.value or ()
        if check.wrong_count and check.record not in stale
    }
    damaged |= unrecorded_packages(inventory)
    truncated = inventory.truncated.value or ()
    for package in inventory.copies.value or ():
        # All packages lie in one folder, and their modules and bundled libraries in folders of their names.
        own = tuple(f"{package.folder}/{package.name}{end}" for end in ("/", ".libs/"))
        if any(path.startswith(own) for path in truncated):
            damaged.add(package.name)
    return frozenset(damaged)
