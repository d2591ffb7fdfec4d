"""`[tool.uv]` of a pyproject.toml: where packages come from, constraints and overrides.

https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.requirements.documents import Location
from torchdoctor.requirements.lines import Place, parse_requirement
from torchdoctor.requirements.model import AskedRequirement
from torchdoctor.requirements.refusal import shown
from torchdoctor.requirements.toml_files import read_toml, table_at, tables_in, texts_in
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from torchdoctor.requirements.builder import StackBuilder

__all__ = ["UvSources", "read_uv_tables"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UvSources:
    """Where packages come from by their names, as `[tool.uv.sources]` says."""

    by_name: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    place: Place

    def lines_of(self, requirement: Requirement, extras: tuple[str, ...]) -> Iterator[str]:
        """Yield the requirement as it is, or as the places that it comes from where its sources name some."""
        sources = self.by_name.get(requirement.name, [])
        if requirement.name in TORCH_PROJECTS:
            sources = []  # the index is chosen for the machine
        wanted = {str(canonicalize_name(extra)) for extra in extras}
        places = [
            (url, source.get("marker"))
            for source in sources
            if _counts(source, wanted) and (url := _url_of(source)) is not None
        ]
        if not places:
            yield str(requirement)
        for url, marker in places:
            names = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            markers = [str(each) for each in (requirement.marker, marker) if each]
            condition = f" ; {' and '.join(f'({each})' for each in markers)}" if markers else ""
            yield f"{requirement.name}{names} @ {url}{condition}"


def read_uv_tables(location: Location, document: dict[str, Any], builder: StackBuilder) -> UvSources:
    """Read indexes, constraints and overrides into the builder; return the sources of packages.

    A uv.toml beside the file stands for the settings of its `[tool.uv]`, but not for the sources.
    """
    table = table_at(document, "tool", "uv")
    written_at = Place(origin=location.name, name=location.name, location=location)
    written = table_at(table, "sources")
    sources = {
        str(canonicalize_name(name)): [value] if isinstance(value, dict) else tables_in(value)
        for name, value in written.items()
    }
    location, table = _settings(location, table)
    _read_indexes(location, table, sources, builder)
    _note_times(location, table, builder)
    place = Place(origin=location.name, name=location.name, location=location)
    for line in texts_in(table.get("constraint-dependencies")):
        requirement = parse_requirement(line, place)
        builder.constraints.append(
            AskedRequirement(line=str(requirement), name=requirement.name, origin=location.name)
        )
    for line in texts_in(table.get("override-dependencies")):
        builder.overrides.append(str(parse_requirement(line, place)))
    for name, each in sources.items():
        if any(source.get("workspace") is True for source in each):
            builder.notes.append(
                message(
                    "{file}: {name} is another project of the workspace, and is asked for with --project DIR",
                    file=location.name,
                    name=name,
                )
            )
    return UvSources(by_name=sources, place=written_at)


def _note_times(location: Location, table: dict[str, Any], builder: StackBuilder) -> None:
    """Say that a time is not followed; of a project that the current folder is in it is asked about elsewhere."""
    folder = location.path.parent if location.path is not None else None
    if folder in (builder.folder, *builder.folder.parents):
        return
    builder.notes += [
        message(
            "{file}: {key} {value} is not followed; --exclude-newer says it",
            file=location.name,
            key=key,
            value=shown(str(table[key])),
        )
        for key in ("exclude-newer", "exclude-newer-package")
        if key in table
    ]


def _settings(location: Location, table: dict[str, Any]) -> tuple[Location, dict[str, Any]]:
    """Return uv's settings for the project, and the file that has them.

    https://docs.astral.sh/uv/concepts/configuration-files/
    """
    path = location.path.with_name("uv.toml") if location.path is not None else None
    if path is None or not path.is_file():
        return location, table
    beside = Location(name=str(Path(location.name).with_name("uv.toml")), path=path)
    return beside, read_toml(beside)


def _read_indexes(
    location: Location, table: dict[str, Any], sources: dict[str, list[dict[str, Any]]], builder: StackBuilder
) -> None:
    used = {
        source["index"]
        for name, each in sources.items()
        if name not in TORCH_PROJECTS
        for source in each
        if isinstance(source.get("index"), str)
    }
    for index in tables_in(table.get("index")):
        url = index.get("url")
        # An explicit index serves only the packages whose source names it.
        if isinstance(url, str) and (
            index.get("explicit") is not True or index.get("name") in used or _is_torch(url)
        ):
            builder.add_index(url, location.name)
    for key in ("index-url", "extra-index-url"):
        value = table.get(key)
        for url in [value] if isinstance(value, str) else texts_in(value):
            builder.add_index(url, location.name)
    for links in texts_in(table.get("find-links")):
        folder = location.path.parent if location.path is not None and "://" not in links else None
        builder.add_find_links(str(folder / links) if folder is not None else links, location.name)


def _is_torch(url: str) -> bool:
    from torchdoctor.requirements.torch_indexes import is_torch_index

    return is_torch_index(url)


def _counts(source: dict[str, Any], extras: set[str]) -> bool:
    """Whether the source is for these extras: one with `extra` or `group` is for that alone."""
    needed = [source[key] for key in ("extra", "group") if isinstance(source.get(key), str)]
    return all(str(canonicalize_name(each)) in extras for each in needed)


def _url_of(source: dict[str, Any]) -> str | None:
    """Return the place of a source as a requirement has it; None for an index or a workspace, which are no place."""
    if isinstance(source.get("git"), str):
        revision = next(
            (source[key] for key in ("rev", "tag", "branch") if isinstance(source.get(key), str)), ""
        )
        folder = source.get("subdirectory")
        suffix = f"#subdirectory={folder}" if isinstance(folder, str) else ""
        return f"git+{source['git']}{'@' if revision else ''}{revision}{suffix}"
    place = source.get("url") or source.get("path")
    return place if isinstance(place, str) else None
