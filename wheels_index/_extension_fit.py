"""Whether a build of an extension goes with a torch: what the known pairs say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from wheels_index._extension_model import Fit, accelerator_of
from wheels_index.wheel import variant_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheels_index._extension_model import Extension, KnownPair

__all__ = ["check_fit"]

# Local versions that name a torch: `+pt28cu128` (PyG), `+cu12torch2.8cxx11abitrue` (flash-attn).
_PYG_LOCAL = re.compile(r"pt([0-9])([0-9]{1,2})(cpu|cu[0-9]{3}|rocm[0-9]+)", re.ASCII)
_FLASH_LOCAL = re.compile(r"cu([0-9]{2})[0-9]?torch([0-9]\.[0-9]{1,2})cxx11abi(?:true|false)", re.ASCII)


def check_fit(
    known: Extension,
    version: Version | str,
    *,
    torch: Version | str,
    variant: str,
    platform: str,
    place: str | None,
) -> Fit:
    """Compare with every known pair of the version: the first that fits decides, else what most of them miss."""
    wanted, release = Version(str(version)), Version(str(torch))
    contradicted = _by_local_version(wanted, release, variant)
    if contradicted is not None:
        return contradicted
    named = variant_of(wanted)
    where = place or ("pytorch" if named else None)
    rows = [pair for pair in known.pairs if _is_of(pair, wanted, where)]
    if not rows:
        return Fit(answer="unknown", because="no-pair-known", needs=(), source=None)
    here = [pair for pair in rows if pair.platforms is None or platform in pair.platforms]
    if not here:
        return Fit(
            answer="no",
            because="platform",
            needs=_together(row.platforms for row in rows),
            source=rows[0].source,
        )
    for_torch = [pair for pair in here if _goes_with(pair.torch, release)]
    if not for_torch:
        return Fit(
            answer="no", because="torch", needs=_each(row.torch for row in here), source=here[0].source
        )
    fitting = [pair for pair in for_torch if _runs_with(pair, variant, named)]
    if not fitting:
        needs = _together(row.variants or row.accelerators for row in for_torch)
        needs = (named,) if needs == ("same",) and named else needs
        return Fit(answer="no", because="variant", needs=needs, source=for_torch[0].source)
    # Half a fact is no proof: torch fits, and of the CUDA nothing is known, or the other way round.
    proven = [pair for pair in fitting if pair.torch is not None and pair.accelerators is not None]
    if not proven:
        return Fit(answer="unknown", because="no-pair-known", needs=(), source=fitting[0].source)
    return Fit(answer="yes", because="known-pair", needs=(), source=proven[0].source)


def _by_local_version(version: Version, torch: Version, variant: str) -> Fit | None:
    """Return a refusal where the local version names another torch or CUDA, else None."""
    local = version.local or ""
    if pyg := _PYG_LOCAL.fullmatch(local):
        minor, made_for, own = f"{pyg[1]}.{pyg[2]}", pyg[3], variant
    elif flash := _FLASH_LOCAL.fullmatch(local):
        minor, made_for, own = flash[2], f"cuda{flash[1]}", accelerator_of(variant) or variant
    else:
        return None
    if minor != f"{torch.major}.{torch.minor}":
        return Fit(answer="no", because="torch", needs=(f"=={minor}.*",), source=None)
    return None if made_for == own else Fit(answer="no", because="variant", needs=(made_for,), source=None)


def _is_of(pair: KnownPair, version: Version, place: str | None) -> bool:
    """Say whether a pair speaks of a version in a place; without a place, of PyPI's or of the only place there is."""
    if place is not None and pair.place != place:
        return False
    if place is None and pair.place == "pytorch":
        return False
    return SpecifierSet(pair.versions).contains(version.public, prereleases=True)


def _goes_with(specifier: str | None, torch: Version) -> bool:
    return specifier is None or SpecifierSet(specifier).contains(torch.public, prereleases=True)


def _runs_with(pair: KnownPair, variant: str, named: str | None) -> bool:
    """Say whether a build can run with a variant's torch; `named` is the variant in the version's local part."""
    if pair.variants is not None and variant not in pair.variants:
        return False
    if pair.accelerators is None:
        return True
    if "same" in pair.accelerators and (named is None or named == variant):
        return True
    return accelerator_of(variant) in pair.accelerators


def _together(groups: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group or ()))


def _each(specifiers: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in specifiers if each is not None))
