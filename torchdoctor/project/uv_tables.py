"""Which edits give a uv project its families: indexes, sources, extras and conflicts.

https://docs.astral.sh/uv/guides/integration/pytorch/#configuring-accelerators-with-optional-dependencies
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import UsageError
from torchdoctor.project.limits import family_sections
from torchdoctor.project.pyproject import table_at
from torchdoctor.project.specifiers import without_local
from torchdoctor.project.toml_edit import AddTable, ChangeArray, SetInTable, SetValue, toml_value
from torchdoctor.project.torch_index import same_url
from torchdoctor.project.uv_values import (
    entries_of,
    index_variants,
    indexes_of,
    section_of,
    sources_of,
    variant_of_entry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.project.model import FamilyTables, Member
    from torchdoctor.project.pyproject import Pyproject
    from torchdoctor.project.toml_edit import Edit

__all__ = ["UvEdits", "plan_uv_edits"]

# Kinds of source that take a package from elsewhere than an index.
_ELSEWHERE = ("git", "path", "url", "workspace")


@dataclass(kw_only=True, slots=True)
class UvEdits:
    """The edits, and what they do, in words."""

    edits: list[Edit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan_uv_edits(pyproject: Pyproject, families: Sequence[FamilyTables]) -> UvEdits:
    """Return the edits of a pyproject.toml, of which `adopt_families` has given the families.

    Raises `UsageError` where the project takes torch from a repository, a file or another project.
    """
    planned = UvEdits()
    new = [family for family in families if not family.is_adopted]
    for family in new:
        _plan_section(pyproject, family, planned)
    _plan_conflicts(pyproject, families, planned)
    for name in dict.fromkeys(member.name for family in new for member in family.members):
        _plan_source(pyproject, name, new, planned)
    for family in new:
        _plan_index(pyproject, family, planned)
    return planned


def _plan_section(pyproject: Pyproject, family: FamilyTables, planned: UvEdits) -> None:
    """The extra or group with the family's packages; what else it has stays."""
    above = ("project", "optional-dependencies") if family.section == "extra" else ("dependency-groups",)
    table = table_at(pyproject.document, *above)
    key = next((name for name in table if canonicalize_name(name) == family.name), None)
    if key is None:
        lines = [member.line for member in family.members]
        planned.edits.append(SetValue(path=(*above, family.name), value=lines))
        planned.notes.append(
            message(
                "{section} {name}: {lines}", section=family.section, name=family.name, lines=joined(lines)
            )
        )
        return
    there = _places(table[key])
    replaced = {
        there[member.name][0]: member.line
        for member in family.members
        if member.name in there and _is_outdated(there[member.name][1], member)
    }
    added = tuple(member.line for member in family.members if member.name not in there)
    if replaced or added:
        planned.edits.append(ChangeArray(path=(*above, key), replace=replaced, add=added))
    for place, line in replaced.items():
        old = table[key][place]
        planned.notes.append(
            message(
                "{section} {name}: {old} becomes {new}", section=family.section, name=key, old=old, new=line
            )
        )
    if added:
        planned.notes.append(
            message("{section} {name}: {lines}", section=family.section, name=key, lines=joined(added))
        )


def _places(lines: Any) -> dict[str, tuple[int, Requirement]]:
    """Each requirement of a list by its name."""
    found: dict[str, tuple[int, Requirement]] = {}
    for place, line in enumerate(lines if isinstance(lines, list) else ()):
        try:
            requirement = Requirement(line) if isinstance(line, str) else None
        except InvalidRequirement:
            continue
        if requirement is not None:
            found.setdefault(canonicalize_name(requirement.name), (place, requirement))
    return found


def _is_outdated(there: Requirement, member: Member) -> bool:
    """Whether a line for torch misses the release that was chosen, or admits one that does not serve the machines."""
    if member.reaches is None:
        return False
    admitted = without_local(there.specifier)
    is_too_wide = member.stops_below is not None and admitted.contains(member.stops_below)
    return not admitted.contains(member.reaches) or is_too_wide


def _plan_conflicts(pyproject: Pyproject, families: Sequence[FamilyTables], planned: UvEdits) -> None:
    """One set of all extras that bring torch: uv must never have to install two of them.

    A set that the project has becomes a part of it if each of its extras brings torch too, with a source or without.
    """
    ours = {(family.section, family.name) for family in families} | family_sections(pyproject).keys()
    there = table_at(pyproject.document, "tool", "uv").get("conflicts")
    rows = there if isinstance(there, list) else []
    sets = [_conflict_set(row) for row in rows]
    bringing = ours | _sections_with_torch(pyproject)
    merged = [known for known in sets if known and known & ours and known <= bringing]
    sections = ours.union(*merged)
    if len(sections) == 1 or any(sections <= (known or set()) for known in sets):
        return
    kept = [row for row, known in zip(rows, sets, strict=True) if known not in merged]
    value = [*kept, [{kind: name} for kind, name in sorted(sections)]]
    planned.edits.append(SetValue(path=("tool", "uv", "conflicts"), value=value))
    planned.notes.append(
        message(
            "tool.uv.conflicts: only one of {names} at a time",
            names=joined(sorted(name for _, name in sections)),
        )
    )


