"""Plan -> Lock: the whole closure as a pylock.toml (PEP 751), made by uv over exactly the plan's files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import tomli_w
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.system import uv
from torchdoctor.errors import NoSolution, SourceFailed, UsageError
from torchdoctor.lock.local_index import filtered_find_links, write_local_index
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.lock.target import environment_marker, requires_python

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.lock.target import Target
    from torchdoctor.resolve.model import Plan
    from torchdoctor.sources.order import Sources
    from wheels_index import Wheel

__all__ = ["Lock", "LockedWheel", "compile_lock", "locked_wheel"]

_LIMIT = 900.0


def compile_lock(
    plan: Plan,
    *,
    python: Path,
    sources: Sources,
    extras: Sequence[str],
    constraints: Sequence[str] = (),
    folder: Path,
    environ: Mapping[str, str],
    held: Mapping[str, Path] | None = None,
    preferred: Mapping[str, str] | None = None,
    offline: bool = False,
    on_wait: Callable[[float], None] | None = None,
    machine: Machine | None = None,
    target: Target | None = None,
) -> Lock:
    """Lock the plan's packages, `extras` (requirement lines) and all that they need, for `python`.

    With a `target` for that machine, and `python` only runs the build tools; `machine` is what the lock says it is for.

    torch and its companions are offered to uv on an index of our own in `folder` that lists the plan's files
    and nothing else, first in order, so no other index can stand in for them. `held` maps names of those
    files to where they lie already, so that uv reads them there; `preferred` versions stay where they do.
    Nothing is built from source.
    Raises `SourceFailed` when an index cannot be read, `NoSolution` when the requirements cannot be met.
    """
    offered = _offer(plan, sources, folder, held or {})
    lines = [f"{row.name}=={row.version}" for row in plan.packages if row.wheel is not None]
    (folder / "requirements.in").write_text("\n".join([*lines, *extras]) + "\n", "utf-8")
    (folder / "constraints.txt").write_text("\n".join(constraints) + "\n", "utf-8")
    written = folder / "pylock.toml"
    if preferred:
        # uv keeps the versions of a lock that is there already, as far as the requirements allow.
        rows = [{"name": name, "version": version, "wheels": []} for name, version in preferred.items()]
        table = {"lock-version": "1.0", "created-by": "torchdoctor", "packages": rows}
        written.write_text(tomli_w.dumps(table), "utf-8")
    finished = uv.run_uv(
        [
            "pip", "compile", "requirements.in", "--constraints", "constraints.txt", "--format", "pylock.toml",
            "--output-file", written, "--python", python, "--config-file", folder / "uv.toml",
            "--only-binary", ":all:", "--no-header", "--no-annotate", "--quiet",
            *(["--offline"] if offline else []), *(target.options if target else ()),
        ],
        environ={**environ, **(target.environ if target else {})},
        folder=folder,
        limit=_LIMIT,
        on_wait=on_wait,
    )  # fmt: skip
    if finished.status != 0:
        raise _failure(finished, offered.passed_over)
    return Lock(
        wheels=_read(tomllib.loads(written.read_text("utf-8")), offered.pinned, offered.linked),
        environment=environment_marker(machine) if machine else None,
        requires_python=requires_python(machine) if machine else None,
        variant=plan.variant if plan.packages else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offered:
    """What uv may take: `pinned` files of the plan by name, and what `filtered_find_links` says of link pages."""

    pinned: Mapping[str, Wheel]
    linked: Mapping[str, str]
    passed_over: Mapping[str, str]


def _offer(plan: Plan, sources: Sources, folder: Path, held: Mapping[str, Path]) -> _Offered:
    """Write uv's settings, with the plan's files on an index of our own and folders of links without those."""
    pinned = {wheel.filename: wheel for wheel in _pinned_wheels(plan)}
    write_local_index(folder / "pinned", tuple(pinned.values()), held)
    planned = frozenset(wheel.project for wheel in pinned.values())
    linked: dict[str, str] = {}
    passed_over: dict[str, str] = {}
    links = [
        filtered_find_links(row.url, planned, folder / f"links-{position}", linked, passed_over)
        for position, row in enumerate(sources.find_links)
    ]
    (folder / "uv.toml").write_text(tomli_w.dumps(_settings(sources, folder / "pinned", links)), "utf-8")
    return _Offered(pinned=pinned, linked=linked, passed_over=passed_over)


def locked_wheel(wheel: Wheel) -> LockedWheel:
    """The file of a plan as a lock names it."""
    return LockedWheel(
        name=wheel.project,
        version=str(wheel.version),
        filename=wheel.filename,
        url=wheel.url or "",
        sha256=wheel.sha256,
        size=wheel.size,
    )


def _pinned_wheels(plan: Plan) -> list[Wheel]:
    return [row.wheel for row in plan.packages if row.wheel is not None] + list(plan.accelerator_wheels)


def _settings(sources: Sources, pinned: Path, links: Sequence[str]) -> dict[str, Any]:
    """Uv's settings as a file, so that credentials in URLs stay out of the process list."""
    own: dict[str, Any] = {"name": "torchdoctor-plan", "url": pinned.as_uri()}
    # 403 is how download.pytorch.org and its mirrors say that a package is not there.
    indexes = [own] + [
        {"name": f"torchdoctor-{position}", "url": row.url, "ignore-error-codes": [403]}
        for position, row in enumerate(sources.indexes, 1)
    ]
    if sources.default_index is not None:
        indexes.append({"name": "torchdoctor-default", "url": sources.default_index.url})
    # Without a default of ours uv would add PyPI.
    indexes[-1]["default"] = True
    return {
        "index": indexes,
        "index-strategy": "unsafe-first-match",
        "find-links": list(links),
    }


