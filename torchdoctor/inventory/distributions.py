"""The distributions in a folder of the path, by their dist-info, egg-info or conda-meta."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import (
    is_relevant,
    parse_conda,
    parse_direct_url,
    parse_metadata,
    split_info,
)
from torchdoctor.inventory.package_model import Distribution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.inventory.files import Entries

__all__ = ["DISTRIBUTIONS", "SiteFolder", "conda_packages", "read_folder"]

# Most distributions that are read in one folder; each needs several reads.
DISTRIBUTIONS = 3000
_MAX_CONDA_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteFolder:
    """A folder of the path."""

    folder: str
    names: tuple[str, ...]  # of everything in it, sorted
    distributions: tuple[Distribution, ...]
    problems: tuple[str, ...]  # why something in it could not be read, for people


def read_folder(folder: str) -> SiteFolder:
    """Return what is in a folder, with the metadata of each distribution. Never raises."""
    listing = files.entries(folder)
    infos = [name for name in listing.names if name.endswith((".dist-info", ".egg-info"))]
    problems = [listing.problem] if listing.problem else []
    if len(infos) > DISTRIBUTIONS:
        problems.append(
            message(
                "{folder} has more than {limit:,} distributions",
                folder=folder,
                limit=DISTRIBUTIONS,
            )
        )
    found = (_distribution(folder, name) for name in infos[:DISTRIBUTIONS])
    return SiteFolder(
        folder=folder,
        names=listing.names,
        distributions=tuple(distribution for distribution in found if distribution is not None),
        problems=tuple(problems),
    )


def _distribution(folder: str, info: str) -> Distribution | None:
    named = split_info(info)
    if named is None:
        return None
    place = os.path.join(folder, info)  # noqa: PTH118  (one of thousands)
    wheel = info.endswith(".dist-info")
    text = files.read_text(f"{place}/METADATA" if wheel else f"{place}/PKG-INFO")
    if text is None and not wheel:
        text = files.read_text(place)
    metadata = parse_metadata(text or "")
    direct = files.read_text(f"{place}/direct_url.json") if wheel else None
    url, editable = parse_direct_url(direct) if direct else (None, False)
    name = str(canonicalize_name(metadata.name)) if metadata.name else named[0]
    installer = files.read_text(f"{place}/INSTALLER", limit=200) if wheel else None
    return Distribution(
        name=name[:200],
        version=metadata.version or named[1],
        kind="wheel" if wheel else "egg",
        folder=folder,
        metadata=place,
        installer=sanitize_line(installer, limit=60).lower() or None if installer else None,
        requested=files.exists(f"{place}/REQUESTED") if installer else None,
        direct_url=url,
        editable=editable,
        installed_at=_when(f"{place}/RECORD" if wheel else place, place),
        requires=metadata.requires,
    )


def _when(*paths: str) -> str | None:
    """The time of the first path that exists: an installer writes RECORD last."""
    seconds = next((found for found in map(files.time_of, paths) if found is not None), None)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return None


def conda_packages(prefix: str) -> SiteFolder | None:
    """Return the packages that conda installed into an environment; None where it is not conda's."""
    folder = os.path.join(prefix, "conda-meta")  # noqa: PTH118
    if not files.exists(folder):
        return None
    listing = files.entries(folder)
    return SiteFolder(
        folder=folder,
        names=listing.names,
        distributions=tuple(_conda(prefix, folder, listing)),
        problems=(listing.problem,) if listing.problem else (),
    )


def _conda(prefix: str, folder: str, listing: Entries) -> Iterator[Distribution]:
    for file in listing.names:
        parts = file.removesuffix(".json").rsplit("-", 2)
        if not file.endswith(".json") or len(parts) != 3:  # noqa: PLR2004  (name, version, build)
            continue
        path = f"{folder}/{file}"
        # Only relevant ones are read: a file lists everything in its package and may have megabytes.
        text = files.read_text(path, limit=_MAX_CONDA_BYTES) if is_relevant(parts[0].lower()) else None
        read = parse_conda(text) if text else None
        yield Distribution(
            name=read.name if read else sanitize_line(parts[0].lower()),
            version=(read.version if read else None) or sanitize_line(parts[1], limit=100) or None,
            kind="conda",
            folder=prefix,
            metadata=path,
            installer="conda",
            requested=read.requested if read else None,
            installed_at=_when(path),
            requires=read.requires if read else (),
            channel=read.channel if read else None,
            build=(read.build if read else None) or sanitize_line(parts[2], limit=100) or None,
        )
