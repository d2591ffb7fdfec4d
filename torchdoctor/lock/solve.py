"""Offer -> Solution: uv decides torch, its companions and everything else of a request in one run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.lock.compile import compile_failure, run_compile
from torchdoctor.lock.solve_inputs import SOLVED, write_solve_inputs

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.lock.solve_inputs import SolverOffer

__all__ = ["Solution", "newest_versions", "solve"]

# `name==1.0  # via other, -r requirements.in`; a URL stands in place of the version where one was asked for.
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:==\s*(?P<version>\S+)|@\s*(?P<url>\S+))(?P<rest>.*)"
)
_WHEEL_VERSION = re.compile(r"/[^/-]+-(?P<version>[^/-]+)-[^/]+\.whl")


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """The versions that go together, and who requires each project."""

    versions: Mapping[str, str]  # by normalised name; empty text for a file that does not name its version
    required_by: Mapping[
        str, tuple[str, ...]
    ]  # the projects that require it; none for what was only asked for


def solve(
    lines: Sequence[str],
    offer: SolverOffer,
    request: LockRequest,
    *,
    folder: Path,
    on_wait: Callable[[float, str], None] | None = None,
    stopped: threading.Event | None = None,
) -> Solution:
    """Choose the versions for requirement `lines`, torch and its companions among those of the offer alone.

    Those that come first are kept newest. `folder` is empty and takes what uv reads and writes. Raises what
    `compile_lock` raises, and `UvStopped` soon after another thread has set `stopped`.
    """
    write_solve_inputs(lines, request, folder)
    finished = run_compile(
        [
            "--constraints", "constraints.txt", "--overrides", "overrides.txt", "--excludes", "excludes.txt",
            "--output-file", folder / SOLVED, "--annotation-style", "line",
        ],
        request, folder=folder, config=offer.config, on_wait=on_wait, stopped=stopped,
    )  # fmt: skip
    if finished.status != 0:
        raise compile_failure(finished, offer.refused, request.sources.limits.cutoff)
    return read_solution((folder / SOLVED).read_text("utf-8"))


def newest_versions(
    lines: Sequence[str],
    offer: SolverOffer,
    request: LockRequest,
    *,
    folder: Path,
    stopped: threading.Event | None = None,
) -> Mapping[str, str]:
    """Return the newest version of each project asked for that has a file for this machine, whatever it requires.

    Raises what `solve` raises.
    """
    write_solve_inputs(lines, request, folder)
    finished = run_compile(
        ["--no-deps", "--constraints", "constraints.txt", "--output-file", folder / SOLVED, "--no-annotate"],
        request,
        folder=folder,
        config=offer.config,
        stopped=stopped,
    )
    if finished.status != 0:
        raise compile_failure(finished, offer.refused, request.sources.limits.cutoff)
    return read_solution((folder / SOLVED).read_text("utf-8")).versions


def read_solution(text: str) -> Solution:
    """Return what the output of `uv pip compile` says."""
    versions: dict[str, str] = {}
    required_by: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        name = canonicalize_name(found["name"])
        versions[name] = found["version"] or _version_in(found["url"])
        _, _, origins = found["rest"].partition("# via ")
        required_by[name] = tuple(
            str(canonicalize_name(origin))
            for origin in (part.strip() for part in origins.split(","))
            if origin and not origin.startswith("-")
        )
    return Solution(versions=versions, required_by=required_by)


def _version_in(url: str) -> str:
    found = _WHEEL_VERSION.search(url)
    return found["version"].replace("%2B", "+") if found is not None else ""
