"""Compiled companions of torch: how each is tied to torch and CUDA, where its builds lie, which pairs are known.

>>> from wheels_index.extension import extension, extra_sources, fits
>>> str(fits("torchcodec", "0.17.0", torch="2.13.0", variant="cpu", platform="linux_x86_64").answer)
'no'
>>> [source.url for source in extra_sources("torch-scatter", torch="2.8.0", variant="cu128", platform="linux_x86_64")]
['https://data.pyg.org/whl/torch-2.8.0+cu128.html']
>>> extension("vllm").way_out("windows_x86_64", "cuda")
'vLLM has no Windows build: use WSL2 or its Docker image'

A new extension, a new version or another pair needs new data in `data/extensions/` and no new code.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wheels_index._data import FOLDER, read_json_file
from wheels_index._extension_fit import check_fit
from wheels_index._extension_model import (
    ACCELERATORS,
    BuildPlace,
    Extension,
    ExtraSource,
    Fit,
    FromSource,
    KnownPair,
    OutsidePip,
    Proof,
    WayOut,
    accelerator_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

__all__ = [
    "ACCELERATORS",
    "BuildPlace",
    "Extension",
    "ExtraSource",
    "Fit",
    "FromSource",
    "KnownPair",
    "OutsidePip",
    "Proof",
    "WayOut",
    "accelerator_of",
    "extension",
    "extensions",
    "extra_sources",
    "fits",
]


def extension(name: str) -> Extension | None:
    """Return what is known of an extension by its project's name, however it is written; None of any other project.

    >>> extension("Flash_Attn").imports
    ('flash_attn',)
    >>> extension("requests") is None
    True
    """
    from packaging.utils import canonicalize_name

    return extensions().get(canonicalize_name(name))


@cache
def extensions() -> Mapping[str, Extension]:
    """Return every extension by its normalised name; the files are read once."""
    found = (_from_json(read_json_file(path)) for path in sorted((FOLDER / "extensions").glob("*.json")))
    return MappingProxyType({each.project: each for each in found})


def fits(
    name: str,
    version: Version | str,
    *,
    torch: Version | str,
    variant: str,
    platform: str,
    place: str | None = None,
) -> Fit:
    """Say whether a build of an extension goes with a torch of a variant on a platform, as far as pairs are known.

    `platform` is one of `PLATFORMS`. `place` (`pypi`, `pytorch`, ...) is where the build comes from; without it, a
    version that names a variant (`0.17.0+cu126`) is of that variant and any other is PyPI's. The answer is
    `unknown` where nothing is known, also of a project that is no extension: the wheel's own files decide then.
    """
    known = extension(name)
    if known is None:
        return Fit(answer="unknown", because="not-an-extension", needs=(), source=None)
    return check_fit(known, version, torch=torch, variant=variant, platform=platform, place=place)


def extra_sources(name: str, *, torch: Version | str, variant: str, platform: str) -> tuple[ExtraSource, ...]:
    """Return the indexes and pages besides PyPI and PyTorch's that have builds of an extension for one torch.

    Each is where its project says that it publishes; whether a page exists is known when it is asked for.
    """
    known = extension(name)
    return known.extra_sources(torch=torch, variant=variant, platform=platform) if known is not None else ()


def _from_json(data: dict[str, Any]) -> Extension:
    build = data["from_source"]
    return Extension(
        project=data["project"],
        about=data["about"],
        imports=tuple(data["imports"]),
        ties=tuple(data["ties"]),
        on_mismatch=data["on_mismatch"],
        builds=tuple(BuildPlace(**_tuples(row)) for row in data["builds"]),
        pairs=tuple(KnownPair(**_tuples(row)) for row in data["pairs"]),
        ways_out=tuple(WayOut(**_tuples(row)) for row in data["ways_out"]),
        outside_pip=tuple(OutsidePip(**_tuples(row)) for row in data["outside_pip"]),
        proof=Proof(**data["proof"]) if data["proof"] else None,
        from_source=FromSource(**build) if build else None,
        note=data["note"],
        as_of=data["as_of"],
    )


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
