"""Families under the names that a project has for them already: its extras or groups, and its indexes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.project.limits import family_sections
from torchdoctor.project.pyproject import table_at
from torchdoctor.project.torch_index import same_url, variant_of_index
from torchdoctor.project.uv_values import entries_of, indexes_of, section_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.project.model import FamilyTables
    from torchdoctor.project.pyproject import Pyproject

__all__ = ["adopt_families"]


def adopt_families(
    pyproject: Pyproject, families: Sequence[FamilyTables], *, keep_mirrors: bool = False
) -> tuple[FamilyTables, ...]:
    """Return the families under the names that the project has for them already.

    With `keep_mirrors` an index of the project that is a mirror of a family's stays the family's index.
    """
    indexes = indexes_of(pyproject)
    adopted = []
    for family in families:
        known = next((row for row in indexes if same_url(row.get("url"), family.index_url)), None)
        if known is None and keep_mirrors:
            known = next((row for row in indexes if variant_of_index(row.get("url")) == family.variant), None)
        if known is not None:
            name = known.get("name")
            family = replace(  # noqa: PLW2901
                family,
                index_name=name if isinstance(name, str) else family.index_name,
                index_url=known["url"],
            )
        elif any(_is_taken(row, family) for row in indexes):
            family = replace(family, index_name=f"torch-{family.name}-builds")  # noqa: PLW2901
        adopted.append(_adopt_section(pyproject, family))
    return tuple(adopted)


def _is_taken(row: dict[str, Any], family: FamilyTables) -> bool:
    """Whether an index that is not PyTorch's has the name that the family's index would have."""
    return row.get("name") == family.index_name and variant_of_index(row.get("url")) is None


def _adopt_section(pyproject: Pyproject, family: FamilyTables) -> FamilyTables:
    """The family in the extra or group that has its index, and without the groups that uv would install beside it."""
    sections = family_sections(pyproject)
    found = next((section for section, variant in sections.items() if variant == family.variant), None)
    if found is not None:
        kind, name = found
        family = replace(
            family,
            section="group" if kind == "group" else "extra",
            name=name,
            index_name=_index_of(pyproject, found) or family.index_name,
            is_adopted=name != family.name,
        )
    elif any(kind == "group" for kind, _ in sections) and not any(kind == "extra" for kind, _ in sections):
        family = replace(family, section="group")
    defaults = table_at(pyproject.document, "tool", "uv").get("default-groups")
    groups = (
        [canonicalize_name(name) for name in defaults if isinstance(name, str)]
        if isinstance(defaults, list)
        else []
    )
    others = {name for kind, name in sections if kind == "group"} - {family.name}
    return replace(family, excluded_groups=tuple(str(name) for name in groups if name in others))


def _index_of(pyproject: Pyproject, section: tuple[str, str]) -> str | None:
    """The name of the index that an extra or group takes torch from."""
    for entry in entries_of(sources_of(pyproject).get("torch")):
        if section_of(entry) == section and isinstance(entry.get("index"), str):
            return str(entry["index"])
    return None
