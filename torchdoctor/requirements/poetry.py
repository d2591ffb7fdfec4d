"""`[tool.poetry]` of a pyproject.toml, in the words of PEP 508; poetry-core knows its version ranges.

https://python-poetry.org/docs/pyproject/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.requirements.lines import Place
from torchdoctor.requirements.project_lines import ProjectLines
from torchdoctor.requirements.refusal import refused, shown
from torchdoctor.requirements.toml_files import table_at, tables_in, texts_in
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.documents import Location

__all__ = ["lines_of_poetry"]


def lines_of_poetry(
    location: Location, document: dict[str, Any], builder: StackBuilder
) -> ProjectLines | None:
    """Return what the document says, and add its indexes to the builder; None where it is not of Poetry.

    Raises `UsageError` for a range of versions that Poetry does not have.
    """
    table = table_at(document, "tool", "poetry")
    dependencies = table_at(table, "dependencies")
    if not dependencies:
        return None
    reader = _PoetryReader(location, builder)
    extras = {name: texts_in(names) for name, names in table_at(table, "extras").items()}
    in_extras = {canonicalize_name(name) for names in extras.values() for name in names}
    python = dependencies.get("python")
    groups: dict[str, list[str]] = {"": []}
    by_name: dict[str, list[str]] = {}
    for name, value in dependencies.items():
        if name == "python":
            continue
        lines = list(reader.lines(name, value))
        key = str(canonicalize_name(name))
        by_name[key] = lines
        if key not in in_extras and not _is_optional(value):
            groups[""] += lines
    for extra, names in extras.items():
        groups[str(canonicalize_name(extra))] = [
            line for name in names for line in by_name.get(str(canonicalize_name(name)), ())
        ]
    for name, group in table_at(table, "group").items():
        rows = table_at(group, "dependencies").items()
        groups.setdefault(str(canonicalize_name(name)), []).extend(
            line for key, value in rows for line in reader.lines(key, value)
        )
    _read_sources(location, table, builder)
    project = table.get("name")
    return ProjectLines(
        place=reader.place,
        groups=groups,
        name=str(canonicalize_name(project)) if isinstance(project, str) else None,
        python=reader.specifier(python) if isinstance(python, str) else None,
    )


class _PoetryReader:
    def __init__(self, location: Location, builder: StackBuilder) -> None:
        self.place = Place(origin=location.name, name=location.name, location=location)
        self._location, self._builder = location, builder

    def lines(self, name: str, value: Any) -> Iterator[str]:
        """Yield the requirement lines of one dependency, which may have one for each kind of machine."""
        for constraint in value if isinstance(value, list) else [value]:
            if isinstance(constraint, (str, dict)):
                yield self._line(name, constraint)

    def _line(self, name: str, constraint: str | dict[str, Any]) -> str:
        from poetry.core.factory import Factory

        if isinstance(constraint, dict) and isinstance(constraint.get("path"), str):
            # poetry-core wants the folder to be there; whether it is, is said where it is read.
            return f"{name} @ {constraint['path']}"
        try:
            line = Factory.create_dependency(name, constraint, root_dir=self._location.folder).to_pep_508(
                with_extras=False
            )
        except (ValueError, TypeError, RuntimeError, KeyError) as error:
            raise self._refused(name, constraint, str(error)) from error
        return self._without_alternatives(name, line)

    def _without_alternatives(self, name: str, line: str) -> str:
        """Poetry has `>=1,<2 || >=3`, which PEP 508 has not: the last part, the newest, is taken."""
        try:
            Requirement(line)
        except InvalidRequirement:
            start, bracket, rest = line.partition(" (")
            ranges, end, marker = rest.partition(")")
            last = ranges.rpartition("||")[2].strip()
            if not bracket or not end or last == ranges:
                raise self._refused(name, line, "no PEP 508") from None
            self._builder.notes.append(
                message(
                    "{file}: of {name} {ranges} only {last} is taken",
                    file=self._location.name,
                    name=name,
                    ranges=ranges,
                    last=last,
                )
            )
            return f"{start} ({last}){marker}"
        return line

    def specifier(self, python: str) -> str:
        """Return Poetry's range of Pythons as PEP 440 has it."""
        return str(Requirement(self._line("python", python)).specifier)

    def _refused(self, name: str, value: object, reason: str) -> Exception:
        return refused(
            self._location.name,
            message(
                "{name} = {value!r} is not a dependency of Poetry: {reason}",
                name=name,
                value=shown(str(value)),
                reason=reason,
            ),
            fix=message("correct the file"),
            code="requirements-line",
        )


def _is_optional(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(each, dict) and each.get("optional") is True for each in values)


def _read_sources(location: Location, table: dict[str, Any], builder: StackBuilder) -> None:
    """An explicit source serves only the dependencies that name it."""
    rows = [table_at(table, "dependencies")]
    rows += [table_at(group, "dependencies") for group in table_at(table, "group").values()]
    used = {
        constraint.get("source")
        for row in rows
        for name, value in row.items()
        if canonicalize_name(name) not in TORCH_PROJECTS
        for constraint in (value if isinstance(value, list) else [value])
        if isinstance(constraint, dict)
    }
    torch_only = {
        constraint.get("source")
        for row in rows
        for name, value in row.items()
        if canonicalize_name(name) in TORCH_PROJECTS
        for constraint in (value if isinstance(value, list) else [value])
        if isinstance(constraint, dict)
    } - used
    for source in tables_in(table.get("source")):
        url, name = source.get("url"), source.get("name")
        if isinstance(url, str) and (
            source.get("priority") != "explicit" or name in used or name in torch_only
        ):
            builder.add_index(url, location.name)
