"""Which sources there are, what they really have, and the plan over that."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.core.net.http import fetch_page, http_session
from torchdoctor.core.urls import redact_url
from torchdoctor.detect import supported_tags
from torchdoctor.errors import NoSolution, SourceFailed, UsageError
from torchdoctor.resolve.new_releases import rank_with_newer
from torchdoctor.resolve.select import select_plan
from torchdoctor.sources.index_cache import known_index
from torchdoctor.sources.keyring import with_passwords
from torchdoctor.sources.listing import SourceListing, local_path
from torchdoctor.sources.mirrors import AUTO, mirrors_by_speed
from torchdoctor.sources.order import order_sources
from torchdoctor.sources.read_config import read_settings
from torchdoctor.sources.source import OFFICIAL
from wheels_index import bundled, variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.resolve.model import Plan, PlannedPackage, Ranking, Request
    from torchdoctor.sources.installer_config import Setting
    from torchdoctor.sources.order import Sources
    from torchdoctor.sources.source import Source
    from wheels_index import Snapshot, Wheel

__all__ = ["SourceOptions", "gather_sources", "preload_modules", "resolve_online"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceOptions:
    """Where to look, as the options say."""

    index_url: str | None = None
    find_links: tuple[str, ...] = ()
    mirror: str | None = None
    offline: bool = False


def gather_sources(options: SourceOptions, system: System, python: PythonInfo, report: Reporter) -> Sources:
    """Every source in order: the options', the official index, pip's and uv's settings, PyPI."""
    for place in options.find_links:
        if not _there(place):
            raise UsageError(
                message("--find-links: there is no {place}", place=place),
                fix=message("name a folder or a page that is there"),
            )
    settings = _settings(system, python, report)
    sources = order_sources(
        index_url=options.index_url,
        find_links=options.find_links,
        mirror_name=options.mirror,
        by_speed=mirrors_by_speed(report.detail) if options.mirror == AUTO and not options.offline else (),
        configured=settings,
        offline=options.offline,
    )
    for text in sources.ignored:
        report.note(text)
    return with_passwords(sources, system)


def _settings(system: System, python: PythonInfo, report: Reporter) -> list[Setting]:
    """What pip and uv are configured with, less what is not there now; each is told of."""
    kept = []
    for row in read_settings(
        system,
        pythons=(python.executable, Path(sys.executable)),
        prefixes=(python.prefix, Path(sys.prefix)),
        folder=_here(),
    ):
        if row.kind == "no-index":
            report.note(
                message(
                    "{origin}: no index is asked, only find-links; --index-url names one all the same",
                    origin=row.origin,
                )
            )
        elif row.kind == "find-links" and not _there(row.place):
            # A stick that is not there now; pip passes over it as well. An index that is not there stays an error.
            report.note(
                message(
                    "{origin}: there is no {place}; it is ignored",
                    origin=row.origin,
                    place=redact_url(row.place),
                )
            )
            continue
        else:
            report.detail(
                message(
                    "{origin}: {place} is handed to uv, which does not read it itself",
                    origin=row.origin,
                    place=redact_url(row.place),
                )
            )
        kept.append(row)
    return kept


def _there(place: str) -> bool:
    return "://" in place or Path(place).expanduser().exists()


