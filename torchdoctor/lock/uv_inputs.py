"""What uv reads to make a lock: requirements, settings, and an index that lists the files of the plan alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.requirements import Requirement

from torchdoctor.lock.local_index import (
    NEWEST_OWN_FILE,
    filtered_find_links,
    link_whole_files,
    write_local_index,
)
from torchdoctor.lock.variant_metadata import variant_metadata
from torchdoctor.sources.cutoff import written
from torchdoctor.sources.listing import local_path
from torchdoctor.sources.pypi_copies import is_copy_of_pypi
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Sources
    from torchdoctor.sources.cutoff import Cutoff
    from wheels_index import Wheel

__all__ = ["UvInputs", "exclude_newer_settings", "uv_settings", "write_lines", "write_uv_inputs"]

OUTPUT = "pylock.toml"
# What pypi.org and files.pythonhosted.org answer with. Proxies and copies of PyPI leave it out, and uv would then read
# every page again in each run: https://docs.astral.sh/uv/concepts/indexes/#customizing-cache-control-headers
_PYPI_CACHE = {"api": "max-age=600", "files": "max-age=365000000, immutable"}


@dataclass(frozen=True, kw_only=True, slots=True)
class UvInputs:
    """The files that uv is offered, by name."""

    planned: Mapping[str, Wheel]  # the plan's own
    linked: Mapping[str, str]  # the URL of each file of a folder that uv sees through a link
    whole: frozenset[str]  # of those: files that no index gives a hash for
    refused: Mapping[str, str]  # why a file of a folder is kept from uv
    local_pages: bool  # whether a page on this machine is read: it may lead to any file of the machine


def write_uv_inputs(plan: Plan, request: LockRequest, folder: Path, held: Mapping[str, Path]) -> UvInputs:
    """Write requirements, constraints, settings and the index of the plan's files into `folder`.

    `held` maps names of the plan's files to local copies. Raises `SourceFailed` for one that is not a wheel.
    """
    planned = {wheel.filename: wheel for wheel in _wheels(plan)}
    write_local_index(folder / "planned", tuple(planned.values()), held)
    projects = frozenset(wheel.project for wheel in planned.values())
    linked: dict[str, str] = {}
    refused: dict[str, str] = {}
    find_links = [
        filtered_find_links(source.url, projects, folder / f"links-{number}", linked, refused)
        for number, source in enumerate(request.sources.find_links)
    ]
    find_links += plan.find_links
    if request.whole_files:
        find_links.append(link_whole_files(request.whole_files, folder / "links-whole", linked))
    sources = replace(request.sources, alike=request.sources.alike or plan.indexes_alike)
    settings = uv_settings(sources, folder / "planned", find_links)
    if rows := [*variant_metadata(planned.values(), held), *_declared_rows(plan, held)]:
        settings["dependency-metadata"] = rows
    (folder / "uv.toml").write_text(tomli_w.dumps(settings), "utf-8")
    exact = [package.requirement for package in plan.packages if package.wheel is not None]
    write_lines(folder / "requirements.in", (*exact, *request.extras, *request.optional))
    write_lines(folder / "constraints.txt", (*plan.constraints, *request.constraints))
    # The plan's exact builds meet what overrides torch and its companions.
    others = [line for line in request.overrides if Requirement(line).name.lower() not in TORCH_PROJECTS]
    write_lines(folder / "overrides.txt", dict.fromkeys((*plan.overrides, *others)))
    write_lines(folder / "excludes.txt", sorted(plan.excluded | request.excluded))
    preferred = {
        **request.kept_versions,
        **{package.name: package.version for package in plan.solved},
    }
    if preferred:
        (folder / OUTPUT).write_text(_preferred_versions(preferred), "utf-8")
    whole = frozenset(path.name for path in request.whole_files.values())
    return UvInputs(
        planned=planned,
        linked=linked,
        whole=whole,
        refused=refused,
        local_pages=_has_local_pages(request.sources, plan),
    )


def _has_local_pages(sources: Sources, plan: Plan) -> bool:
    """Whether an index or a page of links is on this machine; a folder of wheels is none, and its files are linked."""
    default = (sources.default_index,) if sources.default_index is not None else ()
    return (
        any(source.local for source in (*sources.indexes, *default))
        or any(source.local and not local_path(source.url).is_dir() for source in sources.find_links)
        or any(url.startswith("file:") for url in plan.find_links)
    )


def _declared_rows(plan: Plan, held: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """What was read in files that are not here; uv takes it for what any file of that version requires."""
    for wheel in _wheels(plan):
        if wheel.filename in plan.declared and wheel.filename not in held:
            lines = list(plan.declared[wheel.filename])
            yield {"name": wheel.project, "version": str(wheel.version), "requires-dist": lines}


def _wheels(plan: Plan) -> list[Wheel]:
    packages = [package.wheel for package in plan.packages if package.wheel is not None]
    return [*packages, *plan.accelerator_wheels]


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write one line a requirement."""
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _preferred_versions(versions: Mapping[str, str]) -> str:
    """A lock of these versions: uv keeps those of an existing output file where the requirements allow."""
    packages = [{"name": name, "version": version, "wheels": []} for name, version in versions.items()]
    return tomli_w.dumps({"lock-version": "1.0", "created-by": "torchdoctor", "packages": packages})


def uv_settings(sources: Sources, planned: Path, find_links: Sequence[str]) -> dict[str, Any]:
    """Return uv's settings, which go into a file so that credentials in URLs do not show in the list of processes.

    `planned` is the folder of our own index. uv takes torch and its companions from there alone: it looks for them on
    other indexes too, and takes no file of theirs that is newer than those of ours say they are.
    """
    # The plan's own index comes first, so that no other can stand in for its packages.
    indexes: list[dict[str, Any]] = [{"name": "torchdoctor-plan", "url": planned.as_uri()}]
    # download.pytorch.org and its mirrors answer 403 for a package that they do not have.
    indexes += [
        {"name": f"torchdoctor-{number}", "url": source.url, "ignore-error-codes": [403]}
        for number, source in enumerate(sources.indexes, 1)
    ]
    if sources.default_index is not None:
        indexes.append({"name": "torchdoctor-default", "url": sources.default_index.url})
    # Without a default index uv adds PyPI.
    indexes[-1]["default"] = True
    for index in indexes:
        if is_copy_of_pypi(index["url"]):
            index["cache-control"] = _PYPI_CACHE
    return {
        "index": indexes,
        "index-strategy": "unsafe-best-match" if sources.alike else "unsafe-first-match",
        "find-links": list(find_links),
        **exclude_newer_settings(sources.limits.cutoff, dict.fromkeys(TORCH_PROJECTS, NEWEST_OWN_FILE)),
    }


def exclude_newer_settings(cutoff: Cutoff | None, own: Mapping[str, str]) -> dict[str, Any]:
    """Return uv's settings of the time after which nothing counts; `own` are the packages that only we offer.

    https://docs.astral.sh/uv/reference/settings/#exclude-newer-package
    """
    packages: dict[str, str | bool] = {}
    settings: dict[str, Any] = {}
    if cutoff is not None:
        packages = {
            name: written(moment) if moment is not None else False for name, moment in cutoff.packages.items()
        }
        if cutoff.moment is not None:
            settings["exclude-newer"] = written(cutoff.moment)
    packages |= own
    return {**settings, "exclude-newer-package": packages} if packages else settings
