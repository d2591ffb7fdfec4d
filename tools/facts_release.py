"""Build the data of one torch release: its matrix, its companions, its files."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from facts_wheels import groups, platform_of, pypi_group, python_of, python_order, pythons_of
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

__all__ = ["PLATFORMS", "Facts", "release"]

PLATFORMS = (
    "linux_x86_64",
    "linux_aarch64",
    "windows_x86_64",
    "windows_arm64",
    "macos_arm64",
    "macos_x86_64",
)

Facts = dict[str, Any]


def release(torch: str, *, compat: Facts, pypi: Facts, rows: list[Facts], shared: set[str]) -> Facts:
    """Return the data file of a release. `shared` names companions that have a file of their own."""
    facts = compat["releases"][torch]
    pair = next(row for row in compat["pairs"]["list"] if row["torch"] == torch)
    wanted = {"torch": {torch}, "torchvision": set(pair["torchvision_allowed"])}
    wanted["torchaudio"] = {pair["torchaudio"]}
    keep = {p: {v for v in versions if f"{p}-{v}" not in shared} for p, versions in wanted.items()}
    listed = [row for row in rows if row["version"].split("+")[0] in keep.get(row["project"], ())]
    torch_files = [row for row in listed if row["project"] == "torch"]
    on_pypi = pypi["torch"][torch]
    return {
        "torch": torch,
        "as_of": compat["_meta"]["generated"],
        "released": facts["released"] or on_pypi["upload_date"],
        "requires_python": facts["requires_python"],
        "yanked": on_pypi["yanked"],
        "pypi_cuda_toolkit": facts["pypi_default_cuda_toolkit"],
        "pypi_cudnn": facts["pypi_default_cudnn"],
        "triton": {"version": facts["triton"], "condition": facts["triton_condition"]},
        "setuptools": facts["setuptools"],
        "numpy": _numpy(Version(torch), compat["numpy"]),
        "sources": _sources(facts, compat),
        "platforms": {name: _platform(name, facts, torch_files) for name in PLATFORMS},
        "companions": _companions(pair, compat["pairs"], pypi),
        "wheels": groups(listed),
        "pypi": [pypi_group(p, v, pypi[p][v]) for p in keep for v in sorted(keep[p], key=Version)],
        "shared": sorted(f"{p}-{v}" for p in wanted for v in wanted[p] - keep[p]),
    }


def _sources(facts: Facts, compat: Facts) -> dict[str, str]:
    source = dict(facts["source"])
    source["released"] = (
        "release dates in test-infra and RELEASE.md" if facts["released"] else "first upload to PyPI"
    )
    source["glibc_min"] += (
        "; raised where every listed file of a variant has a manylinux tag that asks for more"
    )
    source["index_only_pythons"] = (facts.get("download_index_extra_python") or {}).get(
        "source", "listed files"
    )
    source["companions"] = compat["pairs"]["source"]
    source["numpy"] = compat["numpy"]["source"]
    source["pypi"] = compat["_meta"]["sources"]["pypi"]
    source["listed"] = compat["_meta"]["sources"]["urls"]
    return source


def _numpy(torch: Version, rule: Facts) -> dict[str, str]:
    """Return the NumPy requirement of each platform that has one, by the rule of the facts."""
    old = rule["built_against_numpy1_only"]
    if torch in SpecifierSet(old["torch"]):
        return dict.fromkeys(PLATFORMS, old["remedy"].removeprefix("numpy"))
    if str(torch) in rule["partial"]["torch"]:
        return {"windows_x86_64": old["remedy"].removeprefix("numpy")}
    return {}


def _platform(name: str, facts: Facts, torch_files: list[Facts]) -> Facts:
    files = [row for row in torch_files if platform_of(row["filename"]) == name]
    published = list(facts["variants"][name])
    unseen = {row["variant"] for row in files if row["variant"]} - set(published)
    notes = _notes(name, facts["variants"].get("unconfirmed", {}))
    on_pypi = facts["pypi_wheels"].get(name, [])
    pythons = sorted({p for tag in on_pypi for p in tag["python"]}, key=python_order)
    extra = facts.get("download_index_extra_python") or {}
    index_only = {python_of(row["filename"]) for row in files}
    index_only |= set(extra.get(name.partition("_")[0], ()))
    default = facts["pypi_default"].get(name)
    return {
        # A file that was seen proves the build, whatever the matrix says.
        "variants": sorted({*published, *unseen}, key=_natural),
        "unmatrixed": {
            v: notes.get(v, "not in the build matrix; files of it are listed") for v in sorted(unseen)
        },
        "unconfirmed": {v: note for v, note in notes.items() if v not in _variants(files)},
        "pythons": pythons,
        "index_only_pythons": sorted(index_only - set(pythons), key=python_order),
        "index_only_note": extra.get("note") if name.partition("_")[0] in extra else None,
        "glibc": _glibc(facts["glibc_min"].get(name, {}), files),
        "macos": [[tag["tag"], tag["python"]] for tag in on_pypi] if name.startswith("macos") else [],
        "pypi_default": default.split(" ")[0] if default else None,
    }


def _natural(variant: str) -> list[tuple[int, str]]:
    """Sort `rocm7.2` before `rocm7.14`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", variant)]


