"""Checks of what is installed, by its files and metadata alone: they can be made of a torch that cannot be imported."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib.util
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Iterator

from .. import facts
from ..message import joined, sentence
from ..step import Outcome, failed, passed, skipped, warned

__all__ = ["built", "files", "pairing"]

_FAMILY = ("torch", "torchvision", "torchaudio")
_LIBRARY = re.compile(r"\.(so|dylib|dll|pyd)(\.[\d.]+)?$")
# At most this many are named; the rest are counted.
_SHOWN = 3
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?\s*([^;)]*)\)?\s*(?:;\s*(.*))?$")


def files(_torch: Any, _device: str) -> Outcome:
    """Compare every file that RECORD lists with what is there, by size: a file cut short or deleted is named."""
    said, missing, changed = [], [], []
    for name in _FAMILY:
        found = _first_place(name)
        if len(found) > 1:
            versions = " and ".join(sorted(str(row.version) for row in found))
            return failed(
                sentence(
                    "{name} is installed more than once: {versions}; remove both, then run: torchdoctor "
                    "install",
                    name=name,
                    versions=versions,
                )
            )
        for distribution in found:
            rows = _recorded(distribution)
            if rows is None:
                said.append(sentence("{name} has no list of its files (RECORD)", name=name))
                continue
            said.append(sentence("{count} files of {name}", count=len(rows), name=name))
            lost, other = _compared(distribution, rows)
            missing += lost
            changed += other
    broken = [row for row in missing + changed if _LIBRARY.search(row.partition(" ")[0])]
    again = sentence("; install it again: pip install --force-reinstall --no-deps")
    if broken:
        return failed(
            sentence("compiled files are missing or damaged: {few}{again}", few=_few(broken), again=again),
            tuple(missing + changed)[:30],
        )
    if not said:
        return skipped(sentence("neither torch nor a companion has metadata here"))
    if missing:
        return warned(
            sentence(
                "{missing} (of {counted}){again}", missing=_few(missing), counted=joined(said), again=again
            )
        )
    return passed(sentence("{said}, all there", said=joined(said)))


def _first_place(name: str) -> list[Any]:
    """The installations in the folder from which it is imported; one behind it, as the system's, does no harm."""
    found: dict[tuple[str, str], Any] = {}
    for row in metadata.distributions(name=name):
        found.setdefault((os.path.realpath(str(row.locate_file(""))), str(row.version)), row)
    first = next(iter(found), None)
    return [row for key, row in found.items() if first and key[0] == first[0]]


def _few(rows: list[str]) -> str:
    more = sentence(" and {shown} more", SHOWN=len(rows) - _SHOWN) if len(rows) > _SHOWN else ""
    return joined([joined(rows[:_SHOWN]), more], "")


def _recorded(distribution: Any) -> list[tuple[str, int | None]] | None:
    """Path and size of each file that matters, None without a RECORD that can be read."""
    try:
        listed = distribution.files
    except Exception:  # noqa: BLE001  # RECORD is somebody's text: csv and path errors alike mean that it is unreadable
        return None
    if not listed:
        return None
    rows = []
    for row in listed:
        text = str(row)
        # Programs are rewritten when they are installed, bytecode when it is used; headers are not needed to run.
        if not text.startswith("..") and not text.endswith((".pyc", ".h", ".cuh", ".hpp", ".cmake", ".pyi")):
            rows.append((text, row.size))
    return rows


def _compared(distribution: Any, rows: list[tuple[str, int | None]]) -> tuple[list[str], list[str]]:
    root = str(distribution.locate_file(""))
    # conda rewrites the prefix inside files, so sizes need not agree there.
    sized = (distribution.read_text("INSTALLER") or "").strip() != "conda"
    missing, changed = [], []
    for name, size in rows:
        try:
            there = os.stat(os.path.join(root, name)).st_size  # noqa: PTH116, PTH118  # thousands of files: twice as fast
        except OSError:
            missing.append(sentence("{name} is not there", name=name))
            continue
        if sized and size is not None and there != size and _LIBRARY.search(name):
            changed.append(
                sentence("{name} has {there} bytes, not {size}", name=name, there=there, size=size)
            )
    return missing, changed


