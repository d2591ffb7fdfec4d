"""Families of builds as tables of a uv project: names, indexes, and the packages that come from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.project.model import FamilyTables, Member
from torchdoctor.resolve.accelerator import accelerator_package
from torchdoctor.resolve.family_cover import Family
from wheels_index import COMPANIONS, newest_first, variant
from wheels_index.extension import extensions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from packaging.version import Version

    from torchdoctor.project.model import Section
    from torchdoctor.resolve import Request
    from wheels_index import Snapshot
    from wheels_index.extension import BuildPlace

__all__ = ["family_tables", "named_families", "torch_range", "unseen_extensions"]

_SYSTEMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}


def family_tables(
    family: Family,
    *,
    section: Section,
    index_url: Callable[[str], str],
    names: Collection[str],
    is_pinned: bool,
    snapshot: Snapshot,
) -> FamilyTables:
    """Return a family as tables; `names` are the packages of the project, and `index_url` gives a variant's index.

    Where the project pins torch itself, its extras name torch without a version.
    """
    name = str(canonicalize_name(family.variant))
    members = [_torch_member(family, snapshot, is_pinned=is_pinned)]
    members += [Member(name=project, line=project) for project in COMPANIONS if project in names]
    members += _extensions(family, names, snapshot)
    members += _accelerator(family, snapshot)
    return FamilyTables(
        variant=family.variant,
        section=section,
        name=name,
        index_name=f"pytorch-{name}",
        index_url=index_url(family.variant),
        members=tuple(members),
    )


def _torch_member(family: Family, snapshot: Snapshot, *, is_pinned: bool) -> Member:
    next_one = family.too_new
    return Member(
        name="torch",
        line="torch" if is_pinned else torch_range(family, snapshot),
        reaches=family.torch,
        # A release that the index of the family does not have cannot be taken by mistake.
        stops_below=next_one if next_one is not None and _has(snapshot, next_one, family.variant) else None,
    )


def torch_range(family: Family, snapshot: Snapshot) -> str:
    """Return the releases in which the family serves its machines, as a requirement.

    A release that would need another triton from the index is not among them.
    """
    oldest = family.oldest
    wanted = accelerator_package(snapshot.release(family.torch), family.variant, snapshot)
    for version in sorted(snapshot.versions(), reverse=True):
        if family.oldest <= version <= family.torch:
            if accelerator_package(snapshot.release(version), family.variant, snapshot) != wanted:
                break
            oldest = version
    return f"torch>={oldest}{_upper_end(family.torch, family.too_new)}"


def _upper_end(torch: Version, too_new: Version | None) -> str:
    if too_new is None:
        return ""
    is_next_minor = too_new.release[:2] != torch.release[:2]
    return f",<{too_new.major}.{too_new.minor}" if is_next_minor else f",<{too_new}"


def named_families(
    variants: Iterable[str], request: Request, torch: Version | None, snapshot: Snapshot
) -> tuple[Family, ...]:
    """Return families that a user names, without machines.

    They are of the release `torch`, or of the newest that has builds of all of them; one without a build there is of
    the newest release that has it. A variant without a build in any release that the request admits is left out.
    """
    names = newest_first(dict.fromkeys(variants))
    admitted = [
        version
        for version in sorted(snapshot.versions(), reverse=True)
        if request.torch is None or request.torch.contains(version)
    ]
    having = {name: [version for version in admitted if _has(snapshot, version, name)] for name in names}
    common = [version for version in admitted if all(version in each for each in having.values())]
    shared = torch if torch is not None else next(iter(common), None)
    together = common if shared in common else None
    return tuple(
        _family(name, shared if shared in each else each[0], together or each, snapshot)
        for name, each in having.items()
        if each
    )


def _family(name: str, torch: Version, serving: Collection[Version], snapshot: Snapshot) -> Family:
    versions = sorted(snapshot.versions(), reverse=True)
    place = versions.index(torch)
    oldest = torch
    for version in versions[place + 1 :]:
        if version not in serving:
            break
        oldest = version
    return Family(
        variant=name,
        torch=torch,
        oldest=oldest,
        too_new=versions[place - 1] if place else None,
        machines=(),
    )


def _has(snapshot: Snapshot, version: Version, name: str) -> bool:
    return any(name in builds.variants for builds in snapshot.release(version).platforms.values())


def _extensions(family: Family, names: Collection[str], snapshot: Snapshot) -> Iterator[Member]:
    """Compiled companions that the project has, where a build for this family was seen on PyTorch's index."""
    for name, place in _on_index(family, names):
        if _is_seen(name, family.variant, snapshot):
            yield Member(name=name, line=name, marker=_marker(place.platforms))


def unseen_extensions(family: Family, names: Collection[str], snapshot: Snapshot) -> tuple[str, ...]:
    """Return compiled companions of the project that the index has for this kind, without a build that was seen."""
    return tuple(name for name, _ in _on_index(family, names) if not _is_seen(name, family.variant, snapshot))


def _on_index(family: Family, names: Collection[str]) -> Iterator[tuple[str, BuildPlace]]:
    kind = variant(family.variant).kind
    for name, known in extensions().items():
        if name not in names or "triton" in name:
            continue
        for place in known.builds:
            has_kind = place.kinds is None or kind in place.kinds
            has_torch = place.torch is None or SpecifierSet(place.torch).contains(family.torch)
            if place.place == "pytorch" and has_kind and has_torch:
                yield name, place
                break


def _is_seen(name: str, variant_name: str, snapshot: Snapshot) -> bool:
    return any(wheel.variant == variant_name for wheel in snapshot.project(name))


def _marker(platforms: Iterable[str]) -> str | None:
    """The systems that a place has builds for; None for all."""
    systems = {platform.partition("_")[0] for platform in platforms}
    if systems >= set(_SYSTEMS):
        return None
    return " or ".join(f"sys_platform == '{_SYSTEMS[system]}'" for system in sorted(systems))


def _accelerator(family: Family, snapshot: Snapshot) -> Iterator[Member]:
    """The triton of a ROCm or XPU build: a source of uv serves direct dependencies alone, so it becomes one."""
    name = accelerator_package(snapshot.release(family.torch), family.variant, snapshot)
    if name is not None:
        systems = ("linux",) if variant(family.variant).kind == "rocm" else ("linux", "windows")
        marker = _marker(systems)
        yield Member(name=name, line=f"{name}; {marker}", marker=marker)
