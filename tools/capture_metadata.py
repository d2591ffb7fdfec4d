"""Capture real metadata of packages from PyPI into one JSON file, for the tests that solve whole projects.

    python tools/capture_metadata.py tests/projects/data/pypi.json --versions wanted.txt --as-of 2026-12-01

`wanted.txt` has a `name==version` on each line: versions to capture. Of every project that these require, the newest
version for each Python is captured that the requirement allows, and so on. Of a version are kept: `requires_python`,
`requires_dist` without extras that nobody asks for, and of its files the names that the machines of the tests can take.
It reads PyPI's simple index (PEP 691), and of the files what `published_metadata.py` reads.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version
from published_metadata import TIMEOUT_SECONDS, requirement_lines

PYPI = "https://pypi.org/simple"
PYTHONS = ("3.10", "3.11", "3.12")
# What PyTorch's own index serves in the tests.
LEFT_OUT = frozenset({"torch", "torchvision", "torchaudio"})
MARKERS = tuple(
    {"sys_platform": sys_platform, "platform_system": system, "os_name": os_name, "platform_machine": machine}
    for sys_platform, system, os_name, machine in (
        ("linux", "Linux", "posix", "x86_64"),
        ("win32", "Windows", "nt", "AMD64"),
        ("darwin", "Darwin", "posix", "arm64"),
    )
)
_LINE_CHARACTERS = 110
_Asked = tuple[str, SpecifierSet, frozenset[str]]  # a project, what of it is allowed, and its extras


@dataclass
class Capture:
    """What is captured so far, and of each project what others ask of it."""

    session: requests.Session = field(default_factory=requests.Session)
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    extras: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    lines: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def listed(self, name: str) -> list[dict[str, Any]]:
        """The files of a project, without the withdrawn ones."""
        if name not in self.files:
            answer = self.session.get(
                f"{PYPI}/{name}/",
                headers={"Accept": "application/vnd.pypi.simple.v1+json"},
                timeout=TIMEOUT_SECONDS,
            )
            found = answer.json()["files"] if answer.ok else []
            self.files[name] = [file for file in found if not file.get("yanked") and _version_of(file)]
        return self.files[name]

    def newest(self, name: str, specifier: SpecifierSet) -> set[str]:
        """The newest version for each Python that a requirement allows."""
        found = set()
        for python in PYTHONS:
            allowed = [
                version
                for version in {_version_of(file) for file in self.listed(name) if _admits(file, python)}
                if version is not None
                and (specifier.contains(version, prereleases=bool(specifier.prereleases)))
            ]
            if allowed:
                found.add(str(max(allowed)))
        return found

    def take(self, name: str, version: str) -> list[str]:
        """Capture one version, and return its requirement lines; nothing where PyPI has no such version."""
        if (name, version) not in self.lines:
            files = [file for file in self.listed(name) if str(_version_of(file)) == version]
            if not files:
                print(f"PyPI has no {name} {version}", file=sys.stderr)
                self.lines[name, version] = []
                return []
            self.lines[name, version] = requirement_lines(self.session, files)
            self.versions[name][version] = {
                "requires_python": files[0].get("requires-python"),
                "files": _kept(files),
            }
        return self.lines[name, version]


def capture(wanted: list[Requirement]) -> dict[str, Any]:
    """Capture the versions wanted and everything that they require."""
    state = Capture()
    asked: set[tuple[str, str, frozenset[str]]] = set()
    todo: list[_Asked] = [
        (canonicalize_name(each.name), each.specifier, frozenset(each.extras)) for each in wanted
    ]
    while todo:
        fresh = [row for row in todo if row[0] not in LEFT_OUT and (row[0], str(row[1]), row[2]) not in asked]
        asked.update((name, str(specifier), extras) for name, specifier, extras in fresh)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(state.listed, {name for name, _, _ in fresh}))
            pairs = [
                (name, version, extras)
                for name, specifier, extras in fresh
                for version in state.newest(name, specifier)
            ]
            lines = list(pool.map(lambda pair: state.take(pair[0], pair[1]), pairs))
        todo = []
        for (name, _, extras), required in zip(pairs, lines, strict=True):
            state.extras[name] |= extras
            todo.extend(_followed(required, extras))
    return _document(state)


def _followed(lines: list[str], extras: frozenset[str]) -> list[_Asked]:
    found: list[_Asked] = []
    for line in lines:
        requirement = _requirement(line)
        if requirement is not None and requirement.url is None and _applies(requirement, extras):
            name = canonicalize_name(requirement.name)
            found.append((name, requirement.specifier, frozenset(requirement.extras)))
    return found


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Say whether a requirement holds for any of the tests' systems and Pythons."""
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate({**marker, "python_version": python, "python_full_version": f"{python}.8",
                                     "implementation_name": "cpython", "extra": extra})
        for marker in MARKERS
        for python in PYTHONS
        for extra in (extras or {""}) | {""}
    )  # fmt: skip


