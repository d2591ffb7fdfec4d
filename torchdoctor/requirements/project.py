"""`--project DIR[extra]`: what a project asks for, from the files in which its author says so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.requirements.builder import ProjectFolder
from torchdoctor.requirements.documents import Location
from torchdoctor.requirements.pyproject import read_pyproject
from torchdoctor.requirements.refusal import refused
from torchdoctor.requirements.toml_files import read_toml

if TYPE_CHECKING:
    from torchdoctor.requirements.builder import StackBuilder

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
    """Read a project into the builder; raises `UsageError` where no file says what it needs."""
    path = project.path / "pyproject.toml"
    named = str(path.relative_to(builder.folder)) if path.is_relative_to(builder.folder) else str(path)
    if path.is_file():
        location = Location(name=named, path=path)
        if read_pyproject(location, read_toml(location), project, builder):
            return
    requirements = project.path / "requirements.txt"
    if not requirements.is_file():
        raise refused(
            project.origin,
            message(
                "{files} there say nothing of what the project needs",
                files=joined(_PROJECT_FILES, ", "),
            ),
            fix=message("name a file of requirements with -r FILE"),
        )
    builder.notes.append(
        message(
            "{origin}: the project's own files name no requirements, so {file} is read",
            origin=project.origin,
            file="requirements.txt",
        )
    )
    builder.files.append((str(requirements), project.origin))
