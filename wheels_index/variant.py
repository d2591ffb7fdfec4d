"""What each variant needs: the toolkit it was built with, the least driver, the AMD targets inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from wheels_index._data import read_json, two_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "EndOfLine",
    "Rules",
    "UnknownVariant",
    "Variant",
    "nearest_gfx",
    "newer_variants",
    "newest_first",
    "rules",
    "toolkit_drivers",
    "variant",
]

Kind = Literal["cpu", "cuda", "rocm", "xpu"]

_MAX_NAME_LENGTH = 20
_CUDA = re.compile(r"cu([0-9]{1,2})([0-9])", re.ASCII)  # cu92 is 9.2, cu118 is 11.8
_ROCM = re.compile(r"rocm([0-9]{1,3}(?:\.[0-9]{1,3}){1,2})", re.ASCII)
_KINDS: tuple[Kind, ...] = ("cpu", "xpu", "rocm", "cuda")
_NO_DRIVER: Mapping[str, str | None] = MappingProxyType({"linux": None, "windows": None})


class UnknownVariant(ValueError):
    """A name that is not a variant of the official index at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """What a variant is and needs. What is not known is None.

    `toolkit` is the CUDA or ROCm version in the name: `(12, 4)`, `(6, 2, 4)`. `minimum_driver` is the least
    NVIDIA driver by OS, CUDA minor-version compatibility counted in; `toolkit_driver` came with the toolkit,
    and PTX needs that one. `gfx` are the AMD targets compiled in; rocBLAS has no kernels for those in
    `blas_unusable_gfx`. `accelerator_packages` must come from the same index.

    `known` is False for a variant that the data does not have: `rule` then names the rule that was applied
    to it, or is None where there is none.
    """

    name: str
    kind: Kind
    toolkit: tuple[int, ...] | None
    minimum_driver: Mapping[str, str | None]
    toolkit_driver: Mapping[str, str | None]
    gfx: tuple[str, ...] | None
    blas_unusable_gfx: tuple[str, ...]
    accelerator_packages: tuple[str, ...]
    note: str | None
    source: str | None
    known: bool
    rule: str | None

    @property
    def order(self) -> tuple[int, tuple[int, ...], str]:
        """A key that sorts rocm7.14 after rocm7.2, cu132 after cu130, and CUDA after ROCm, XPU and CPU."""
        return _KINDS.index(self.kind), self.toolkit or (), self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class EndOfLine:
    """A GPU family whose last driver branch is known: `capabilities` as `(7, 0)`."""

    family: str
    capabilities: frozenset[tuple[int, int]]
    last_branch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The rules around the variants, each with its source in `sources`.

    `minimum_driver` maps a CUDA major (`12`) to the least driver by OS. A GPU of `blackwell_from` or newer
    needs `blackwell_minimum_driver` besides. `accelerator_packages` maps `rocm` and `xpu` to the triton
    packages of that index, today's name first. `texts` are the rules in words: `ptx`, `wsl`, `rocm_os`, ...
    """

    minimum_driver: Mapping[int, Mapping[str, str]]
    driver_end_of_line: tuple[EndOfLine, ...]
    blackwell_from: tuple[int, int]
    blackwell_minimum_driver: Mapping[str, str]
    rocm_blas_unusable_from: tuple[int, ...]
    rocm_blas_unusable_gfx: tuple[str, ...]
    accelerator_packages: Mapping[str, tuple[str, ...]]
    xpu_gpus: tuple[str, ...]
    texts: Mapping[str, str]
    sources: Mapping[str, str]

    def last_driver_branch(self, capability: tuple[int, int]) -> int | None:
        """Return the last driver branch for a GPU, or None while new branches still support it."""
        return next(
            (family.last_branch for family in self.driver_end_of_line if capability in family.capabilities),
            None,
        )


@lru_cache(maxsize=256)
def variant(name: str) -> Variant:
    """Return what is known of a variant, also of one that is newer than the data.

    Raises `UnknownVariant` for a name that no variant can have.

    >>> variant("cu124").minimum_driver["windows"]
    '528.33'
    >>> variant("cu136").known, variant("cu136").rule
    (False, 'CUDA 13.x minor-version compatibility')
    """
    kind, toolkit = _parse_name(name)
    row: dict[str, Any] | None = read_json("variants.json")["variants"].get(name)
    driver, rule = _minimum_drivers(kind, toolkit, row)
    blas, blas_rule = _blas_unusable(kind, toolkit)
    gfx = row.get("gfx") if row else None
    return Variant(
        name=name,
        kind=kind,
        toolkit=toolkit,
        minimum_driver=driver,
        toolkit_driver=MappingProxyType(row["toolkit_driver"]) if row and kind == "cuda" else _NO_DRIVER,
        gfx=tuple(gfx) if gfx is not None else None,
        blas_unusable_gfx=blas,
        accelerator_packages=rules().accelerator_packages.get(kind, ()),
        note=row.get("note") if row else None,
        source=row["source"] if row else None,
        known=row is not None,
        rule=None if row else rule or blas_rule,
    )


def nearest_gfx(name: str, torch: str | None = None) -> tuple[tuple[str, ...], str | None] | None:
    """Return the AMD targets of a ROCm variant, and the rule where they are the nearest known ones.

    Nearest are those of the newest earlier ROCm whose targets are known. None where there are none, and for
    what is not ROCm. `torch`, such as `2.12.1`, leaves out targets that the variant has in other releases alone.

    >>> nearest_gfx("rocm8.0")[1]
    'AMD targets taken from rocm7.2'
    """
    wanted = variant(name)
    if wanted.kind != "rocm":
        return None
    if wanted.gfx is not None:
        row = read_json("variants.json")["variants"][name]
        missing = {each["gfx"] for each in row.get("not_in", ()) if torch in each["torch"]}
        return tuple(gfx for gfx in wanted.gfx if gfx not in missing), None
    known = map(variant, read_json("variants.json")["variants"])
    earlier = [build for build in known if build.kind == "rocm" and build.gfx and build.order < wanted.order]
    if not earlier:
        return None
    nearest = max(earlier, key=lambda build: build.order)
    return nearest.gfx or (), f"AMD targets taken from {nearest.name}"


def newer_variants(name: str) -> tuple[str, ...]:
    """Return the known variants of the same kind with a newer toolkit, the newest first.

    >>> newer_variants("cu132"), newer_variants("cpu")
    (('cu134',), ())
    """
    wanted = variant(name)
    known = (variant(each) for each in read_json("variants.json")["variants"])
    return newest_first(
        each.name
        for each in known
        if each.kind == wanted.kind and (each.toolkit or ()) > (wanted.toolkit or ())
    )


def toolkit_drivers(system: Literal["linux", "windows"]) -> tuple[tuple[tuple[int, ...], str], ...]:
    """Return each known CUDA release with the driver that came with it.

    >>> dict(toolkit_drivers("linux"))[12, 4]
    '550.54.15'
    """
    builds = map(variant, read_json("variants.json")["variants"])
    return tuple(
        (build.toolkit, least)
        for build in builds
        if build.kind == "cuda" and build.toolkit is not None and (least := build.toolkit_driver[system])
    )


def newest_first(names: Iterable[str]) -> tuple[str, ...]:
    """Sort variants: CUDA, ROCm, XPU, CPU, and within each the newest toolkit first.

    >>> newest_first(["rocm7.2", "cpu", "rocm7.14", "cu130", "cu132"])
    ('cu132', 'cu130', 'rocm7.14', 'rocm7.2', 'cpu')
    """
    return tuple(sorted(names, key=lambda name: variant(name).order, reverse=True))


def _parse_name(name: str) -> tuple[Kind, tuple[int, ...] | None]:
    if len(name) <= _MAX_NAME_LENGTH:
        if name in ("cpu", "cpu-cxx11-abi"):
            return "cpu", None
        if name == "xpu":
            return "xpu", None
        if cuda := _CUDA.fullmatch(name):
            return "cuda", (int(cuda[1]), int(cuda[2]))
        if rocm := _ROCM.fullmatch(name):
            return "rocm", tuple(map(int, rocm[1].split(".")))
    raise UnknownVariant(f"not a variant (cpu, xpu, cuNNN, rocmX.Y): {name[: _MAX_NAME_LENGTH * 2]!r}")


def _minimum_drivers(
    kind: Kind, toolkit: tuple[int, ...] | None, row: dict[str, Any] | None
) -> tuple[Mapping[str, str | None], str | None]:
    """Return the least drivers and, for a CUDA variant that is new, the rule they come from."""
    if kind != "cuda" or toolkit is None:
        return _NO_DRIVER, None
    if row is not None:
        return MappingProxyType(row["minimum_driver"]), None
    minimum = rules().minimum_driver.get(toolkit[0])
    if minimum is None:
        return _NO_DRIVER, None
    return MappingProxyType(dict(minimum)), f"CUDA {toolkit[0]}.x minor-version compatibility"


def _blas_unusable(kind: Kind, toolkit: tuple[int, ...] | None) -> tuple[tuple[str, ...], str | None]:
    """Return the AMD targets that rocBLAS cannot serve, and the rule for a ROCm that is new."""
    since = rules().rocm_blas_unusable_from
    if kind != "rocm" or toolkit is None or toolkit < since:
        return (), None
    unusable = rules().rocm_blas_unusable_gfx
    return (
        unusable,
        f"ROCm {'.'.join(map(str, since))} and later: rocBLAS has no kernels for {', '.join(unusable)}",
    )


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Return the rules around the variants."""
    data = read_json("variants.json")["rules"]
    blackwell, packages, blas = data["blackwell"], data["accelerator_packages"], data["rocm_blas"]
    drivers = data["cuda_minor_version"]["minimum_driver"]
    return Rules(
        minimum_driver=MappingProxyType(
            {int(major): MappingProxyType(row) for major, row in drivers.items()}
        ),
        driver_end_of_line=tuple(
            EndOfLine(
                family=row["name"],
                capabilities=frozenset(map(two_numbers, row["capabilities"])),
                last_branch=row["last_branch"],
            )
            for row in data["driver_end_of_line"]["families"]
        ),
        blackwell_from=two_numbers(blackwell["capability_from"]),
        blackwell_minimum_driver=MappingProxyType({key: blackwell[key] for key in ("linux", "windows")}),
        rocm_blas_unusable_from=tuple(map(int, blas["from"].split("."))),
        rocm_blas_unusable_gfx=tuple(blas["unusable"]),
        accelerator_packages=MappingProxyType({kind: tuple(packages[kind]) for kind in ("rocm", "xpu")}),
        xpu_gpus=_xpu_gpus(data["xpu"]["supported_gpus"]),
        texts=MappingProxyType(
            {
                "ptx": data["ptx"]["rule"],
                "wsl": data["wsl"]["rule"],
                "driver_end_of_line": data["driver_end_of_line"]["note"],
                "rocm_os": data["rocm"]["os"],
                "rocm_override": data["rocm"]["override"],
                "rocm_kernel_driver": data["rocm"]["kernel_driver"],
                "xpu_not_supported": data["xpu"]["not_supported"],
                "xpu_driver": data["xpu"]["driver"],
                "accelerator_packages": packages["note"],
            }
        ),
        sources=MappingProxyType({name: row["source"] for name, row in data.items()}),
    )


def _xpu_gpus(supported: dict[str, dict[str, list[str]]]) -> tuple[str, ...]:
    """Return the Intel GPUs that the newest documentation read names."""
    newest = max(supported, key=lambda release: tuple(map(int, release.split("."))))
    row = supported[newest]
    return (*row["data_center"], *row["client"])