def _failure(finished: uv.UvResult, passed_over: Mapping[str, str]) -> SourceFailed | NoSolution | UsageError:
    text = finished.cause
    signs = (
        "error sending request",
        "Failed to fetch",
        "dns error",
        "timed out",
        "Failed to query",
        "status client error",
    )
    if "Hash mismatch" in finished.stderr:
        return SourceFailed(
            message("an index serves metadata that is not what it says: {text}", text=text),
            fix=message("name another source with --index-url, --mirror or --find-links"),
            code="hash-mismatch",
        )
    if "invalid value" in finished.stderr or "Failed to parse environment variable" in finished.stderr:
        return UsageError(
            message("uv does not understand a setting of its own: {text}", text=text),
            fix=message("correct or unset that variable: `env | grep UV_` shows them"),
            code="uv-setting",
        )
    if "cache" in finished.stderr and (
        "Permission denied" in finished.stderr or "failed to create" in finished.stderr.lower()
    ):
        return SourceFailed(
            message("uv's cache cannot be used: {text}", text=text),
            fix=message("set UV_CACHE_DIR to a folder that can be written to"),
            code="cache",
        )
    if any(sign in finished.stderr for sign in signs):
        return SourceFailed(
            message("an index could not be read while locking: {text}", text=text),
            fix=message(
                "check the network, or name an index in reach with --index-url or in pip's or uv's settings"
            ),
            code="unreachable",
        )
    return NoSolution(
        message(
            "the packages that torch needs could not be found together: {text}{why_not}",
            text=text,
            why_not=_why_not(passed_over, text),
        ),
        fix=message("name a source that has them with --index-url or --find-links"),
        code="no-lock",
    )


def _why_not(passed_over: Mapping[str, str], text: str) -> str:
    """Why files of the packages that uv did not find were not shown to it."""
    return "".join(
        f"; {why}" for name, why in passed_over.items() if canonicalize_name(name.partition("-")[0]) in text
    )


def _read(
    document: dict[str, Any], pinned: Mapping[str, Wheel], linked: Mapping[str, str]
) -> tuple[LockedWheel, ...]:
    """Take each package's wheel from uv's lock; the plan's own files get their true place back."""
    return tuple(_wheel(package, pinned, linked) for package in document.get("packages", []))


def _wheel(package: dict[str, Any], pinned: Mapping[str, Wheel], linked: Mapping[str, str]) -> LockedWheel:
    found = package.get("wheels") or []
    if not found:
        raise NoSolution(
            message(
                "{name} {version} has no wheel for this Python",
                name=package["name"],
                version=package.get("version", ""),
            ),
            fix=message("name a source that has one with --index-url or --find-links"),
            code="no-lock",
        )
    row = found[0]
    place = row.get("url") or Path(row["path"]).absolute().as_uri()
    filename = row.get("name") or unquote(urlsplit(place).path.rpartition("/")[2])
    wheel = pinned.get(filename)
    if package["name"] in {wheel.project for wheel in pinned.values()} and wheel is None:
        raise NoSolution(
            message("the lock took {filename}, which is not the file that was chosen", filename=filename),
            fix=message("report this with the output of `torchdoctor install -v`"),
            code="no-lock",
        )
    if place.startswith("file:"):
        place = linked.get(filename, place)
    # What is known of a file of the plan decides, not what uv found where it lies.
    known = wheel.sha256 if wheel is not None else None
    return LockedWheel(
        name=package["name"],
        version=str(package.get("version", "")),
        filename=filename,
        url=wheel.url if wheel is not None and wheel.url is not None else place,
        sha256=known or (row.get("hashes") or {}).get("sha256"),
        size=row.get("size") or (wheel.size if wheel else None),
    )
