"""`--project DIR[extra]`: what a project asks for, from the files in which its author says so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import joined, message
from torchdoctor.requirements.builder import ProjectFolder
from torchdoctor.requirements.built_metadata import lines_of_metadata
from torchdoctor.requirements.documents import Location
from torchdoctor.requirements.lines import Place
from torchdoctor.requirements.locked_versions import read_locked_versions
from torchdoctor.requirements.poetry import lines_of_poetry
from torchdoctor.requirements.project_lines import read_project_lines
from torchdoctor.requirements.pyproject import groups_of_pyproject, lines_of_pyproject
from torchdoctor.requirements.refusal import refused, require_consent
from torchdoctor.requirements.setup_files import lines_of_setup_cfg, lines_of_setup_py
from torchdoctor.requirements.toml_files import read_toml, table_at, texts_in
from torchdoctor.requirements.uv_tables import read_uv_tables

if TYPE_CHECKING:
    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.project_lines import ProjectLines

__all__ = ["parse_project_option", "read_project"]

_PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_EXTRAS = re.compile(r"^(?P<path>.+?)\[(?P<extras>[A-Za-z0-9._\-, ]*)\]$", re.DOTALL)


def parse_project_option(text: str, folder: Path) -> ProjectFolder:
    """Return the folder and the extras of `DIR[extra,...]`; raises `UsageError` for a place that is no folder."""
    found = _EXTRAS.match(text) if not (folder / text).is_dir() else None
    named, extras = (found["path"], found["extras"].split(",")) if found else (text, [])
    path = folder / Path(named).expanduser()
    origin = f"--project {text}"
    if path.is_file() and path.name in _PROJECT_FILES:
        path = path.parent
    if not path.is_dir():
        raise refused(
            origin,
            message("there is no folder {path}", path=path),
            fix=message("name the folder that pyproject.toml, setup.cfg or setup.py is in"),
        )
    names = tuple(dict.fromkeys(extra.strip() for extra in extras if extra.strip()))
    return ProjectFolder(path=path, extras=names, origin=origin)


def read_project(project: ProjectFolder, builder: StackBuilder) -> None:
    """Read a project into the builder: what its files say, else what its code says once the user agreed to run it.

    Raises `UsageError` where nothing says what it needs, `NotConfirmed` without that consent.
    """
    location = _location(project, "pyproject.toml", builder)
    is_there = location.path is not None and location.path.is_file()
    document = read_toml(location) if is_there else {}
    lines = _written_lines(project, location, document, builder)
    requirements = project.path / "requirements.txt"
    if not lines and requirements.is_file() and not project.extras:
        builder.notes.append(
            message(
                "{origin}: {file} is read, since no other file there says without running code what the project needs",
                origin=project.origin,
                file=requirements.name,
            )
        )
        builder.files.append((str(requirements), project.origin))
        return
    if not lines and not (lines is not None and table_at(document, "project")):
        lines = _built_lines(project, document, builder) or lines
    if lines is None:
        raise refused(
            project.origin,
            message("nothing there says what the project needs: {files}", files=joined(_PROJECT_FILES)),
            fix=message("name a file of requirements with -r FILE"),
            code="project",
        )
    sources = read_uv_tables(location, document, builder)
    read_project_lines(lines, project, sources, builder)
    read_locked_versions(project, builder)


def _location(project: ProjectFolder, name: str, builder: StackBuilder) -> Location:
    path = project.path / name
    is_below = path.is_relative_to(builder.folder)
    return Location(name=str(path.relative_to(builder.folder)) if is_below else str(path), path=path)


def _written_lines(
    project: ProjectFolder, location: Location, document: dict[str, Any], builder: StackBuilder
) -> ProjectLines | None:
    """What the project's files say without being run; those of tools join the groups of pyproject.toml."""
    stated = lines_of_pyproject(location, document)
    lines = stated or lines_of_poetry(location, document, builder)
    if lines is None:
        cfg = _location(project, "setup.cfg", builder)
        script = _location(project, "setup.py", builder)
        if cfg.path is not None and cfg.path.is_file():
            lines = lines_of_setup_cfg(cfg)
        if lines is None and script.path is not None and script.path.is_file():
            lines = lines_of_setup_py(script)
        if lines is not None:
            for name, texts in groups_of_pyproject(location, document).items():
                lines.groups.setdefault(name, []).extend(texts)
    return stated if lines is None else lines


def _built_lines(
    project: ProjectFolder, document: dict[str, Any], builder: StackBuilder
) -> ProjectLines | None:
    """What the project's code says; None where there is none to run, or where a list of requirements says it."""
    script = project.path / "setup.py"
    is_dynamic = "dependencies" in texts_in(table_at(document, "project").get("dynamic"))
    if builder.build_metadata is None or not (script.is_file() or is_dynamic):
        return None
    named = script.name if script.is_file() else "pyproject.toml"
    require_consent(
        message(
            "{origin}: only running {file} tells what the project needs. Run it, in an environment of its own?",
            origin=project.origin,
            file=named,
        ),
        builder.ask,
        refusal=message(
            "{origin}: only running {file} tells what the project needs, and this needs your consent",
            origin=project.origin,
            file=named,
        ),
    )
    place = Place(origin=named, name=named, location=_location(project, named, builder))
    return lines_of_metadata(builder.build_metadata(project.path), place)
