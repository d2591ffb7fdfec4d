"""Plan -> Lock and Wheelhouse: locked, fetched, and every file of the build that the plan says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs.run_directories import mark_cached_files_in_use
from torchdoctor.core.hashing import FileDigest
from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import fetch
from torchdoctor.fetch.mirrors import MirrorLookup
from torchdoctor.lock.fallbacks import lock_with_fallbacks
from torchdoctor.lock.missing_hashes import MissingHashCheck
from torchdoctor.lock.model import LockRequest, locked_wheel
from torchdoctor.resolve.model import LeftOut
from torchdoctor.sources.wheel_variant import variant_inside_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import FetchedWheel, Wheelhouse
    from torchdoctor.lock.model import Lock, LockedWheel
    from torchdoctor.resolve.model import Plan, Request
    from torchdoctor.workflows.context import AcquireContext
    from wheels_index import Wheel

__all__ = ["fetch_lock", "lock_and_fetch", "lock_only"]


def lock_and_fetch(
    context: AcquireContext,
    plan: Plan,
    report: Reporter,
    on_locked: Callable[[Lock], None],
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> tuple[Plan, Lock, Wheelhouse]:
    """Lock and fetch; a companion that turns out to be of another build is left out and the rest locked anew.

    `on_locked` sees what is about to come before it is fetched, and may raise. `on_file` is called in several threads
    with each file that is there, less those of another build; some are not told of so.
    """
    for attempt in range(1 + len(plan.packages)):
        ahead = _ahead(context, plan, report)
        plan = _knowing(plan, ahead)
        locked = _lock(context, plan, report, f"lock-{attempt}", ahead)
        on_locked(locked)
        first = _first_hashes(context, plan, locked)
        house = _fetch_missing(context, locked, report, ahead, _less_foreign(plan, on_file))
        _tell_first(first.found(), report)
        foreign = _foreign_build(plan, house.wheels)
        if foreign is None:
            return plan, locked.confirmed(_digests(house.wheels)), house
        plan = _without(plan, foreign, context.request, report)
    raise AssertionError("every companion was left out and one is still foreign")


def fetch_lock(
    context: AcquireContext,
    plan: Plan,
    locked: Lock,
    report: Reporter,
    on_locked: Callable[[Lock], None],
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> tuple[Plan, Wheelhouse]:
    """Fetch exactly the files of a lock that was made before; raises where they are builds of several kinds.

    Where nothing in the lock says which variant torch is, its file does. `on_file` as for `lock_and_fetch`.
    """
    on_locked(locked)
    house = _fetch_missing(context, locked, report, on_file=on_file)
    if locked.variant is None:
        torch = next((row.path for row in house.wheels if row.wheel.name == "torch"), None)
        plan = replace(
            plan, variant=(variant_inside_wheel(torch, "torch") if torch else None) or plan.variant
        )
    foreign = _foreign_build(plan, house.wheels)
    if foreign is not None:
        raise InstallFailed(
            message(
                "the lock's {name} is a {built} build, and its torch a {variant} build",
                name=foreign[0],
                built=foreign[1],
                variant=plan.variant,
            ),
            fix=message("make the lock anew: torchdoctor resolve --format pylock"),
            code="foreign-build",
        )
    return plan, house


def lock_only(context: AcquireContext, plan: Plan, report: Reporter) -> Lock:
    """Lock without fetching; only a file of the plan that no index gives a hash for is, to take it, which is said."""
    hashless = _of_plan(context, plan, lambda wheel: wheel.sha256 is None)
    ahead = _fetch(context, hashless, report).wheels if hashless else ()
    plan = _knowing(plan, ahead)
    locked = _lock(context, plan, report, "lock", ahead)
    _tell_first(_first_hashes(context, plan, locked).found(), report)
    return locked


def _lock(
    context: AcquireContext, plan: Plan, report: Reporter, name: str, ahead: Sequence[FetchedWheel]
) -> Lock:
    """Lock in the folder `name` of the run; files fetched `ahead` are read where they lie."""
    request = LockRequest(
        python=context.python,
        sources=context.sources,
        environ=context.environ,
        extras=context.extras,
        optional=context.optional,
        installed=context.installed,
        offline=context.offline,
        machine=context.machine,
        target=context.target,
    )
    held = {row.wheel.filename: row.path for row in ahead}
    return lock_with_fallbacks(plan, request, folder=context.work / name, report=report, held=held)


def _digests(fetched: Sequence[FetchedWheel]) -> dict[str, FileDigest]:
    return {row.wheel.filename: FileDigest(sha256=row.sha256, size=row.size) for row in fetched}


def _first_hashes(context: AcquireContext, plan: Plan, locked: Lock) -> MissingHashCheck:
    """Of the files that are fetched; those of the plan are looked at before."""
    planned = {row.wheel.filename for row in plan.packages if row.wheel is not None}
    installed = {row.filename for row in locked.wheels if context.has(row.name, row.version)}
    return MissingHashCheck(locked, context.sources, known=planned | installed, offline=context.offline)


def _tell_first(wheels: Sequence[LockedWheel], report: Reporter) -> None:
    for wheel in wheels:
        report.note(
            message(
                "no index gives a hash for {filename}; recorded {sha256}",
                filename=wheel.filename,
                sha256=wheel.sha256,
            )
        )


def _knowing(plan: Plan, fetched: Sequence[FetchedWheel]) -> Plan:
    """The plan with the hashes of files that are here: uv would read a file whose hash it is not told."""
    digests = _digests(fetched)
    rows = tuple(
        replace(row, wheel=replace(row.wheel, sha256=digest.sha256, size=digest.size))
        if row.wheel is not None and (digest := digests.get(row.wheel.filename)) is not None
        else row
        for row in plan.packages
    )
    return replace(plan, packages=rows)


def _fetch(
    context: AcquireContext,
    wheels: Sequence[LockedWheel],
    report: Reporter,
    held: Sequence[FetchedWheel] = (),
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> Wheelhouse:
    mirrors = context.sources.mirrors
    mark_cached_files_in_use(context.work, (row.filename for row in wheels))
    house = fetch(
        wheels,
        cache=context.cache / "wheels",
        progress=report,
        offline=context.offline,
        held=held,
        mirrors=MirrorLookup(mirrors) if mirrors else None,
        on_file=on_file,
    )
    _tell_fetched(house, report)
    return house


def _fetch_missing(
    context: AcquireContext,
    locked: Lock,
    report: Reporter,
    ahead: Sequence[FetchedWheel] = (),
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> Wheelhouse:
    """The files of the lock that are not installed at their versions."""
    installed = {row.name for row in locked.wheels if context.has(row.name, row.version)}
    return _fetch(context, locked.without(installed).wheels, report, ahead, on_file)


def _ahead(context: AcquireContext, plan: Plan, report: Reporter) -> tuple[FetchedWheel, ...]:
    """Fetch before locking what has no metadata or hash beside it: uv would read the whole file only for that."""
    needed = _of_plan(context, plan, lambda wheel: not wheel.has_metadata or wheel.sha256 is None)
    if not needed:
        return ()
    mark_cached_files_in_use(context.work, (row.filename for row in needed))
    return fetch(needed, cache=context.cache / "wheels", progress=report, offline=context.offline).wheels


def _of_plan(context: AcquireContext, plan: Plan, which: Callable[[Wheel], bool]) -> list[LockedWheel]:
    """Files of the plan that are not installed, do not lie here, and are such."""
    wheels = [
        row.wheel
        for row in plan.packages
        if row.wheel is not None and not context.has(row.name, str(row.version))
    ]
    return [locked_wheel(w) for w in wheels if which(w) and not (w.url or "").startswith("file:")]


def _tell_fetched(house: Wheelhouse, report: Reporter) -> None:
    if not house.wheels:
        return
    by_source: dict[str, list[int]] = {}
    for row in house.wheels:
        place = row.source if "://" not in row.source else row.source.split("/")[2]
        by_source.setdefault(place, []).append(row.size)
    total = sum(row.size for row in house.wheels)
    parts = [
        message("{count} from {place}", count=len(sizes), place=place)
        for place, sizes in sorted(by_source.items())
    ]
    report.stage(
        "fetch",
        message(
            "{files}, {total:.1f} MB, hashes checked: {parts}",
            files=plurals.files(len(house.wheels)),
            total=total / 1e6,
            parts=joined(parts),
        ),
    )
    _tell_first([replace(row.wheel, sha256=row.sha256) for row in house.wheels if row.first_seen], report)
    for row in house.wheels:
        report.detail(
            message(
                "{filename} from {source}, SHA-256 {sha256}",
                filename=row.wheel.filename,
                source=row.source,
                sha256=row.sha256,
            )
        )


def _less_foreign(
    plan: Plan, on_file: Callable[[FetchedWheel], None] | None
) -> Callable[[FetchedWheel], None] | None:
    def told(row: FetchedWheel) -> None:
        if on_file is not None and _foreign_build(plan, (row,)) is None:
            on_file(row)

    return told if on_file is not None else None


def _foreign_build(plan: Plan, wheels: Sequence[FetchedWheel]) -> tuple[str, str] | None:
    """The name and build of a package that is not of the plan's variant, by its own version.py."""
    planned = {row.name for row in plan.packages}
    for row in wheels:
        if row.wheel.name in planned:
            built = variant_inside_wheel(row.path, row.wheel.name)
            if built is not None and built != plan.variant:
                return row.wheel.name, built
    return None


def _without(plan: Plan, foreign: tuple[str, str], request: Request, report: Reporter) -> Plan:
    name, built = foreign
    reason = message(
        "its file is a {built} build, and this environment is {variant}", built=built, variant=plan.variant
    )
    if name == "torch" or name in request.required:
        raise InstallFailed(
            message("{name} cannot be installed: {reason}", name=name, reason=reason),
            fix=message(
                "name a source that has {name} as a {variant} build, or ask for `--variant {built}`",
                name=name,
                variant=plan.variant,
                built=built,
            ),
            code="foreign-build",
        )
    report.warn(message("{name} is left out: {reason}", name=name, reason=reason))
    return replace(
        plan,
        packages=tuple(row for row in plan.packages if row.name != name),
        left_out=(*plan.left_out, LeftOut(name=name, reason=reason)),
    )
