"""Which torch the families of a project admit that it has already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.project.pyproject import table_at
from torchdoctor.project.specifiers import without_local
from torchdoctor.project.uv_values import (
    entries_of,
    index_variants,
    section_of,
    sources_of,
    variant_of_entry,
)
from torchdoctor.resolve.family_cover import TorchLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.project.pyproject import Pyproject
    from wheels_index import Snapshot

__all__ = ["family_sections", "torch_limits"]


def family_sections(pyproject: Pyproject) -> dict[tuple[str, str], str | None]:
    """Return the extras and groups that bring a torch of their own, with the variant of the index that they name.

    They are `("extra", "cu126")` and the like. The variant is None where torch comes from another index.
    """
    variants = index_variants(pyproject)
    found: dict[tuple[str, str], str | None] = {}
    for entry in entries_of(sources_of(pyproject).get("torch")):
        section = section_of(entry)
        if section is not None:
            found[section] = variant_of_entry(entry, variants)
    return found


def torch_limits(pyproject: Pyproject, snapshot: Snapshot) -> TorchLimits:
    """Return what the lines of these extras and groups admit; a new family is to have a torch that all of them have."""
    by_variant: dict[str, SpecifierSet] = {}
    everything = SpecifierSet()
    for (kind, name), variant in family_sections(pyproject).items():
        limit = _limit(_lines(pyproject, kind, name))
        everything &= limit
        if variant is not None:
            by_variant[variant] = limit
    has_common = any(everything.contains(version) for version in snapshot.versions())
    return TorchLimits(by_variant=by_variant, others=everything if has_common else None)


def _limit(lines: Iterable[Requirement]) -> SpecifierSet:
    """What lines for torch admit together; those with markers count where all of them say the same."""
    plain, marked = SpecifierSet(), set[SpecifierSet]()
    for requirement in lines:
        if canonicalize_name(requirement.name) == "torch":
            admitted = without_local(requirement.specifier)
            if requirement.marker is None:
                plain &= admitted
            else:
                marked.add(admitted)
    return plain & marked.pop() if len(marked) == 1 else plain


def _lines(pyproject: Pyproject, kind: str, section: str) -> Iterator[Requirement]:
    table = (
        table_at(pyproject.document, "project", "optional-dependencies")
        if kind == "extra"
        else table_at(pyproject.document, "dependency-groups")
    )
    for name, lines in table.items():
        if canonicalize_name(name) == section:
            yield from _requirements(lines)


def _requirements(lines: Any) -> Iterator[Requirement]:
    for line in lines if isinstance(lines, list) else ():
        try:
            yield Requirement(line)
        except (InvalidRequirement, TypeError):
            continue