def _sections_with_torch(pyproject: Pyproject) -> set[tuple[str, str]]:
    """The extras and groups that name torch."""
    tables = {
        "extra": table_at(pyproject.document, "project", "optional-dependencies"),
        "group": table_at(pyproject.document, "dependency-groups"),
    }
    return {
        (kind, str(canonicalize_name(name)))
        for kind, table in tables.items()
        for name, lines in table.items()
        if "torch" in _places(lines)
    }


def _conflict_set(row: Any) -> set[tuple[str, str]] | None:
    """The extras and groups of one set; None for one that names more than these."""
    found = set()
    for item in row if isinstance(row, list) else [None]:
        if not isinstance(item, dict) or set(item) - {"extra", "group"} or len(item) != 1:
            return None
        ((kind, name),) = item.items()
        found.add((kind, str(canonicalize_name(str(name)))))
    return found


def _plan_source(pyproject: Pyproject, name: str, families: Sequence[FamilyTables], planned: UvEdits) -> None:
    """The entry of one package in `tool.uv.sources`: each family's index under its extra."""
    sources = sources_of(pyproject)
    key = next((each for each in sources if canonicalize_name(each) == name), name)
    there = entries_of(sources.get(key))
    kept, replaced = _split_entries(pyproject, key, there, families)
    served = {section_of(entry) for entry in kept}
    new = [
        _entry(family, member)
        for family in families
        for member in family.members
        if member.name == name and (family.section, family.name) not in served
    ]
    if not replaced and not new:
        return
    path = ("tool", "uv", "sources", key)
    planned.edits.append(
        ChangeArray(path=path, add=tuple(new))
        if isinstance(sources.get(key), list) and not replaced
        else SetValue(path=path, value=[*kept, *new])
    )
    for entry in replaced:
        old = toml_value(entry)
        planned.notes.append(
            message("tool.uv.sources.{name}: {old} is replaced", name=key, old=old)
            if section_of(entry)
            else message(
                "tool.uv.sources.{name}: {old} is replaced; without an extra it comes from PyPI now",
                name=key,
                old=old,
            )
        )
    planned.notes.append(
        message(
            "tool.uv.sources.{name}: {indexes}", name=key, indexes=joined(entry["index"] for entry in new)
        )
    )


def _split_entries(
    pyproject: Pyproject, key: str, there: Sequence[dict[str, Any]], families: Sequence[FamilyTables]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Which entries of a source stay, and which are replaced.

    Those of other extras stay, those that serve a family already, and other indexes for some systems.
    """
    variants = index_variants(pyproject)
    ours = {(family.section, family.name): family.variant for family in families}
    kept, replaced = [], []
    for entry in there:
        section = section_of(entry)
        found = variant_of_entry(entry, variants)
        elsewhere = next((kind for kind in _ELSEWHERE if kind in entry), None)
        if section is not None and (section not in ours or ours[section] == found):
            kept.append(entry)
        elif elsewhere is not None:
            raise _elsewhere_error(pyproject, key, elsewhere)
        elif section is None and "marker" in entry and found is None:
            kept.append(entry)
        else:
            replaced.append(entry)
    return kept, replaced


def _elsewhere_error(pyproject: Pyproject, name: str, kind: str) -> UsageError:
    return UsageError(
        message(
            "{path}: tool.uv.sources takes {name} from its own place ({kind}), which is not an index",
            path=pyproject.path,
            name=name,
            kind=kind,
        ),
        fix=message("remove that entry if the builds of PyTorch are to be used, then run this again"),
        code="conflicting-source",
    )


def _entry(family: FamilyTables, member: Member) -> dict[str, str]:
    entry = {"index": family.index_name, family.section: family.name}
    return {**entry, "marker": member.marker} if member.marker else entry


def _plan_index(pyproject: Pyproject, family: FamilyTables, planned: UvEdits) -> None:
    """The index of a family, which is asked for nothing else."""
    indexes = indexes_of(pyproject)
    path = ("tool", "uv", "index")
    for place, row in enumerate(indexes):
        if row.get("name") != family.index_name and not same_url(row.get("url"), family.index_url):
            continue
        if row.get("name") == family.index_name and not same_url(row.get("url"), family.index_url):
            planned.notes.append(
                message(
                    "index {name}: {old} becomes {new}",
                    name=family.index_name,
                    old=str(row.get("url")),
                    new=family.index_url,
                )
            )
            planned.edits.append(SetInTable(path=path, place=place, key="url", value=family.index_url))
        if not isinstance(row.get("name"), str):
            planned.edits.append(SetInTable(path=path, place=place, key="name", value=family.index_name))
        if row.get("default"):
            planned.edits.append(SetInTable(path=path, place=place, key="default", value=None))
        if row.get("explicit") is not True:
            planned.edits.append(SetInTable(path=path, place=place, key="explicit", value=True))
            planned.notes.append(
                message(
                    "index {url} was asked for every package; now for those of tool.uv.sources alone",
                    url=family.index_url,
                )
            )
        return
    value = {"name": family.index_name, "url": family.index_url, "explicit": True}
    planned.edits.append(AddTable(path=path, value=value))
    planned.notes.append(message("index {name}: {url}", name=family.index_name, url=family.index_url))
