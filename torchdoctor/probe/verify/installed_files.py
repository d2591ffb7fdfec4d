"""The check of the installed files, by their metadata alone: it works for a torch that cannot be imported."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
import re
import sys
from importlib import metadata
from typing import Any, NamedTuple

from ..facts import COMPANIONS, version_of
from ..message import joined, sentence
from ..requirements import required_packages
from ..step import Outcome, failed, passed, skipped, warned

__all__ = ["installed_files"]

_COMPILED = re.compile(r"\.(so|dylib|dll|pyd)(\.[\d.]+)?$")
# Programs are rewritten on installation, bytecode on use; headers are not needed to run.
_IGNORED_SUFFIXES = (".pyc", ".h", ".cuh", ".hpp", ".cmake", ".pyi")
# Of the codes, by whose the files are: torch's own and its build's, NumPy's, of another package that torch requires.
_KINDS = ("files", "numpy-files", "dependency-files")
# The sentence names this many files and counts the rest.
_MAX_NAMED = 3
_MAX_EVIDENCE_LINES = 30


class _Problem(NamedTuple):
    """A file that is missing or has another size, as a sentence; `compiled` says whether it is a library."""

    package: str
    text: str
    compiled: bool

    @property
    def is_own(self) -> bool:
        """Whether it is of torch itself, a companion, or a library that belongs to its build."""
        return self.package in ("torch", "triton", *COMPANIONS) or self.package.startswith(
            ("nvidia-", "cuda-", "pytorch-triton", "triton-")
        )


def installed_files(_torch: Any, _device: str) -> Outcome:
    """Compare every file that RECORD lists with the one on disk, by size, and name those that are missing or cut."""
    counts: list[str] = []
    problems: list[_Problem] = []
    for name in ("torch", *COMPANIONS):
        installations = _first_installations(name)
        if len(installations) > 1:
            return failed("installed-twice", _several_versions(name, installations))
        for distribution in installations:
            recorded = _recorded_files(distribution)
            if recorded is None:
                counts.append(sentence("{name} has no list of its files (RECORD)", name=name))
                continue
            counts.append(sentence("{count} files of {name}", count=len(recorded), name=name))
            problems += _compare_with_disk(name, distribution, recorded)
    folder = None if _first_installations("torch") else _torch_folder()
    if folder is not None:
        text = sentence("{folder} has no metadata: pip and uv take torch for not installed", folder=folder)
        return warned("metadata-missing", text)
    if not counts:
        return skipped("metadata-missing", sentence("neither torch nor a companion has metadata here"))
    names = _required_names()
    for name in names:
        for distribution in _first_installations(name)[:1]:
            problems += _compare_with_disk(name, distribution, _recorded_files(distribution) or [])
    if problems:
        return _told(problems, counts)
    text = sentence("{said}, all there", said=joined(counts))
    more = sentence("; also those of {count} packages that torch requires", count=len(names)) if names else ""
    return passed(joined([text, more], ""))


def _told(problems: list[_Problem], counts: list[str]) -> Outcome:
    """The outcome for files that are missing or cut: its code says whose they are."""
    own = [problem for problem in problems if problem.is_own]
    owners = {problem.package for problem in problems}
    kind = _KINDS[0 if own else 1 if owners == {"numpy"} else 2]
    problems = own or problems
    pins = _pins(problems)
    again = (
        sentence("; install it again: pip install --force-reinstall --no-deps {pins}", pins=pins)
        if pins
        else ""
    )
    if any(problem.compiled for problem in problems):
        few = _first_few([problem.text for problem in problems if problem.compiled])
        text = sentence("compiled files are missing or damaged: {few}{again}", few=few, again=again)
        evidence = tuple(problem.text for problem in problems)
        return failed(kind + "-damaged", text, evidence[:_MAX_EVIDENCE_LINES])
    few = _first_few([problem.text for problem in problems])
    text = sentence("{missing} (of {counted}){again}", missing=few, counted=joined(counts), again=again)
    return warned(kind + "-missing", text)


def _required_names() -> list[str]:
    """What torch and its companions require, and NumPy, which torch uses without requiring it."""
    names = {each.name for root in ("torch", *COMPANIONS) for each in required_packages(root)}
    return sorted((names | {"numpy"}) - {"torch", *COMPANIONS})


def _torch_folder() -> str | None:
    """The folder of a torch in site-packages."""
    for folder in sys.path:
        place = os.path.join(folder, "torch")  # noqa: PTH118  # as the other paths here
        if os.path.basename(folder) == "site-packages" and os.path.isfile(os.path.join(place, "version.py")):  # noqa: PTH113, PTH118, PTH119
            return place
    return None


def _pins(problems: list[_Problem]) -> str:
    """The packages at the versions that are installed: others would not belong to this torch."""
    names = sorted({problem.package for problem in problems})[:_MAX_EVIDENCE_LINES]
    versions = [(name, version_of(name)) for name in names]
    return " ".join(f"{name}=={version}" for name, version in versions if version)


def _several_versions(name: str, installations: list[Any]) -> str:
    versions = sorted(str(distribution.version) for distribution in installations)
    return sentence(
        "{name} is installed more than once: {versions}; remove both, then run: torchdoctor install",
        name=name,
        versions=" and ".join(versions),
    )


def _first_installations(name: str) -> list[Any]:
    """The installations in the folder from which it is imported; one behind it, as the system's, does no harm."""
    found: dict[tuple[str, str], Any] = {}
    for distribution in metadata.distributions(name=name):
        folder = os.path.realpath(str(distribution.locate_file("")))
        found.setdefault((folder, str(distribution.version)), distribution)
    first = next(iter(found), None)
    return [distribution for key, distribution in found.items() if first and key[0] == first[0]]


