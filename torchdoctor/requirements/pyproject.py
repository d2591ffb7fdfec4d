"""`[project]` and `[dependency-groups]` of a pyproject.toml, and the files that setuptools and hatch take them from.

https://packaging.python.org/en/latest/specifications/pyproject-toml/
https://packaging.python.org/en/latest/specifications/dependency-groups/
https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.requirements.lines import Place
from torchdoctor.requirements.project_lines import ProjectLines
from torchdoctor.requirements.refusal import refused
from torchdoctor.requirements.toml_files import table_at, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.requirements.documents import Location

__all__ = ["groups_of_pyproject", "lines_of_pyproject"]

_MAX_DEPTH = 50


def lines_of_pyproject(location: Location, document: dict[str, Any]) -> ProjectLines | None:
    """Return what the document says; None where it leaves that to code or to another table."""
    table = table_at(document, "project")
    dynamic = texts_in(table.get("dynamic"))
    files = _files_of_setuptools(location, document, dynamic)
    if not table or ("dependencies" in dynamic and not files.get("")):
        return None
    groups: dict[str, list[str]] = {"": texts_in(table.get("dependencies"))}
    for name, lines in table_at(table, "optional-dependencies").items():
        groups[str(canonicalize_name(name))] = texts_in(lines)
    for name, lines in groups_of_pyproject(location, document).items():
        groups.setdefault(name, []).extend(lines)
    project, python = table.get("name"), table.get("requires-python")
    return ProjectLines(
        place=Place(origin=location.name, name=location.name, location=location),
        groups=groups,
        name=str(canonicalize_name(project)) if isinstance(project, str) else None,
        python=python if isinstance(python, str) else None,
        files=files,
    )


def groups_of_pyproject(location: Location, document: dict[str, Any]) -> dict[str, list[str]]:
    """Return the lines of `[dependency-groups]` by name; raises `UsageError` for a group that includes itself."""
    written = {
        str(canonicalize_name(name)): lines for name, lines in table_at(document, "dependency-groups").items()
    }
    return {name: list(_group_lines(name, written, location, depth=0)) for name in written}


def _group_lines(name: str, written: dict[str, Any], location: Location, *, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise refused(
            location.name,
            message("the group {name!r} includes itself", name=name),
            fix=message("correct the file"),
        )
    entries = written.get(str(canonicalize_name(name)))
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
            yield from _group_lines(entry["include-group"], written, location, depth=depth + 1)


def _files_of_setuptools(
    location: Location, document: dict[str, Any], dynamic: list[str]
) -> dict[str, list[Path]]:
    """The files that `[tool.setuptools.dynamic]` names; hatch's hook for requirements.txt names them elsewhere."""
    folder = location.folder
    if folder is None:
        return {}
    table = table_at(document, "tool", "setuptools", "dynamic")
    named: dict[str, Any] = {}
    if "dependencies" in dynamic:
        hatch = table_at(document, "tool", "hatch", "metadata", "hooks", "requirements_txt")
        named[""] = table_at(table, "dependencies").get("file") or hatch.get("files")
    if "optional-dependencies" in dynamic:
        for extra, value in table_at(table, "optional-dependencies").items():
            named[str(canonicalize_name(extra))] = table_at(value).get("file")
    texts = {name: [value] if isinstance(value, str) else texts_in(value) for name, value in named.items()}
    return {name: [folder / text for text in values] for name, values in texts.items() if values}
