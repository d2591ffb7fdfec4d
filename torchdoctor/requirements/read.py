"""Options -> StackRequest: everything that files, projects and single requirements ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.requirements.builder import ProjectFolder, StackBuilder
from torchdoctor.requirements.known_names import other_package
from torchdoctor.requirements.lines import Place, parse_requirement, read_requirement
from torchdoctor.requirements.pip_files import read_requirements_file
from torchdoctor.requirements.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.requirements.model import StackOptions, StackRequest

__all__ = ["read_stack"]


def read_stack(
    options: StackOptions,
    *,
    environ: Mapping[str, str],
    folder: Path,
    ask: Callable[[str], bool],
    known_indexes: frozenset[str] = frozenset(),
    trust_indexes: bool = False,
    build_metadata: Callable[[Path], str] | None = None,
) -> StackRequest:
    """Read everything that the options name; `folder` is the current one, `environ` has variables that files name.

    `ask` asks the user a question and is False where nobody can answer; with `trust_indexes` it is not asked about
    indexes and folders that files name. `build_metadata` returns the metadata of the
    project in a folder by running its code, once the user agreed. Raises `UsageError` for what cannot be read,
    with file, line and column; `NotConfirmed` for an index, a repository or a `setup.py` that nobody agreed to.
    """
    builder = StackBuilder(
        environ=environ,
        folder=folder,
        ask=ask,
        known_indexes=known_indexes,
        trust_indexes=trust_indexes,
        build_metadata=build_metadata,
    )
    for text in options.with_:
        found = read_requirement(text, Place(origin=f"--with {text}", name="--with"), builder)
        if isinstance(found, ProjectFolder):
            raise refused(
                "--with",
                message("{text!r} is a folder", text=text[:80]),
                fix=message("ask for what the project in it needs with --project {text}", text=text),
            )
        builder.requirements.append(found)
    for text in options.overrides:
        builder.overrides.append(
            str(parse_requirement(text, Place(origin=f"--override {text}", name="--override")))
        )
    for text in options.files:
        read_requirements_file(text, builder, kind="requirements", origin=f"-r {text}")
    for text in options.constraints:
        read_requirements_file(text, builder, kind="constraints", origin=f"-c {text}")
    if options.projects:
        from torchdoctor.requirements.project import parse_project_option

        builder.projects.extend(parse_project_option(text, folder) for text in options.projects)
    _read_projects(builder)
    names = dict.fromkeys(asked.name for asked in builder.requirements)
    builder.notes += [note for name in names if (note := other_package(name)) is not None]
    return builder.stack()


def _read_projects(builder: StackBuilder) -> None:
    """Read each project once; what one names may be another one."""
    read: set[tuple[str, tuple[str, ...]]] = set()
    while builder.projects or builder.files:
        if builder.files:
            path, origin = builder.files.pop(0)
            read_requirements_file(path, builder, kind="requirements", origin=origin)
            continue
        from torchdoctor.requirements.project import read_project

        project = builder.projects.pop(0)
        key = (str(project.path.resolve()), project.extras)
        if key not in read:
            read.add(key)
            read_project(project, builder)
