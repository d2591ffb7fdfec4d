"""Does one build fit one machine: the driver, the GPUs' generations, the C library, with the numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.core.versions import parse_numeric_version
from wheels_index import covers, gpu, nearest_arch_list, nearest_gfx, rules, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.detect import Machine, NvidiaGpu
    from wheels_index import Release, Variant

__all__ = [
    "Compatibility",
    "check_compatibility",
    "driver_column",
    "python_satisfies",
    "refuse_platform",
    "supported_intel",
]

Coverage = Literal["all", "some", "none"]
Limits = Literal["known", "rule", "unknown"]

# Newer than any driver: what a build would reach if only the driver were updated.
_NEWEST = (99999,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compatibility:
    """How well a variant fits: `because` says why (or why not), `left_out` names GPUs it has no code for.

    A build that is not `installable` cannot be loaded here at all; one that only finds no GPU can. `limits`
    says whether what the build needs is written down, taken from the nearest build's `rule`, or `unknown`.
    `ptx` names GPUs that it reaches only through code compiled at the first use; `reach` is the highest compute
    capability that it covers.
    """

    coverage: Coverage
    because: str
    left_out: tuple[str, ...] = ()
    needs_driver: str | None = None
    installable: bool = True
    limits: Limits = "known"
    ptx: tuple[str, ...] = ()
    reach: tuple[int, int] = (0, 0)


def driver_column(machine: Machine) -> Literal["linux", "windows"]:
    """Which column of driver minima holds: under WSL the driver is the Windows one.

    https://docs.nvidia.com/cuda/wsl-user-guide/
    """
    return "windows" if machine.os == "windows" or machine.wsl else "linux"


def refuse_platform(machine: Machine, release: Release) -> str | None:
    """Why no build of this release can run on this machine, whatever its GPU; None when one can."""
    platform = machine.platform
    if machine.python.bits != 64:  # noqa: PLR2004
        return message("torch has no build for a {bits}-bit Python", bits=machine.python.bits)
    builds = release.platforms.get(platform) if platform else None
    if builds is None or not builds.variants:
        return message(
            "torch {version} has no build for {system}", version=release.version, system=_system(machine)
        )
    if machine.libc is not None and machine.libc.name == "musl":
        return message("no torch wheel is built for musl; use a glibc system or container")
    pythons = (*builds.pythons, *builds.index_only_pythons)
    label = machine.python_label
    if machine.python.implementation != "cpython":
        return message(
            "torch has wheels for CPython only, not {implementation}",
            implementation=machine.python.implementation,
        )
    # Where PyPI has no file at all, files seen elsewhere are some of the Pythons and not the list of them.
    if builds.pythons and label not in pythons:
        return message(
            "torch {version} has no build for Python {label} ({span})",
            version=release.version,
            label=label,
            span=_span(pythons),
        )
    declared = release.requires_python
    if not python_satisfies(declared, machine.python.version):
        return message(
            "torch {version} has no build for Python {label} (it declares {declared})",
            version=release.version,
            label=label,
            declared=declared,
        )
    floor = builds.macos_floor(label) if machine.os == "macos" else None
    found = parse_numeric_version(machine.os_version)
    if floor is not None and found is not None and found < floor:
        need = ".".join(map(str, floor))
        return message(
            "torch {version} needs macOS ≥ {need} for Python {label}; this machine has {os_version}",
            version=release.version,
            need=need,
            label=label,
            os_version=machine.os_version,
        )
    return None


def check_compatibility(machine: Machine, release: Release, name: str) -> Compatibility:
    """How the variant `name` of `release` fits the machine's C library, driver and GPUs."""
    builds = release.platforms[machine.platform or ""]
    floor = builds.glibc_floor(name)
    found = _glibc(machine)
    if floor is not None and found is not None and found < floor:
        need, have = (".".join(map(str, part)) for part in (floor, found))
        because = message(
            "torch {version}+{name} needs glibc ≥ {need}; this machine has {have}",
            version=release.version,
            name=name,
            need=need,
            have=have,
        )
        return Compatibility(coverage="none", because=because, installable=False)
    build = variant(name)
    checks: dict[str, Callable[[Machine, Release, Variant], Compatibility]] = {
        "cuda": _fit_cuda,
        "rocm": _fit_rocm,
        "xpu": _fit_xpu,
    }
    check = checks.get(build.kind)
    if check is None:
        return Compatibility(coverage="all", because=message("the CPU build runs on any machine"))
    return check(machine, release, build)


