"""Find wheels that are of another build than the plan says, by the version module inside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed
from torchdoctor.resolve.model import LeftOut
from torchdoctor.sources.wheel_variant import variant_inside_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.resolve import Plan

__all__ = ["OtherBuild", "drop_companion", "find_other_build", "skip_other_builds"]


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherBuild:
    """A package whose wheel is a build of another variant than the plan's."""

    name: str
    variant: str


def find_other_build(plan: Plan, wheels: Sequence[FetchedWheel]) -> OtherBuild | None:
    """Return the first wheel of the plan's packages that is of another build; None where all belong together."""
    planned = {package.name for package in plan.packages}
    for fetched in wheels:
        if fetched.wheel.name in planned:
            variant = variant_inside_wheel(fetched.path, fetched.wheel.name)
            if variant is not None and variant != plan.variant:
                return OtherBuild(name=fetched.wheel.name, variant=variant)
    return None


def skip_other_builds(
    plan: Plan, on_file: Callable[[FetchedWheel], None] | None
) -> Callable[[FetchedWheel], None] | None:
    """Return `on_file` for the wheels of the plan's build only."""
    if on_file is None:
        return None

    def on_matching_file(fetched: FetchedWheel) -> None:
        if find_other_build(plan, (fetched,)) is None:
            on_file(fetched)

    return on_matching_file


def drop_companion(plan: Plan, other: OtherBuild, required: Container[str], report: Reporter) -> Plan:
    """Return the plan without a companion of another build; raises `InstallFailed` for torch and for `required`."""
    name = other.name
    reason = message(
        "its file is a {built} build, and this environment is {variant}",
        built=other.variant,
        variant=plan.variant,
    )
    if name == "torch" or name in required:
        raise InstallFailed(
            message("{name} cannot be installed: {reason}", name=name, reason=reason),
            fix=message(
                "name a source that has {name} as a {variant} build, or ask for `--variant {built}`",
                name=name,
                variant=plan.variant,
                built=other.variant,
            ),
            code="foreign-build",
        )
    report.warn(message("{name} is left out: {reason}", name=name, reason=reason))
    return replace(
        plan,
        packages=tuple(package for package in plan.packages if package.name != name),
        left_out=(*plan.left_out, LeftOut(name=name, reason=reason)),
    )
