"""Write a release that a live index showed in the form of the data files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facts_wheels import platform_of, python_of, python_order
from packaging.utils import parse_wheel_filename
from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from facts_sources import Seen

    from wheels_index import Companion, PlatformBuilds, Release

__all__ = ["new_release", "platforms_of", "with_companion"]

Facts = dict[str, Any]


def new_release(release: Release, said: Facts, sources: list[str]) -> Facts:
    """Return the data file of a release of which only files were seen: what is not known is null."""
    return {
        "torch": str(release.version),
        "as_of": release.as_of,
        "released": said.get("uploaded"),
        "requires_python": said.get("requires_python"),
        "yanked": bool(said.get("yanked")),
        "pypi_cuda_toolkit": None,
        "pypi_cudnn": None,
        "triton": {"version": None, "condition": None},
        "setuptools": None,
        "numpy": {},
        "sources": {"listed": f"{'; '.join(sources)}, read {release.as_of}"},
        "platforms": {},
        "companions": {},
        "wheels": [],
        "pypi": [],
        "shared": [],
    }


def platforms_of(release: Release, before: Facts, on_pypi: list[Seen]) -> Facts:
    """Return the platforms as data; PyPI's files add their Pythons, and their tags on macOS."""
    rows = {name: _platform(builds) for name, builds in release.platforms.items()}
    for name, row in rows.items():
        files = [seen.filename for seen in on_pypi if platform_of(seen.filename) == name]
        pythons = {python_of(file) for file in files} | set(row["pythons"])
        row["pythons"] = sorted(pythons, key=python_order)
        row["index_only_pythons"] = [p for p in row["index_only_pythons"] if p not in pythons]
        if name.startswith("macos"):
            row["macos"] = _macos(row["macos"], files)
        for key in ("pythons", "index_only_pythons", "variants"):
            old = before.get(name, {}).get(key)
            if old is not None and set(old) == set(row[key]):
                row[key] = old
    return rows


def _platform(builds: PlatformBuilds) -> Facts:
    return {
        "variants": list(builds.variants),
        "unmatrixed": dict(builds.unmatrixed),
        "unconfirmed": dict(builds.unconfirmed),
        "pythons": list(builds.pythons),
        "index_only_pythons": list(builds.index_only_pythons),
        "index_only_note": builds.index_only_note,
        "glibc": dict(builds.glibc),
        "macos": [[tag, list(pythons)] for tag, pythons in builds.macos],
        "pypi_default": builds.pypi_default,
    }


def _macos(before: list[list[Any]], files: list[str]) -> list[list[Any]]:
    rows = {tag: set(pythons) for tag, pythons in before}
    for file in files:
        for tag in parse_wheel_filename(file)[3]:
            rows.setdefault(tag.platform, set()).add(python_of(file))
    return [[tag, sorted(pythons, key=python_order)] for tag, pythons in rows.items()]


def with_companion(
    facts: Facts, project: str, row: Companion, *, shared_in: Path, files: dict[Path, Facts]
) -> None:
    """Write a companion's row, and share its file when another release has it too."""
    old = facts["companions"].get(project)
    versions = [str(version) for version in row.versions]
    if old is not None and old["versions"] == versions:
        return
    facts["companions"][project] = {
        "versions": versions,
        "constraint": row.constraint,
        "pythons": {version: list(row.pythons.get(version, ())) for version in versions},
        "requires_python": {version: row.requires_python.get(version) for version in versions},
        "uploaded": {version: row.uploaded.get(version) for version in versions},
        "note": row.note,
    }
    if pypi_only := row.pypi_only.intersection(versions):
        facts["companions"][project]["pypi_only"] = sorted(pypi_only)
    for version in versions:
        name, path = f"{project}-{version}", shared_in / f"{project}-{version}.json"
        others = [
            data
            for place, data in files.items()
            if place.parent.name == "releases"
            and version in data["companions"].get(project, {}).get("versions", ())
        ]
        if path not in files and len(others) > 1:
            files[path] = {
                "as_of": facts["as_of"],
                "sources": dict(facts["sources"]),
                "wheels": [],
                "pypi": [],
            }
            for data in others:
                _move(data, files[path], project, version)
        for data in others if path in files else ():
            data["shared"] = sorted({*data["shared"], name})


def _move(data: Facts, shared: Facts, project: str, version: str) -> None:
    for kind in ("wheels", "pypi"):
        mine = [g for g in data[kind] if g["project"] == project and Version(g["version"]).public == version]
        shared[kind] += mine
        data[kind] = [group for group in data[kind] if group not in mine]