def _fit_cuda(machine: Machine, release: Release, build: Variant) -> Compatibility:
    if machine.nvidia is None or not (machine.nvidia.driver or machine.nvidia.gpus):
        return Compatibility(
            coverage="none", because=message("{name} needs an NVIDIA GPU; none was found", name=build.name)
        )
    driver = parse_numeric_version(machine.nvidia.driver)
    found = (
        message("this machine has {driver}", driver=machine.nvidia.driver)
        if machine.nvidia.driver
        else message("none was found")
    )
    least = build.minimum_driver.get(driver_column(machine))
    if driver is not None and (least is None or driver >= (parse_numeric_version(least) or ())):
        return _fit_gpus(machine, release, build, driver)
    updated = _fit_gpus(machine, release, build, _NEWEST)
    if updated.coverage == "none":
        return updated
    needs = message("driver ≥ {least}", least=least) if least else message("an NVIDIA driver")
    return Compatibility(
        coverage="none",
        because=message("{name} needs {what}; {found}", name=build.name, what=needs, found=found),
        needs_driver=least,
    )


def _fit_gpus(machine: Machine, release: Release, build: Variant, driver: tuple[int, ...]) -> Compatibility:
    assert machine.nvidia is not None  # noqa: S101  (the caller has looked)
    judged = [(card, _gap(machine, release, build, card, driver)) for card in machine.nvidia.gpus]
    gaps = [(card, gap) for card, gap in judged if gap is not None and gap.why]
    covered = [_capability(card) or (0, 0) for card, gap in judged if gap is None or not gap.why]
    ptx = tuple(card.name for card, gap in judged if gap is not None and not gap.why)
    if not gaps:
        least = build.minimum_driver.get(driver_column(machine))
        limit = (
            message("needs driver ≥ {least}", least=least)
            if least
            else message("its least driver is unknown")
        )
        archs = nearest_arch_list(release.version, build.name, machine.platform or "")
        because = message(
            "{name} {limit}; this machine has {driver}{by_rule}",
            name=build.name,
            limit=limit,
            driver=machine.nvidia.driver,
            by_rule=_by_rule(build.rule, archs.rule if archs else None),
        )
        return Compatibility(
            coverage="all", because=because, limits="known" if least is not None else "unknown", ptx=ptx
        )
    because = joined(dict.fromkeys(gap.why for _, gap in gaps), "; ")
    if not covered:
        needs = next((gap.needs_driver for _, gap in gaps if gap.needs_driver), None)
        return Compatibility(coverage="none", because=because, needs_driver=needs)
    left_out = tuple(card.name for card, _ in gaps)
    return Compatibility(coverage="some", because=because, left_out=left_out, ptx=ptx, reach=max(covered))


def _capability(card: NvidiaGpu) -> tuple[int, int] | None:
    text = card.compute_capability
    if text is None:
        known = gpu(card.name)
        return known.compute_capability if known else None
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gap:
    """Why a GPU cannot run a build, `needs_driver` when a newer driver would close it; no `why`: through PTX alone."""

    why: str
    needs_driver: str | None = None


def _gap(
    machine: Machine, release: Release, build: Variant, card: NvidiaGpu, driver: tuple[int, ...]
) -> _Gap | None:
    """What keeps the build from this GPU; None when nothing does, or when nobody knows."""
    capability = _capability(card)
    archs = nearest_arch_list(release.version, build.name, machine.platform or "")
    if capability is None or archs is None:
        return None
    how = covers(archs, capability, toolkit=build.toolkit)
    gpu_name = message(
        "{name} (compute capability {value})", name=card.name, value=".".join(map(str, capability))
    )
    if how is None:
        return _Gap(
            why=message(
                "torch {version}+{name} has no code for {gpu_name}",
                version=release.version,
                name=build.name,
                gpu_name=gpu_name,
            )
        )
    column = driver_column(machine)
    leasts = [rules().blackwell_minimum_driver[column]] if capability >= rules().blackwell_from else []
    if how == "ptx":
        # Minor version compatibility covers compiled code only; PTX needs the toolkit's own driver.
        # https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
        leasts += [text for text in [build.toolkit_driver.get(column)] if text]
    least = max(leasts, key=lambda text: parse_numeric_version(text) or (), default=None)
    if least is not None and driver < (parse_numeric_version(least) or ()):
        return _Gap(
            why=message(
                "{gpu_name} needs driver ≥ {least} with {name}",
                gpu_name=gpu_name,
                least=least,
                name=build.name,
            ),
            needs_driver=least,
        )
    return _Gap(why="") if how == "ptx" else None


