"""What of a project may stand in the way of its families."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.project.families import unseen_extensions
from torchdoctor.project.pyproject import read_pyproject, table_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from torchdoctor.project.pyproject import Pyproject
    from torchdoctor.project.recognize import ProjectFolder
    from torchdoctor.resolve.family_cover import Family
    from wheels_index import Snapshot

__all__ = ["project_warnings"]


def project_warnings(
    project: ProjectFolder, names: Collection[str], families: Sequence[Family], snapshot: Snapshot
) -> tuple[str, ...]:
    """Return a sentence for each: requirements that are not seen, Pythons without torch, a workspace above."""
    if project.pyproject is None:
        return ()
    return tuple(_warnings(project, project.pyproject, names, families, snapshot))


def _warnings(
    project: ProjectFolder,
    pyproject: Pyproject,
    names: Collection[str],
    families: Sequence[Family],
    snapshot: Snapshot,
) -> Iterator[str]:
    if pyproject.is_dynamic("dependencies"):
        yield message(
            "the build backend makes the project's dependencies, so what they ask of torch was not seen"
        )
    elif "torch" not in names:
        yield message("the project does not name torch; its new extras bring it")
    if pyproject.is_dynamic("optional-dependencies"):
        yield message("the build backend makes the project's extras, so the families are dependency groups")
    label = _oldest_python(pyproject, snapshot)
    if label is not None and families and not _has_python(label, families[0], snapshot):
        yield message(
            "requires-python admits Python {label}, for which torch {oldest} to {torch} has no build: uv may not be "
            "able to lock; raise it to one that torch has",
            label=label,
            oldest=families[0].oldest,
            torch=families[0].torch,
        )
    for family in families:
        for name in unseen_extensions(family, names, snapshot):
            yield message(
                "{name}: no build for {variant} was seen on PyTorch's index, so it is left to PyPI; "
                "`torchdoctor verify` says whether that one works",
                name=name,
                variant=family.variant,
            )
    above = _workspace_above(project.path)
    if above is not None:
        yield message(
            "{folder} has a workspace of uv: if this project is a member, its conflicts and indexes belong there",
            folder=above,
        )


def _oldest_python(pyproject: Pyproject, snapshot: Snapshot) -> str | None:
    """The oldest Python that the project admits, of those that some torch has builds for."""
    if pyproject.requires_python is None:
        return None
    try:
        admitted = SpecifierSet(pyproject.requires_python)
    except InvalidSpecifier:
        return None
    labels = sorted(
        {
            label
            for release in snapshot.releases()
            for builds in release.platforms.values()
            for label in builds.pythons
            if not label.endswith("t")
        },
        key=Version,
    )
    return next((label for label in labels if admitted.contains(f"{label}.99")), None)


def _has_python(label: str, family: Family, snapshot: Snapshot) -> bool:
    return any(
        label in builds.pythons
        for version in snapshot.versions()
        if family.oldest <= version <= family.torch
        for builds in snapshot.release(version).platforms.values()
    )


def _workspace_above(folder: Path) -> Path | None:
    for parent in folder.resolve().parents:
        try:
            above = read_pyproject(parent)
        except UsageError:
            return None
        if above is not None and table_at(above.document, "tool", "uv", "workspace"):
            return parent
    return None
