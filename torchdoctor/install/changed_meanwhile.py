"""An environment that another program changed after its packages were read: what was solved for it may not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["refuse_changed_environment"]

_SUFFIX = ".dist-info"
_MAX_SHOWN = 5


def refuse_changed_environment(
    site_packages: Iterable[Path], installed: Mapping[str, str], folder: Path
) -> None:
    """Raise `InstallFailed` where a package is new or of another version than in `installed`, which was read before.

    An empty `installed` says that nothing was read.
    """
    if not installed:
        return
    now: dict[str, list[str]] = {}
    for name, version in _installed_now(site_packages):
        now.setdefault(name, []).append(version)
    # Of two copies one is the one that was read.
    changed = sorted(name for name, versions in now.items() if not _among(installed.get(name), versions))
    if changed:
        raise InstallFailed(
            message(
                "another program changed {folder} meanwhile: {names}",
                folder=folder,
                names=joined(changed[:_MAX_SHOWN]),
            ),
            fix=message("wait until it has ended, and run the command again"),
            code="changed-meanwhile",
        )


def _among(version: str | None, versions: list[str]) -> bool:
    """Whether it is one of the versions, however each is spelled."""
    return version is not None and _spelled(version) in map(_spelled, versions)


def _spelled(version: str) -> str:
    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def _installed_now(site_packages: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Name and version of each package, by the names of the folders that hold their metadata."""
    for folder in site_packages:
        for path in folder.glob(f"*{_SUFFIX}"):
            name, _, version = path.name.removesuffix(_SUFFIX).partition("-")
            # Without a name in its METADATA, a package was not among those that were read.
            if version and (path / "METADATA").is_file() and (path / "METADATA").stat().st_size:
                yield str(canonicalize_name(name)), version