def _variants(files: list[Facts]) -> set[str]:
    return {row["variant"] for row in files}


def _notes(platform: str, unconfirmed: dict[str, str]) -> dict[str, str]:
    """Return the notes of one platform: keys are `platform:variant,variant`, or a CUDA variant alone."""
    notes = {}
    for key, note in unconfirmed.items():
        where, colon, names = key.rpartition(":")
        if (colon and where == platform) or (not colon and platform in PLATFORMS[:3]):
            notes.update(dict.fromkeys(names.split(","), note))
    return dict(sorted(notes.items()))


def _glibc(floors: dict[str, str], files: list[Facts]) -> dict[str, str]:
    """Return the floors, raised where every listed file of a variant carries a tag that asks for more."""
    tagged: dict[str, list[str | None]] = defaultdict(list)
    for row in files:
        tagged[row["variant"] or "all"].append(_tag_floor(row["filename"]))
    raised = dict(floors)
    for variant, found in tagged.items():
        known = [floor for floor in found if floor is not None]
        floor = floors.get(variant, floors.get("all"))
        if floor and len(known) == len(found) and all(Version(f) > Version(floor) for f in known):
            raised[variant] = min(known, key=Version)
    return raised


def _tag_floor(filename: str) -> str | None:
    tags = parse_wheel_filename(filename)[3]
    found = [re.match(r"manylinux_(\d+)_(\d+)_", tag.platform) for tag in tags]
    floors = [f"{match[1]}.{match[2]}" for match in found if match]
    return min(floors, key=Version) if floors else None


def _companions(pair: Facts, pairs: Facts, pypi: Facts) -> Facts:
    wanted = {"torchvision": pair["torchvision_allowed"], "torchaudio": [pair["torchaudio"]]}
    return {project: _companion(project, versions, pair, pairs, pypi) for project, versions in wanted.items()}


def _companion(project: str, versions: list[str], pair: Facts, pairs: Facts, pypi: Facts) -> Facts:
    ordered = sorted(versions, key=Version, reverse=True)
    declared = pair[f"{project}_constraint"]
    constraint, _, remark = declared.partition(" (")
    note = pair["note"] if pair["note"] and project in pair["note"] else None
    if constraint.startswith("none"):
        constraint, note = None, f"declares no torch requirement ({remark}" + (f"; {note}" if note else "")
    check = pairs["torchvision_cuda_check"] if len(ordered) > 1 and project == "torchvision" else None
    return {
        "versions": ordered,
        "constraint": constraint,
        "pythons": {v: pythons_of(_wheels(pypi[project][v])) for v in ordered},
        "requires_python": {v: pypi[project][v]["requires_python"] for v in ordered},
        "uploaded": {v: pypi[project][v]["upload_date"] for v in ordered},
        "note": "; ".join(filter(None, (note, check))) or None,
    }


def _wheels(entry: Facts) -> list[str]:
    return [file["filename"] for file in entry["files"] if file["filename"].endswith(".whl")]