def _document(state: Capture) -> dict[str, Any]:
    packages = {}
    for name in sorted(state.versions):
        rows = {}
        for version in sorted(state.versions[name], key=Version, reverse=True):
            lines = [
                line
                for line in state.lines[name, version]
                if (requirement := _requirement(line)) is not None
                and _applies(requirement, frozenset(state.extras[name]))
            ]
            rows[version] = {**state.versions[name][version], "requires_dist": lines}
        packages[name] = rows
    return packages


def _requirement(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _version_of(file: dict[str, Any]) -> Version | None:
    try:
        if file["filename"].endswith(".whl"):
            return parse_wheel_filename(file["filename"])[1]
        return parse_sdist_filename(file["filename"])[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _admits(file: dict[str, Any], python: str) -> bool:
    try:
        return SpecifierSet(file.get("requires-python") or "").contains(f"{python}.8")
    except InvalidSpecifier:
        return False


def _kept(files: list[dict[str, Any]]) -> list[str]:
    """The best wheel for each Python and system, and the sdist where one of them has none."""
    wheels = [
        (parse_wheel_filename(file["filename"])[3], file["filename"])
        for file in files
        if file["filename"].endswith(".whl")
    ]
    kept, lacking = set(), False
    for ranks in (ranks for python in PYTHONS if _admits(files[0], python) for ranks in _targets(python)):
        fitting = [
            (min(ranks[tag] for tag in both), name) for tags, name in wheels if (both := tags & ranks.keys())
        ]
        lacking |= not fitting
        kept |= {min(fitting)[1]} if fitting else set()
    sdists = (
        {file["filename"] for file in files if not file["filename"].endswith(".whl")} if lacking else set()
    )
    return sorted(kept | sdists)


@cache
def _targets(python: str) -> tuple[dict[Tag, int], ...]:
    linux = [*(f"manylinux_2_{minor}_x86_64" for minor in range(39, 4, -1)),
             "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]  # fmt: skip
    systems = (linux, ["win_amd64"], list(mac_platforms((15, 0), "arm64")))
    version = tuple(map(int, python.split(".")))
    found = []
    for platforms in systems:
        tags = [*cpython_tags(version, platforms=platforms), *compatible_tags(version, platforms=platforms)]
        found.append({tag: rank for rank, tag in enumerate(tags)})
    return tuple(found)


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("--versions", type=Path, required=True, help="a name==version on each line")
    parser.add_argument("--as-of", required=True, help="the date of today")
    chosen = parser.parse_args()
    wanted = [Requirement(line) for line in chosen.versions.read_text("utf-8").split("\n") if line.strip()]
    packages = capture(wanted)
    document = {
        "as_of": chosen.as_of,
        "source": f"{PYPI}/ and the metadata of its files",
        "packages": packages,
    }
    text = json.dumps(document, indent=1)
    chosen.target.write_text(re.sub(r"\[\s+\]|\[\n\s+([^\]]*?)\n\s+\]", _one_line, text) + "\n", "utf-8")
    print(f"{sum(map(len, packages.values()))} versions of {len(packages)} projects")
    return 0


def _one_line(found: re.Match[str]) -> str:
    return (
        found[0] if len(found[0]) > _LINE_CHARACTERS else "[" + re.sub(r"\s*\n\s*", " ", found[1] or "") + "]"
    )


if __name__ == "__main__":
    sys.exit(main())
