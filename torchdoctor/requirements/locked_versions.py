"""The versions of a project's uv.lock or poetry.lock: preferred, and kept to for torch and its companions.

https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import message
from torchdoctor.requirements.documents import Location
from torchdoctor.requirements.model import AskedRequirement
from torchdoctor.requirements.toml_files import read_toml, tables_in, texts_in
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from torchdoctor.requirements.builder import ProjectFolder, StackBuilder

__all__ = ["locked_versions", "read_locked_versions"]

_LOCKS = ("uv.lock", "poetry.lock")


def read_locked_versions(project: ProjectFolder, builder: StackBuilder) -> None:
    """Add the versions of the project's lock to the builder, where it has one, and say so."""
    for name in _LOCKS:
        path = project.path / name
        if not path.is_file():
            continue
        shown = str(path.relative_to(builder.folder)) if path.is_relative_to(builder.folder) else str(path)
        versions = locked_versions(read_toml(Location(name=shown, path=path)), shown)
        builder.preferred += [each for each in versions if each.name not in TORCH_PROJECTS]
        builder.constraints += [each for each in versions if each.name in TORCH_PROJECTS]
        if versions:
            builder.notes.append(
                message(
                    "{file}: its versions are kept where they fit, and its releases of torch and companions are kept",
                    file=shown,
                )
            )
        return


def locked_versions(document: dict[str, Any], origin: str) -> list[AskedRequirement]:
    """Return each version from an index as a requirement; a project may have several, each for some machines."""
    rows = [row for row in tables_in(document.get("package")) if _is_from_index(row)]
    asked: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        version = _public(row.get("version"))
        if isinstance(row.get("name"), str) and version is not None:
            marker = _marker(texts_in(row.get("resolution-markers")))
            asked.setdefault(str(canonicalize_name(row["name"])), []).append((version, marker))
    return [
        AskedRequirement(line=line, name=name, origin=origin)
        for name, versions in asked.items()
        for line in _lines(name, versions)
    ]


def _lines(name: str, versions: list[tuple[str, str]]) -> list[str]:
    """One line for each version; without markers where there is only one, none where extras tell them apart."""
    if len({version for version, _ in versions}) == 1:
        return [f"{name}=={versions[0][0]}"]
    if any("extra" in marker or not marker for _, marker in versions):
        return []
    return list(dict.fromkeys(f"{name}=={version} ; {marker}" for version, marker in versions))


def _is_from_index(row: dict[str, Any]) -> bool:
    source = row.get("source")
    if not isinstance(source, dict):
        return True  # poetry.lock gives a source to what is not from PyPI
    return "registry" in source or source.get("type") == "legacy"


def _public(version: object) -> str | None:
    try:
        return Version(version).public if isinstance(version, str) else None
    except InvalidVersion:
        return None


def _marker(markers: list[str]) -> str:
    """The markers of the resolutions that have this version, as one."""
    text = " or ".join(f"({marker})" for marker in markers)
    try:
        return str(Marker(text)) if text else ""
    except InvalidMarker:
        return ""