def _fit_rocm(machine: Machine, release: Release, build: Variant) -> Compatibility:
    cards = machine.amd.gpus if machine.amd else ()
    if not cards:
        return Compatibility(
            coverage="none", because=message("{name} needs an AMD GPU; none was found", name=build.name)
        )
    targets, rule = nearest_gfx(build.name) or ((), None)
    usable = set(targets) - set(build.blas_unusable_gfx)
    left = tuple(card.name or card.gfx or "AMD GPU" for card in cards if card.gfx not in usable)
    if not left:
        because = message(
            "{name} has code for {gfx}{by_rule}",
            name=build.name,
            gfx=joined(_gfx(cards)),
            by_rule=_by_rule(rule, build.rule),
        )
        return Compatibility(coverage="all", because=because, limits="rule" if rule else "known")
    without_blas = [card for card in cards if card.gfx in build.blas_unusable_gfx]
    if without_blas:
        names = joined(f"{card.name or 'AMD GPU'} ({card.gfx})" for card in without_blas)
        because = message("rocBLAS in {name} has no kernels for {names}", name=build.name, names=names)
    elif rule is not None:
        because = message(
            "{name} is not known to have code for {left}{by_rule}",
            name=build.name,
            left=joined(left),
            by_rule=_by_rule(rule),
        )
    else:
        because = message(
            "torch {version}+{name} has no code for {left}",
            version=release.version,
            name=build.name,
            left=joined(left),
        )
    coverage: Coverage = "some" if len(left) < len(cards) else "none"
    return Compatibility(
        coverage=coverage, because=because, left_out=left, limits="rule" if rule else "known"
    )


def _by_rule(*rules_applied: str | None) -> str:
    """The rules that stand in for facts about a build that is newer than them."""
    named = [rule for rule in rules_applied if rule]
    return message(" ({rules})", rules=joined(named, "; ")) if named else ""


def _gfx(cards: Sequence[object]) -> list[str]:
    return sorted({str(getattr(card, "gfx", None)) for card in cards})


def supported_intel(name: str) -> bool:
    """Whether PyTorch supports an Intel GPU of this name."""
    return re.search(r"\bArc\b|Data Center GPU Max", name) is not None


def python_satisfies(requires_python: str | None, version: str) -> bool:
    """Whether a declared `Requires-Python` takes a Python version; what cannot be read declares nothing."""
    try:
        return requires_python is None or SpecifierSet(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def _fit_xpu(machine: Machine, release: Release, build: Variant) -> Compatibility:
    # Older integrated graphics (UHD, Iris Xe) start and are not supported:
    # https://docs.pytorch.org/docs/2.15/notes/get_start_xpu.html
    names = [card.name for card in machine.intel.gpus] if machine.intel else []
    if not names:
        return Compatibility(
            coverage="none", because=message("{name} needs an Intel GPU; none was found", name=build.name)
        )
    good = [name for name in names if supported_intel(name)]
    if not good:
        return Compatibility(
            coverage="none",
            because=message(
                "PyTorch's {name} build does not support {names}", name=build.name, names=joined(names)
            ),
        )
    return Compatibility(
        coverage="all",
        because=message("torch {version} supports {good}", version=release.version, good=joined(good)),
    )


def _glibc(machine: Machine) -> tuple[int, ...] | None:
    if machine.libc is None or machine.libc.name != "glibc":
        return None
    return parse_numeric_version(machine.libc.version)


def _system(machine: Machine) -> str:
    return f"{machine.os} {machine.arch}"


def _span(pythons: Sequence[str]) -> str:
    return (
        message("it has {first} to {last}", first=pythons[0], last=pythons[-1])
        if pythons
        else message("it has none")
    )