def pairing(_torch: Any, _device: str) -> Outcome:
    """Compare releases and builds of torch and what is compiled against it, and the libraries that torch pins."""
    torch = built("torch")
    if torch is None:
        return skipped(sentence("torch is not installed"))
    wrong: list[str] = []
    # A warning only: a torch that finds the system's libraries works without the wheels, and the import will tell.
    odd = list(_unmet())
    said = [sentence("torch {torch}", torch=torch)]
    for name in _FAMILY[1:]:
        version = built(name)
        if version is None:
            continue
        said.append(f"{name} {version}")
        wanted = _torch_wanted_by(name)
        if wanted and wanted != torch.partition("+")[0]:
            wrong.append(
                sentence(
                    "{name} {version} is made for torch {wanted}, and torch {torch} is here",
                    name=name,
                    version=version,
                    wanted=wanted,
                    torch=torch,
                )
            )
        how = _builds_differ(torch, version)
        if how:
            # torchaudio's compiled part has become small; whether it works is for its own check to say.
            hard = how == "kind" and name == "torchvision"
            (wrong if hard else odd).append(
                sentence(
                    "{name} {version} and torch {torch} are different builds",
                    name=name,
                    version=version,
                    torch=torch,
                )
            )
    if wrong:
        names = "".join(f" --with {name}" for name in _FAMILY[1:] if built(name))
        again = sentence("; run: torchdoctor install{names}", names=names)
        return failed(joined([joined(wrong + odd, "; "), again], ""))
    if odd:
        return warned(joined(odd, "; "))
    return passed(
        sentence("{names} belong together", names=joined(said))
        if len(said) > 1
        else sentence("torch {torch} stands alone", torch=torch)
    )


def built(name: str) -> str | None:
    """The version with its build tag, which may be in the files only: torchvision+cu130's metadata says 0.28.0."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    for folder in (spec.submodule_search_locations if spec else None) or ():
        try:
            text = Path(folder, "version.py").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found = re.search(r"__version__\s*(?::\s*\w+\s*)?=\s*['\"]([^'\"]+)", text)
        if found:
            return found.group(1)
    return facts.version_of(name)


def _requirements(name: str) -> Iterator[tuple[str, str, str]]:
    """Name, specifier and marker of each requirement."""
    try:
        rows = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for row in rows:
        found = _REQUIREMENT.match(row.strip())
        if found:
            yield found.group(1).lower().replace("_", "-"), found.group(2).strip(), found.group(3) or ""


def _torch_wanted_by(name: str) -> str | None:
    for required, specifier, _ in _requirements(name):
        exact = re.match(r"==\s*([\d.]+)$", specifier)
        if required == "torch" and exact:
            return exact.group(1)
    return None


def _unmet() -> Iterator[str]:
    """The CUDA libraries and the compiler that torch pins and that are missing or of another version."""
    for name, specifier, marker in _requirements("torch"):
        exact = re.match(r"==\s*([\w.]+)$", specifier)
        if not exact or not name.startswith(("nvidia-", "triton", "pytorch-triton")) or not _applies(marker):
            continue
        here = facts.version_of(name)
        if here is None:
            yield sentence(
                "{name} {group} is not installed, and torch needs it", name=name, group=exact.group(1)
            )
        elif here.partition("+")[0] != exact.group(1).partition("+")[0]:
            yield sentence(
                "{name} is {here}, and torch needs {group}", name=name, here=here, group=exact.group(1)
            )


def _applies(marker: str) -> bool:
    """Whether a marker of the simple kind that torch's wheels have holds here; False for any other."""
    here = {
        "platform_system": platform.system(),
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
    }
    for part in re.split(r"\s+and\s+", marker.strip()) if marker.strip() else []:
        found = re.match(r"\(?\s*(\w+)\s*(==|!=)\s*['\"]([^'\"]*)['\"]\s*\)?$", part)
        if not found or found.group(1) not in here:
            return False
        if (here[found.group(1)] == found.group(3)) != (found.group(2) == "=="):
            return False
    return True


def _builds_differ(torch: str, companion: str) -> str | None:
    """None when the tags agree or one has none; `minor` for two CUDA builds of one major version; else `kind`."""
    one, two = torch.partition("+")[2], companion.partition("+")[2]
    known = re.compile(r"(cpu|cu\d+|rocm|xpu)")
    if one == two or not known.match(one) or not known.match(two):
        return None
    both = re.match(r"cu(\d+)\d,cu(\d+)\d$", f"{one},{two}")
    return "minor" if both and both.group(1) == both.group(2) else "kind"
