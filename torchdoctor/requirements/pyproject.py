"""`pyproject.toml`: `[project]` with its extras, `[dependency-groups]`, and what `[tool.uv]` says of them.

https://packaging.python.org/en/latest/specifications/pyproject-toml/
https://packaging.python.org/en/latest/specifications/dependency-groups/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.requirements.builder import ProjectFolder
from torchdoctor.requirements.lines import Place, parse_requirement, read_requirement
from torchdoctor.requirements.model import AskedRequirement
from torchdoctor.requirements.refusal import refused
from torchdoctor.requirements.toml_files import table_at, texts_in
from torchdoctor.requirements.uv_tables import UvSources, read_uv_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.documents import Location

__all__ = ["read_pyproject"]

_MAX_DEPTH = 50


def read_pyproject(
    location: Location, document: dict[str, Any], project: ProjectFolder, builder: StackBuilder
) -> bool:
    """Read what the document asks for; return whether it says what the project needs."""
    table = table_at(document, "project")
    if not table or "dependencies" in texts_in(table.get("dynamic")):
        return False
    groups = _groups(location, document, project)
    if not any(groups.values()):
        return False
    place = Place(origin=location.name, name=location.name, location=location)
    if isinstance(table.get("requires-python"), str) and table["requires-python"].strip():
        line = str(parse_requirement(f"python{table['requires-python']}", place))
        builder.pythons.append(AskedRequirement(line=line, name="python", origin=location.name))
    sources = read_uv_tables(location, document, builder)
    name = canonicalize_name(table["name"]) if isinstance(table.get("name"), str) else None
    reader = _Reader(groups, name, place, sources, builder)
    for line in groups[""]:
        reader.read(line, project.extras)
    for extra in project.extras:
        for line in groups[canonicalize_name(extra)]:
            reader.read(line, project.extras)
    _say_where_torch_is(location, groups, project, builder)
    return True


def _groups(location: Location, document: dict[str, Any], project: ProjectFolder) -> dict[str, list[str]]:
    """The lines of the project itself under "", and of each extra and group under its name."""
    table = table_at(document, "project")
    groups: dict[str, list[str]] = {"": texts_in(table.get("dependencies"))}
    for name, lines in table_at(table, "optional-dependencies").items():
        groups[str(canonicalize_name(name))] = texts_in(lines)
    written = table_at(document, "dependency-groups")
    for name in written:
        lines = list(_group_lines(str(name), written, location, depth=0))
        groups.setdefault(str(canonicalize_name(name)), []).extend(lines)
    unknown = [extra for extra in project.extras if canonicalize_name(extra) not in groups]
    if unknown:
        names = sorted(name for name in groups if name)
        raise refused(
            project.origin,
            message("the project has no extra or group {name!r}", name=unknown[0]),
            fix=message("choose from: {names}", names=joined(names))
            if names
            else message("it has none; leave the brackets out"),
        )
    return groups


def _group_lines(name: str, written: dict[str, Any], location: Location, *, depth: int) -> Iterator[str]:
    """The lines of a group and of those that it includes."""
    if depth > _MAX_DEPTH:
        raise refused(
            location.name,
            message("the group {name!r} includes itself", name=name),
            fix=message("correct the file"),
        )
    by_name = {str(canonicalize_name(each)): lines for each, lines in written.items()}
    for entry in by_name.get(str(canonicalize_name(name))) or []:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
            yield from _group_lines(entry["include-group"], written, location, depth=depth + 1)


class _Reader:
    """Reads lines of one project; a line that names the project's own extras stands for the lines of these."""

    def __init__(
        self,
        groups: dict[str, list[str]],
        name: str | None,
        place: Place,
        sources: UvSources,
        builder: StackBuilder,
    ) -> None:
        self._groups, self._name, self._place = groups, name, place
        self._sources, self._builder = sources, builder
        self._seen: set[str] = set()

    def read(self, line: str, extras: tuple[str, ...], marker: str | None = None) -> None:
        """Read one line, which counts where `marker` holds."""
        requirement = parse_requirement(line, self._place)
        if marker:
            requirement = _also_where(requirement, marker, self._place)
        if requirement.name == self._name:
            for extra in sorted(requirement.extras):
                key = str(canonicalize_name(extra))
                if f"{key};{requirement.marker}" not in self._seen:
                    self._seen.add(f"{key};{requirement.marker}")
                    for other in self._groups.get(key, ()):
                        self.read(other, extras, str(requirement.marker) if requirement.marker else None)
            return
        for text in self._sources.lines_of(requirement, extras):
            found = read_requirement(text, self._place, self._builder)
            if isinstance(found, ProjectFolder):
                self._builder.projects.append(found)
            else:
                self._builder.requirements.append(found)


def _also_where(requirement: Requirement, marker: str, place: Place) -> Requirement:
    own = f"({requirement.marker}) and ({marker})" if requirement.marker else marker
    requirement.marker = None
    return parse_requirement(f"{requirement} ; {own}", place)


def _say_where_torch_is(
    location: Location, groups: dict[str, list[str]], project: ProjectFolder, builder: StackBuilder
) -> None:
    """Some projects have torch in extras alone, one for each kind of machine."""
    having = [name for name, lines in groups.items() if any(_names_torch(line) for line in lines)]
    asked = {str(canonicalize_name(extra)) for extra in project.extras} | {""}
    if having and not asked & set(having):
        builder.notes.append(
            message(
                "{file}: torch is only in {extras}; --project DIR[{first}] asks for it as the project does",
                file=location.name,
                extras=joined(having),
                first=having[0],
            )
        )


def _names_torch(line: str) -> bool:
    return line.strip().lower().startswith("torch") and not line.strip()[5:6].isalnum()
