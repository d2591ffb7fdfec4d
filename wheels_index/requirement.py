"""What torch and its companions declare to require, as it was read in the metadata of PyPI's files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheels_index._data import FOLDER, read_json
from wheels_index.variant import variant as variant_named

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = ["DeclaredRequirements", "declared_requirements"]

# Packages that belong to one accelerator: a build for another one requires others, in versions of its own.
_ACCELERATOR = re.compile(r"(nvidia|cuda|pytorch-triton|triton|intel|onemkl|dpcpp|tbb|umf|oneccl|impi)\b")
_TRITON = re.compile(r"triton\b(?!-)")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredRequirements:
    """The `Requires-Dist` lines of one version, without what a build for this accelerator is not known to require."""

    lines: tuple[str, ...]
    requires_python: str | None
    # False where the build's own file was not read: which CUDA, ROCm or oneAPI packages it requires is unknown.
    complete: bool


def declared_requirements(
    project: str, version: Version, *, platform: str | None, variant: str, default_variant: str | None
) -> DeclaredRequirements | None:
    """Return what a version declares as a build of `variant`, or None where no file of it was read.

    PyPI's files are builds of `default_variant`; those of other variants are taken to declare the same, except for
    the packages of the accelerator. CUDA builds of one release use one triton.

    >>> from packaging.version import Version
    >>> declared_requirements(
    ...     "torchaudio", Version("2.10.0"), platform="linux_x86_64", variant="cu126", default_variant="cu128"
    ... ).lines
    ('torch==2.10.0',)
    """
    found = _versions(project).get(version.public)
    if found is None:
        return None
    lines = tuple(found["by_platform"].get(platform or "", found["requires_dist"]))
    complete = True
    if variant != default_variant:
        kind = variant_named(variant).kind
        complete = kind == "cpu" or not any(map(_ACCELERATOR.match, lines))
        lines = tuple(line for line in lines if not _is_of_another_accelerator(line, kind))
    return DeclaredRequirements(lines=lines, requires_python=found["requires_python"], complete=complete)


def _is_of_another_accelerator(line: str, kind: str) -> bool:
    return _ACCELERATOR.match(line) is not None and not (kind == "cuda" and _TRITON.match(line))


def _versions(project: str) -> dict[str, Any]:
    if not (FOLDER / "requires" / f"{project}.json").is_file():
        return {}
    versions: dict[str, Any] = read_json(f"requires/{project}.json")["versions"]
    return versions
