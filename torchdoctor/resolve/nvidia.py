"""Whether a CUDA build fits the machine's NVIDIA GPUs: the driver is new enough, and the build has code for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.gpu_capability import capability_of
from torchdoctor.resolve.model import Compatibility
from torchdoctor.resolve.stand_in_rules import stand_in_rules
from wheels_index import covers, nearest_arch_list, rules

if TYPE_CHECKING:
    from torchdoctor.detect import Machine, NvidiaGpu
    from torchdoctor.resolve.model import CompatibilityCode
    from wheels_index import Release, Variant

__all__ = ["check_cuda"]

# Newer than any driver: what a build would reach if only the driver were updated.
_NEWEST_DRIVER = (99999,)


def check_cuda(machine: Machine, release: Release, build: Variant) -> Compatibility:
    """Return how a CUDA build fits the machine's NVIDIA driver and GPUs."""
    if machine.nvidia is None or not (machine.nvidia.driver or machine.nvidia.gpus):
        return Compatibility(
            coverage="none",
            code="no-gpu",
            reason=message("{name} needs an NVIDIA GPU; none was found", name=build.name),
        )
    driver = parse_numeric_version(machine.nvidia.driver)
    minimum = build.minimum_driver.get(_driver_column(machine))
    if driver is not None and (minimum is None or driver >= (parse_numeric_version(minimum) or ())):
        return _check_gpus(machine, release, build, driver)
    with_newest = _check_gpus(machine, release, build, _NEWEST_DRIVER)
    if with_newest.coverage == "none":
        return with_newest
    what = message("driver ≥ {least}", least=minimum) if minimum else message("an NVIDIA driver")
    found = (
        message("this machine has {driver}", driver=machine.nvidia.driver)
        if machine.nvidia.driver
        else message("none was found")
    )
    reason = message("{name} needs {what}; {found}", name=build.name, what=what, found=found)
    return Compatibility(coverage="none", code="driver-too-old", reason=reason, needs_driver=minimum)


def _driver_column(machine: Machine) -> Literal["linux", "windows"]:
    """Which column of driver minima holds: under WSL the driver is the Windows one.

    https://docs.nvidia.com/cuda/wsl-user-guide/
    """
    return "windows" if machine.os == "windows" or machine.wsl else "linux"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gap:
    """What stands between a build and a GPU."""

    code: CompatibilityCode
    reason: str
    needs_driver: str | None = None  # the driver that closes the gap


def _check_gpus(machine: Machine, release: Release, build: Variant, driver: tuple[int, ...]) -> Compatibility:
    assert machine.nvidia is not None  # noqa: S101  (check_cuda has looked)
    gaps: list[tuple[NvidiaGpu, _Gap]] = []
    covered: list[tuple[int, int]] = []
    ptx: list[str] = []
    for card in machine.nvidia.gpus:
        gap = _gap(machine, release, build, card, driver)
        if isinstance(gap, _Gap):
            gaps.append((card, gap))
            continue
        covered.append(capability_of(card) or (0, 0))
        if gap == "ptx":
            ptx.append(card.name)
    if not gaps:
        return _all_covered(machine, release, build, tuple(ptx))
    reason = joined(dict.fromkeys(gap.reason for _, gap in gaps), "; ")
    if not covered:
        needs_driver = next((gap.needs_driver for _, gap in gaps if gap.needs_driver), None)
        code: CompatibilityCode = "driver-too-old" if needs_driver else "no-code"
        return Compatibility(coverage="none", code=code, reason=reason, needs_driver=needs_driver)
    return Compatibility(
        coverage="some",
        code="some-gpus",
        reason=reason,
        left_out=tuple(card.name for card, _ in gaps),
        ptx=tuple(ptx),
        reach=max(covered),
    )


def _all_covered(machine: Machine, release: Release, build: Variant, ptx: tuple[str, ...]) -> Compatibility:
    minimum = build.minimum_driver.get(_driver_column(machine))
    is_own = build.name in release.gpu_code
    archs = None if is_own else nearest_arch_list(release.version, build.name, machine.platform or "")
    limit = (
        message("{name} needs driver ≥ {least}", name=build.name, least=minimum)
        if minimum
        else message("no source says which driver {name} needs", name=build.name)
    )
    reason = message(
        "{limit}; this machine has {driver}{by_rule}",
        limit=limit,
        driver=machine.nvidia.driver if machine.nvidia else None,
        by_rule=stand_in_rules(build.rule, archs.rule if archs else None),
    )
    limits: Literal["known", "unknown"] = "known" if minimum is not None else "unknown"
    return Compatibility(coverage="all", code="all-gpus", reason=reason, limits=limits, ptx=ptx)


def _gap(
    machine: Machine, release: Release, build: Variant, card: NvidiaGpu, driver: tuple[int, ...]
) -> _Gap | Literal["ptx"] | None:
    """What keeps the build from this GPU; `ptx` where only PTX reaches it; None for nothing, or nothing known."""
    capability = capability_of(card)
    own = release.gpu_code.get(build.name)
    if own is not None:
        return _gap_of_vendor(release, build, card, own)
    archs = nearest_arch_list(release.version, build.name, machine.platform or "")
    if capability is None or archs is None:
        return None
    served_by = covers(archs, capability, toolkit=build.toolkit)
    gpu_name = message(
        "{name} (compute capability {value})", name=card.name, value=".".join(map(str, capability))
    )
    if served_by is None:
        reason = message(
            "torch {version}+{name} has no code for {gpu_name}",
            version=release.version,
            name=build.name,
            gpu_name=gpu_name,
        )
        return _Gap(code="no-code", reason=reason)
    minimum = _minimum_driver(machine, build, capability, through_ptx=served_by == "ptx")
    if minimum is not None and driver < (parse_numeric_version(minimum) or ()):
        reason = message(
            "{gpu_name} needs driver ≥ {least} with {name}", gpu_name=gpu_name, least=minimum, name=build.name
        )
        return _Gap(code="driver-too-old", reason=reason, needs_driver=minimum)
    return "ptx" if served_by == "ptx" else None


def _gap_of_vendor(release: Release, build: Variant, card: NvidiaGpu, own: tuple[str, ...]) -> _Gap | None:
    """What keeps a vendor's own build, which has code for the GPUs `own` alone, from this GPU."""
    capability = ".".join(map(str, capability_of(card) or ()))
    if capability in own:
        return None
    name = message("{name} (compute capability {value})", name=card.name, value=capability or "?")
    return _Gap(
        code="no-code",
        reason=message(
            "torch {version}+{name} has no code for {gpu_name}",
            version=release.version,
            name=build.name,
            gpu_name=name,
        ),
    )


def _minimum_driver(
    machine: Machine, build: Variant, capability: tuple[int, int], *, through_ptx: bool
) -> str | None:
    """The oldest driver with which the build serves a GPU of this capability, where it needs more than the build."""
    column = _driver_column(machine)
    minima = [rules().blackwell_minimum_driver[column]] if capability >= rules().blackwell_from else []
    toolkit_driver = build.toolkit_driver.get(column)
    # Minor version compatibility covers compiled code only; PTX needs the toolkit's own driver.
    # https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
    if through_ptx and toolkit_driver:
        minima.append(toolkit_driver)
    return max(minima, key=lambda text: parse_numeric_version(text) or (), default=None)