def _here() -> Path:
    """The current folder, or the root where that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path(Path(sys.prefix).anchor)


def preload_modules() -> None:
    """Load what deciding and locking need, so that they need not wait for it later."""
    http_session()
    for name in ("tomli_w", "uv", "torchdoctor.fetch.transfer.scheduler"):
        importlib.import_module(name)


def resolve_online(
    request: Request,
    options: SourceOptions,
    machine: Machine,
    sources: Sources,
    report: Reporter,
    *,
    data: Path | None = None,
) -> tuple[Plan, Sources]:
    """The plan over what the sources in reach really have, and the sources less those out of reach.

    `data` is the user's data folder, where `index update` keeps what it saw. A release newer than all that
    is known is taken up from the page of the first source that has the variant.
    """
    snapshot = known_index(data, report.note) if data is not None else bundled()
    shelves = [
        SourceListing(source=source, on_unreachable=lambda source, why: report.note(_unreached(source, why)))
        for source in sources.torch
    ]
    ranking, snapshot = rank_with_newer(
        machine,
        request,
        snapshot,
        shelves,
        today=datetime.now(timezone.utc).date().isoformat(),
        requires=lambda shelf, wheels: {} if options.offline else _requires(shelf, wheels, snapshot, report),
    )
    tags = supported_tags(machine)
    plan = select_plan(ranking, shelves, machine=machine, request=request, snapshot=snapshot, tags=tags)
    if plan is None:
        plan = _last_resort(ranking, shelves, machine, request, snapshot, tags, report, options)
    plan = _with_known_hashes(
        _with_accelerator_wheels(plan, shelves, tags), snapshot, sources, shelves, report
    )
    _tell(plan, report)
    return plan, sources.without(row.source.url for row in shelves if row.failure)


def _requires(
    shelf: SourceListing, wheels: Sequence[Wheel], snapshot: Snapshot, report: Reporter
) -> dict[str, tuple[str, ...]]:
    """What the companions of a release that is not known yet declare of torch."""
    from torchdoctor.sources.index_update import declared_by

    notes: list[str] = []
    found = declared_by(wheels, snapshot, base=shelf.source.url, read=fetch_page, notes=notes)
    for text in notes:
        report.detail(text)
    return found


def _unreached(source: Source, why: str) -> str:
    return why if source.name in why else message("{what}: {why}", what=source.name, why=why)


def _last_resort(
    ranking: Ranking,
    shelves: Sequence[SourceListing],
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
    report: Reporter,
    options: SourceOptions,
) -> Plan:
    """A CUDA build on a machine that cannot use it, with the user's word for it; else the reason for nothing."""
    consenting = replace(request, cuda_on_cpu=True)
    plan = select_plan(ranking, shelves, machine=machine, request=consenting, snapshot=snapshot, tags=tags)
    if plan is None:
        raise _nowhere(ranking, shelves, options)
    if request.cuda_on_cpu:
        return plan
    torch = plan.torch
    size = (
        message("{size:.0f} MB and ", size=torch.wheel.size / 1e6) if torch.wheel and torch.wheel.size else ""
    )
    what = message(
        "no source in reach has a CPU build of torch for this Python; {source} has torch "
        "{version}, a {variant} build: {size}several GB of CUDA packages that this machine "
        "cannot use",
        source=torch.source,
        version=torch.version,
        variant=plan.variant,
        size=size,
    )
    if report.confirm(message("{what}. Install it all the same?", what=what)):
        return plan
    raise NoSolution(
        what,
        fix=message(
            "take it all the same with --yes, or name a source of CPU builds with --index-url, "
            "--mirror or --find-links"
        ),
        code="cuda-build-for-cpu",
    )


def _nowhere(
    ranking: Ranking, shelves: Sequence[SourceListing], options: SourceOptions
) -> NoSolution | SourceFailed:
    best = ranking.candidates[0]
    failed = [shelf.failure for shelf in shelves if shelf.failure]
    asked = joined([row.name for row in shelves]) or message("none (--offline leaves only folders)")
    what = message(
        "no source in reach has torch {torch} or an older release as a {variant} build",
        torch=best.torch,
        variant=best.variant,
    )
    if failed or options.offline:
        return SourceFailed(
            message(
                "{what}; asked: {asked}; {why}",
                what=what,
                asked=asked,
                why=joined(failed, "; ") or message("only folders may be asked"),
            ),
            fix=message(
                "check the network and the proxy settings, try `--mirror auto`, or name a folder with "
                "--find-links"
            ),
            code="no-source",
        )
    return NoSolution(
        message("{what} for this Python; asked: {asked}", what=what, asked=asked),
        fix=message("ask for another release with --torch, or another Python with --python"),
        code="no-wheel",
    )


