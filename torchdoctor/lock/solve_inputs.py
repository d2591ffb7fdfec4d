"""What uv reads to choose among several builds of torch: an index that lists them all, and what each requires."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import tomli_w

from torchdoctor.core.requirement_names import project_in
from torchdoctor.lock.local_index import UPLOAD_TIME, filtered_find_links, index_anchor, write_index_page
from torchdoctor.lock.stand_ins import write_stand_ins
from torchdoctor.lock.uv_inputs import uv_settings, write_lines
from torchdoctor.lock.variant_metadata import variant_metadata
from torchdoctor.resolve.offer import torch_requirement
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.resolve.offer import OfferedBuild

__all__ = ["SOLVED", "SolverOffer", "write_offer", "write_solve_inputs"]

_project_in = lru_cache(maxsize=4096)(project_in)  # builds of a project require nearly the same

SOLVED = "solved.txt"


@dataclass(frozen=True, kw_only=True, slots=True)
class SolverOffer:
    """What runs of uv choose among: written once, and read by each of them."""

    config: Path  # uv's settings, which name every source
    refused: Mapping[str, str]  # why files of local folders are kept from uv


def write_offer(builds: Sequence[OfferedBuild], request: LockRequest, folder: Path) -> SolverOffer:
    """Write an index of the builds, and settings that name it and the request's sources, into `folder`.

    It is empty. The packages without a wheel that may be chosen are offered too.
    """
    sources = request.sources
    index = folder / "planned"
    index.mkdir()
    metadata = _write_index(index, builds)
    linked: dict[str, str] = {}
    refused: dict[str, str] = {}
    find_links = [
        filtered_find_links(
            source.url, frozenset(TORCH_PROJECTS), folder / f"links-{number}", linked, refused
        )
        for number, source in enumerate(sources.find_links)
    ]
    if request.stand_ins:
        metadata += write_stand_ins(request.stand_ins, folder / "stand-ins")
        find_links.append((folder / "stand-ins").as_uri())
    settings = uv_settings(sources, index, find_links)
    settings["dependency-metadata"] = metadata
    config = folder / "uv.toml"
    config.write_text(tomli_w.dumps(settings), "utf-8")
    return SolverOffer(config=config, refused=refused)


def write_solve_inputs(lines: Sequence[str], request: LockRequest, folder: Path) -> None:
    """Write what one run of uv is asked for into `folder`."""
    write_lines(folder / "requirements.in", lines)
    write_lines(folder / "constraints.txt", request.constraints)
    write_lines(folder / "overrides.txt", request.overrides)
    write_lines(folder / "excludes.txt", sorted(request.excluded))
    kept = [
        f"{name}=={version}" for name, version in request.kept_versions.items() if name not in TORCH_PROJECTS
    ]
    if kept:
        write_lines(folder / SOLVED, kept)


def _write_index(folder: Path, builds: Sequence[OfferedBuild]) -> list[dict[str, Any]]:
    """Write a page for torch and for each companion, and return what uv need not read in their metadata."""
    anchors: dict[str, dict[str, str]] = {project: {} for project in TORCH_PROJECTS}
    metadata: list[dict[str, Any]] = []
    variants = {build.variant for build in builds if build.name == "torch"}
    for project in TORCH_PROJECTS:
        (folder / project).mkdir()
    for build in builds:
        version = str(build.package.version)
        if version in anchors[build.name]:
            continue  # one version of two variants: the better one of torch, and the same file name of a companion
        if _speaks_for_itself(build, alone=len(variants) == 1):
            assert build.package.wheel is not None  # noqa: S101  (it has been looked at)
            anchors[build.name][version] = index_anchor(build.package.wheel, folder / build.name)
            metadata += variant_metadata([build.package.wheel])
            continue
        known = _metadata(build, builds)
        if known is not None:
            metadata.append(known)
            anchors[build.name][version] = _stand_in(build)
    for project, links in anchors.items():
        if links:
            write_index_page(folder / project, tuple(links.values()))
    return metadata


def _speaks_for_itself(build: OfferedBuild, *, alone: bool) -> bool:
    """Whether uv reads the build's own metadata.

    A companion's does not say of which variant its torch must be, and some say nothing of torch: these are read
    only where there is no other variant, and never those.
    """
    wheel = build.package.wheel
    if wheel is None or wheel.url is None:
        return False
    if build.name == "torch":
        return build.lines is None
    readable = wheel.has_metadata or wheel.url.startswith("file:")
    return (
        alone
        and readable
        and (build.lines is None or any(_project_in(line) == "torch" for line in build.lines))
    )


def _stand_in(build: OfferedBuild) -> str:
    """Return a link to a file that is never read: all that uv needs to know of it is known.

    It has no hash: files of one hash are one file to uv.
    """
    name = f"{build.name}-{build.package.version}-py3-none-any.whl"
    return f'<a href="{quote(name)}"{UPLOAD_TIME}>{name}</a>'


def _metadata(build: OfferedBuild, builds: Sequence[OfferedBuild]) -> dict[str, Any] | None:
    """Return what a build requires; None where that is not known, or where it goes with no torch that is offered."""
    if build.lines is None:
        return None
    lines = [line for line in build.lines if _project_in(line) != "torch"]
    if build.name != "torch":
        torch = torch_requirement(build, builds)
        if torch is None:
            return None
        lines.append(torch)
    known: dict[str, Any] = {
        "name": build.name, "version": str(build.package.version), "requires-dist": lines,
    }  # fmt: skip
    if build.requires_python:
        known["requires-python"] = build.requires_python
    return known
