"""pyproject.toml + families -> the pyproject.toml of a uv project that has an extra for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.project.model import ProjectChange
from torchdoctor.project.pyproject import table_at
from torchdoctor.project.toml_edit import edit_toml
from torchdoctor.project.uv_tables import plan_uv_edits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.project.model import FamilyTables
    from torchdoctor.project.pyproject import Pyproject

__all__ = ["edit_uv_project"]


def edit_uv_project(pyproject: Pyproject, families: Sequence[FamilyTables]) -> ProjectChange:
    """Return the change that gives the project these families; running it again changes nothing.

    `adopt_families` has given the families. Raises `UsageError` for a project that has no `[project]`, or whose own
    tables stand against it.
    """
    if not table_at(pyproject.document, "project"):
        raise UsageError(
            message("{path} has no table [project], without which uv has no project", path=pyproject.path),
            fix=message("add name, version and dependencies under [project], or run `uv init --bare` there"),
            code="no-project-table",
        )
    beside = pyproject.path.with_name("uv.toml")
    if beside.exists():
        raise UsageError(
            message("{path} makes uv ignore the indexes in pyproject.toml", path=beside),
            fix=message("move what it sets into [tool.uv] of pyproject.toml, and remove it"),
            code="uv-toml",
        )
    planned = plan_uv_edits(pyproject, families)
    after = pyproject.encoded(edit_toml(pyproject.text, planned.edits))
    return ProjectChange(
        path=pyproject.path, before=pyproject.content, after=after, notes=tuple(planned.notes)
    )
