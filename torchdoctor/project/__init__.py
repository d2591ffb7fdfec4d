"""Projects of others' tools: what a uv project needs for each family of builds, and what keeps them elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.project.launchers import Launcher, find_launcher, launchers
    from torchdoctor.project.model import FamilyTables, ProjectChange
    from torchdoctor.project.pyproject import Pyproject, read_pyproject
    from torchdoctor.project.recognize import ProjectFolder, recognize_project
    from torchdoctor.project.uv_edit import edit_uv_project
    from torchdoctor.project.write import write_change

__all__ = [
    "FamilyTables",
    "Launcher",
    "ProjectChange",
    "ProjectFolder",
    "Pyproject",
    "edit_uv_project",
    "find_launcher",
    "launchers",
    "read_pyproject",
    "recognize_project",
    "write_change",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "launchers": ("Launcher", "find_launcher"),
            "model": ("FamilyTables", "ProjectChange"),
            "pyproject": ("Pyproject", "read_pyproject"),
            "recognize": ("ProjectFolder", "recognize_project"),
            "uv_edit": ("edit_uv_project",),
            "write": ("write_change",),
        },
    )
