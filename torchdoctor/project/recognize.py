"""What kind of project a folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.errors import TorchdoctorError, UsageError
from torchdoctor.project.launchers import find_launcher
from torchdoctor.project.pyproject import read_file, read_pyproject, table_at
from torchdoctor.project.uv_lock import locked_names
from torchdoctor.requirements import StackOptions, read_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.project.launchers import Launcher
    from torchdoctor.project.pyproject import Pyproject
    from torchdoctor.requirements import StackRequest

__all__ = ["Kind", "ProjectFolder", "recognize_project"]

Kind = Literal["uv", "poetry", "requirements", "launcher"]

_MOST_FILES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFolder:
    """A folder with a project, and what was recognised in it."""

    path: Path
    kind: Kind
    pyproject: Pyproject | None = None
    launcher: Launcher | None = None  # also where it is a uv project
    requirement_files: tuple[Path, ...] = ()
    stack: StackRequest | None = (
        None  # what Poetry's tables or the first of these files ask for, as far as read
    )

    def requirements(self) -> Iterator[Requirement]:
        """Yield what the project always requires, as far as files say it; markers are not evaluated."""
        if self.pyproject is not None:
            yield from self.pyproject.requirements()
        if self.stack is not None:
            yield from (
                Requirement(asked.line) for asked in (*self.stack.requirements, *self.stack.constraints)
            )
        else:
            for path in self.requirement_files[:1]:
                yield from _lines_of(path)

    def names(self) -> set[str]:
        """Return the names of everything that the project names, its extras and groups too, and that its lock holds."""
        found = {str(canonicalize_name(each.name)) for each in self.requirements()}
        if self.pyproject is not None:
            found |= self.pyproject.names() | locked_names(self.path)
        if self.stack is not None:
            found |= {asked.name for asked in self.stack.preferred}
        return found


def recognize_project(folder: Path) -> ProjectFolder:
    """Return what a folder holds: a uv project, one of Poetry, a requirements file, or a program that starts pip.

    A pyproject.toml that no other tool has marked is taken for one of uv. Raises `UsageError` for a folder that holds
    none of these, or whose pyproject.toml cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(
            message("there is no folder {folder}", folder=folder), fix=message("name the folder of a project")
        )
    pyproject = read_pyproject(folder)
    launcher = find_launcher(folder)
    files = tuple(path for path in sorted(folder.glob("requirements*.txt"))[:_MOST_FILES] if path.is_file())
    kind: Kind
    if pyproject is not None and _is_poetry(pyproject, folder):
        kind = "poetry"
    elif pyproject is not None and (launcher is None or _is_uv(pyproject, folder)):
        kind = "uv"
    elif launcher is not None:
        kind = "launcher"
    elif files:
        kind = "requirements"
    else:
        raise UsageError(
            message("{folder} has neither a pyproject.toml nor a requirements.txt", folder=folder),
            fix=message(
                "name the folder of a project, or make one: `uv init --bare {folder}`", folder=folder
            ),
            code="no-project",
        )
    if kind == "requirements":
        # The usual name first; the others are variations of it.
        files = tuple(sorted(files, key=lambda path: path.name != "requirements.txt"))
    return ProjectFolder(
        path=folder,
        kind=kind,
        pyproject=pyproject,
        launcher=launcher,
        requirement_files=files if kind == "requirements" else (),
        stack=_stack(folder, kind, files),
    )


def _stack(folder: Path, kind: Kind, files: tuple[Path, ...]) -> StackRequest | None:
    """What a project of Poetry or pip asks for; None where it cannot be read without asking somebody."""
    if kind not in ("poetry", "requirements"):
        return None
    options = (
        StackOptions(projects=(str(folder),)) if kind == "poetry" else StackOptions(files=(str(files[0]),))
    )
    try:
        return read_stack(options, environ={}, folder=folder, ask=lambda _: False)
    except TorchdoctorError:
        return None


def _is_poetry(pyproject: Pyproject, folder: Path) -> bool:
    """Whether Poetry locks the project; its build backend alone does not say so."""
    if _is_uv(pyproject, folder):
        return False
    return (folder / "poetry.lock").exists() or bool(
        table_at(pyproject.document, "tool", "poetry", "dependencies")
    )


def _is_uv(pyproject: Pyproject, folder: Path) -> bool:
    return (folder / "uv.lock").exists() or bool(table_at(pyproject.document, "tool", "uv"))


def _lines_of(path: Path) -> Iterator[Requirement]:
    """The requirements of a file; options, URLs and whatever is no requirement are passed over."""
    content = read_file(path) or b""
    for line in content.decode("utf-8", errors="replace").splitlines():
        text = line.partition(" #")[0].strip()
        if not text or text.startswith(("#", "-")):
            continue
        try:
            yield Requirement(text.partition(" --")[0])
        except InvalidRequirement:
            continue
