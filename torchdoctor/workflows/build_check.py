"""Find wheels that are of another build than the plan says, by the version module inside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed, SourceFailed
from torchdoctor.inventory.build_variant import variant_of_version_file
from torchdoctor.resolve.model import LeftOut
from torchdoctor.sources.wheel_variant import variant_inside_wheel
from torchdoctor.workflows.wheel_reading import opened_wheel
from wheels_index import COMPANIONS
from wheels_index.binary import BinaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.lock import LockedWheel
    from torchdoctor.resolve import Plan
    from wheels_index.binary import WheelFile

_SECONDS = 20.0
_MAX_BYTES = 64 * 1024

__all__ = [
    "OtherBuild",
    "drop_companion",
    "find_other_build",
    "find_other_build_before_fetch",
    "skip_other_builds",
]


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


def find_other_build_before_fetch(
    plan: Plan, wheels: Sequence[LockedWheel], cache: Path, *, offline: bool
) -> OtherBuild | None:
    """Return the first companion whose file, read where it is, says that it is of another build than the plan.

    Only files are read whose names do not tell; None too where they cannot be read in pieces.
    """
    for wheel in wheels:
        if wheel.name in COMPANIONS and "+" not in wheel.version:
            with opened_wheel(wheel, cache, offline=offline, seconds=_SECONDS) as opened:
                variant = _variant_in(opened[0], wheel.name) if opened is not None else None
            if variant is not None and variant != plan.variant:
                return OtherBuild(name=wheel.name, variant=variant)
    return None


def _variant_in(file: WheelFile, project: str) -> str | None:
    info = file.members.get(f"{project}/version.py")
    if info is None or info.file_size > _MAX_BYTES:
        return None
    try:
        return variant_of_version_file(b"".join(file.unpacked(info.filename)).decode("utf-8", "replace"))
    except (BinaryError, SourceFailed, OSError):
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