def _first_few(texts: list[str]) -> str:
    rest = len(texts) - _MAX_NAMED
    more = sentence(" and {shown} more", shown=rest) if rest > 0 else ""
    return joined([joined(texts[:_MAX_NAMED]), more], "")


def _recorded_files(distribution: Any) -> list[tuple[str, int | None]] | None:
    """Path and size of each file that matters; None without a RECORD that can be read."""
    try:
        listed = distribution.files
    except Exception:  # noqa: BLE001  # RECORD is somebody's text: csv and path errors alike mean that it is unreadable
        return None
    if not listed:
        return None
    paths = ((str(file), file.size) for file in listed)
    return [
        (path, size)
        for path, size in paths
        if not path.startswith("..") and not path.endswith(_IGNORED_SUFFIXES)
    ]


def _compare_with_disk(
    package: str, distribution: Any, recorded: list[tuple[str, int | None]]
) -> list[_Problem]:
    """Those that are missing, then the compiled ones of another size."""
    root = str(distribution.locate_file(""))
    # conda rewrites the prefix inside files, so sizes need not agree there.
    has_sizes = (distribution.read_text("INSTALLER") or "").strip() != "conda"
    missing, changed = [], []
    if not distribution.version:
        missing.append(_Problem(package, sentence("the METADATA of {name} is empty", name=package), False))
    for name, size in recorded:
        compiled = bool(_COMPILED.search(name))
        try:
            there = os.stat(os.path.join(root, name)).st_size  # noqa: PTH116, PTH118  # thousands of files: twice as fast
        except OSError:
            if not _is_shared(name, size):
                missing.append(_Problem(package, sentence("{name} is missing", name=name), compiled))
            continue
        # Somebody may have edited a module; an empty one is a cut one.
        if has_sizes and size is not None and there != size and (compiled or there == 0):
            text = sentence("{name} has {there} bytes, not {size}", name=name, there=there, size=size)
            changed.append(_Problem(package, text, compiled))
    return missing + changed


def _is_shared(name: str, size: int | None) -> bool:
    """Whether a file that is missing is an empty one which NVIDIA's packages share: pip removes it with any of them."""
    empty = name.startswith("nvidia/") and name.endswith("/__init__.py") and size == 0
    return empty or name == "nvidia/__init__.py"