def _with_accelerator_wheels(plan: Plan, shelves: Sequence[SourceListing], tags: Sequence[Tag]) -> Plan:
    """Add what only the PyTorch index has, such as triton for ROCm, so that it comes from there alone."""
    names = variant(plan.variant).accelerator_packages
    if not names:
        return plan
    supported = frozenset(tags)
    shelf = next(row for row in shelves if row.name == plan.torch.source)
    wheels = tuple(
        wheel
        for name in names
        for wheel in shelf.wheels(name, plan.variant)
        if not wheel.yanked and wheel.tags & supported
    )
    return replace(plan, accelerator_wheels=wheels)


def _with_known_hashes(
    plan: Plan, snapshot: Snapshot, sources: Sources, shelves: Sequence[SourceListing], report: Reporter
) -> Plan:
    # A mirror is a transport: what it serves under an official name is that file or is wrong.
    held = {row.name for row in sources.torch if row == OFFICIAL or row.origin.startswith("--mirror")}
    official = next((row for row in shelves if row.source == OFFICIAL and not row.failure), None)
    rows = tuple(_with_known_hash(row, plan, snapshot, held, official, report) for row in plan.packages)
    return replace(plan, packages=rows)


def _with_known_hash(
    row: PlannedPackage,
    plan: Plan,
    snapshot: Snapshot,
    held: set[str],
    official: SourceListing | None,
    report: Reporter,
) -> PlannedPackage:
    """A file named as an official build must be that build; a folder's files are hashed where they lie.

    Only names with a build tag are held to the official hash: without one the same name stands for other
    bytes on PyPI. An index of the user's own may say otherwise, which is not passed over in silence.
    """
    wheel = row.wheel
    if wheel is None:
        return row
    known = None
    if wheel.version.local is not None:
        release = snapshot.release(plan.torch.version)
        known = next((w.sha256 for w in release.wheels if w.filename == wheel.filename and w.sha256), None)
    found = wheel.sha256
    if found is None and known is None and wheel.url is not None and wheel.url.startswith("file:"):
        found = sha256_of(local_path(wheel.url))
    if found is None and known is None and official is not None and row.source in held:
        # A mirror without hashes: the index that it mirrors may have one.
        listed = official.wheels(row.name, plan.variant)
        known = next((w.sha256 for w in listed if w.filename == wheel.filename), None)
    if found is not None and known is not None and found != known:
        differs = message(
            "{source} lists {filename} with SHA-256 {found}…, and the official build has {known}…",
            source=row.source,
            filename=wheel.filename,
            found=found[:16],
            known=known[:16],
        )
        if row.source in held:
            raise SourceFailed(
                differs,
                fix=message(
                    "nothing was installed; name another source, and report this to whoever runs that one"
                ),
                code="hash-conflict",
            )
        report.warn(message("{differs}: it is taken because that index is yours", differs=differs))
    return replace(row, wheel=replace(wheel, sha256=found or known))


def _tell(plan: Plan, report: Reporter) -> None:
    by_source: dict[str, list[str]] = {}
    for row in plan.packages:
        by_source.setdefault(row.source or "?", []).append(f"{row.name} {row.version}")
    served = joined(
        [message("{names} from {place}", names=joined(names), place=row) for row, names in by_source.items()],
        "; ",
    )
    report.stage("resolve", message("{what}: {reasons}", what=served, reasons=joined(plan.reasons, "; ")))
    for rejected in plan.rejected:
        report.detail(message("not {variant}: {because}", variant=rejected.variant, because=rejected.because))
    for text in plan.warnings:
        report.warn(text)
    for left in plan.left_out:
        report.warn(left.told)
