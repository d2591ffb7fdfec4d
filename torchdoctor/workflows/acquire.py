"""Plan -> Lock and Wheelhouse: lock, fetch what is not installed, and check that all builds belong together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from torchdoctor.core.fs import mark_cached_files_in_use
from torchdoctor.core.hashing import FileDigest
from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed, NoSolution
from torchdoctor.fetch import fetch
from torchdoctor.fetch.mirrors import MirrorLookup
from torchdoctor.lock.asked_hashes import asked_hashes, check_asked_hashes
from torchdoctor.lock.fallbacks import lock_with_fallbacks
from torchdoctor.lock.model import locked_wheel
from torchdoctor.sources.wheel_variant import variant_inside_wheel
from torchdoctor.workflows.acquire_model import Acquired
from torchdoctor.workflows.build_check import (
    drop_companion,
    find_other_build,
    find_other_build_before_fetch,
    skip_other_builds,
)
from torchdoctor.workflows.copy_check import without_lying_copies
from torchdoctor.workflows.fetch_report import report_fetched, report_unverified
from torchdoctor.workflows.lock_checks import start_checks
from torchdoctor.workflows.own_metadata import find_undeclared, with_undeclared
from torchdoctor.workflows.wheel_metadata import check_metadata, with_declared
from torchdoctor.workflows.whole_files import lock_with_whole_files
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import FetchedWheel, Wheelhouse
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.acquire_model import AcquireContext
    from torchdoctor.workflows.build_check import OtherBuild
    from torchdoctor.workflows.lock_checks import LockChecks
    from wheels_index import Wheel

__all__ = ["fetch_lock", "lock_and_fetch", "lock_only"]


def lock_and_fetch(
    context: AcquireContext,
    plan: Plan,
    report: Reporter,
    on_locked: Callable[[Lock], None],
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> Acquired:
    """Lock the plan and fetch the lock, again where something in it does not go with torch.

    A companion of another build is left out; of an extension that cannot be loaded beside torch another version is
    taken. `on_locked` gets each lock before anything of it is fetched, and may raise. `on_file` is called in several
    threads with each wheel that was fetched after locking, except those of another build and extensions.
    Raises `NoSolution` where the lock cannot be made or no version of an extension goes with torch, `SourceFailed`
    where a wheel cannot be fetched, and `InstallFailed` where torch or a required companion is of another build.
    """
    from torchdoctor.workflows.extension_check import exclude_misfit, find_misfit, skip_extensions

    while True:
        plan = with_declared(plan, context, fetched_later=True)
        prefetched = _prefetch(context, plan, report)
        plan = _with_known_hashes(plan, prefetched)
        context, lock = _lock(context, plan, report, prefetched)
        if (other_build := _other_build_before_fetch(context, plan, lock)) is not None:
            plan = drop_companion(plan, other_build, context.required, report)
            continue
        on_locked(lock)
        checks = start_checks(context, plan, lock)
        on_checked_file = checks.skip_doubtful(skip_extensions(skip_other_builds(plan, on_file)))
        wheelhouse = _fetch_missing(context, lock, report, prefetched, on_checked_file, checks)
        report_unverified(checks.hashless(), report)
        checks.protection.refuse()
        if lies := checks.copies.lies():
            request = without_lying_copies(context.lock_request, lies, report)
            context = replace(context, lock_request=request)
        elif (other_build := find_other_build(plan, wheelhouse.wheels)) is not None:
            plan = drop_companion(plan, other_build, context.required, report)
        elif (misfit := find_misfit(plan, lock, wheelhouse.wheels, context, report)) is not None:
            context = exclude_misfit(context, misfit, report)
        elif undeclared := find_undeclared(context, plan, lock, wheelhouse.wheels):
            context = with_undeclared(context, undeclared, report)
        else:
            check_metadata(context, plan, lock, wheelhouse.wheels)
            plan = replace(plan, unvouched=(*plan.unvouched, *checks.copies.report_unanswered(report)))
            lock = lock.confirmed(_digests(wheelhouse.wheels))
            _check_hashes(context, lock)
            return Acquired(plan=plan, lock=lock, wheelhouse=wheelhouse)


def fetch_lock(
    context: AcquireContext,
    plan: Plan,
    lock: Lock,
    report: Reporter,
    on_locked: Callable[[Lock], None],
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> Acquired:
    """Fetch exactly the files of an existing lock; the callbacks are those of `lock_and_fetch`.

    Where the lock does not name torch's variant, the torch wheel does. Raises `InstallFailed` where its wheels do
    not go together, and `SourceFailed` where one cannot be fetched.
    """
    on_locked(lock)
    wheelhouse = _fetch_missing(context, lock, report, on_file=on_file)
    if lock.variant is None:
        torch = next((fetched.path for fetched in wheelhouse.wheels if fetched.wheel.name == "torch"), None)
        variant = variant_inside_wheel(torch, "torch") if torch else None
        plan = replace(plan, variant=variant or plan.variant)
    other_build = find_other_build(plan, wheelhouse.wheels)
    if other_build is not None:
        raise InstallFailed(
            message(
                "the lock's {name} is a {built} build, and its torch a {variant} build",
                name=other_build.name,
                built=other_build.variant,
                variant=plan.variant,
            ),
            fix=message("make the lock again: torchdoctor resolve --format pylock"),
            code="foreign-build",
        )
    from torchdoctor.workflows.extension_check import find_misfit, misfit_in_lock

    if (misfit := find_misfit(plan, lock, wheelhouse.wheels, context, report)) is not None:
        raise misfit_in_lock(misfit)
    return Acquired(plan=plan, lock=lock, wheelhouse=wheelhouse)


def lock_only(context: AcquireContext, plan: Plan, report: Reporter) -> tuple[Plan, Lock]:
    """Lock the plan without fetching it, except files that no index gives a hash for, which is reported.

    The plan that is returned is without companions whose files, read where they are, are of another build.
    """
    plan = with_declared(plan, context, fetched_later=False)
    needed = _wheels_to_fetch(
        context,
        plan,
        lambda wheel: (
            wheel.sha256 is None or (wheel.filename in plan.unread and wheel.filename not in plan.declared)
        ),
    )
    prefetched = _fetch(context, needed, report).wheels if needed else ()
    plan = _with_known_hashes(plan, prefetched)
    while True:
        context, lock = _lock(context, plan, report, prefetched, fetching=False)
        other_build = _other_build_before_fetch(context, plan, lock)
        checks = start_checks(context, plan, lock)
        if lies := checks.copies.lies():
            request = without_lying_copies(context.lock_request, lies, report)
            context = replace(context, lock_request=request)
        elif other_build is None:
            report_unverified(checks.hashless(), report)
            checks.copies.report_unanswered(report)
            checks.protection.refuse()
            return plan, lock
        else:
            plan = drop_companion(plan, other_build, context.required, report)


def _other_build_before_fetch(context: AcquireContext, plan: Plan, lock: Lock) -> OtherBuild | None:
    missing = context.missing(lock)
    return find_other_build_before_fetch(plan, missing, context.cache, offline=context.lock_request.offline)


def _lock(
    context: AcquireContext,
    plan: Plan,
    report: Reporter,
    prefetched: Sequence[FetchedWheel],
    *,
    fetching: bool = True,
) -> tuple[AcquireContext, Lock]:
    """Lock, again without a version of which its server's file says that it does not go with torch.

    Where nothing is fetched afterwards (`fetching`), what is looked into then is looked into here as far as possible.
    uv reads prefetched files where they are. The context that is returned knows which versions were passed over.
    """
    from torchdoctor.workflows.extension_check import (
        exclude_misfit,
        find_misfit_before_fetch,
        find_misfit_without_fetch,
        no_fitting_version,
        refuse_replacement,
    )

    held = {fetched.wheel.filename: fetched.path for fetched in prefetched}
    while True:
        folder = context.run_dir / f"lock-{len([*context.run_dir.glob('lock-*')])}"
        try:
            request, lock = lock_with_whole_files(
                context.lock_request,
                context.cache,
                context.run_dir,
                report,
                partial(_lock_once, plan=plan, folder=folder, report=report, held=held),
            )
            context = replace(context, lock_request=request)
        except NoSolution as error:
            if context.misfits:
                raise no_fitting_version(context.misfits) from error
            raise
        _check_hashes(context, lock)
        refuse_replacement(context, lock)
        misfit = (
            find_misfit_before_fetch(plan, lock, context)
            if fetching
            else find_misfit_without_fetch(plan, lock, context, report)
        )
        if misfit is None:
            return context, lock
        context = exclude_misfit(context, misfit, report)


def _lock_once(
    request: LockRequest, *, plan: Plan, folder: Path, report: Reporter, held: Mapping[str, Path]
) -> Lock:
    folder = folder.with_name(f"{folder.name}-{len(request.whole_files)}")
    return lock_with_fallbacks(plan, request, folder=folder, report=report, held=held)


def _check_hashes(context: AcquireContext, lock: Lock) -> None:
    """Refuse files that the hashes of what was asked for do not allow; the build of torch is chosen here."""
    hashes = asked_hashes(asked for asked in context.asked if asked.name not in TORCH_PROJECTS)
    check_asked_hashes(lock, hashes)


def _prefetch(context: AcquireContext, plan: Plan, report: Reporter) -> tuple[FetchedWheel, ...]:
    """Fetch before locking what has no metadata file or no hash: uv would download the whole wheel for them."""
    wheels = _wheels_to_fetch(
        context,
        plan,
        lambda wheel: wheel.sha256 is None or not (wheel.has_metadata or wheel.filename in plan.declared),
    )
    if not wheels:
        return ()
    mark_cached_files_in_use(context.run_dir, (wheel.filename for wheel in wheels))
    offline = context.lock_request.offline
    fetched = fetch(wheels, cache=context.cache / "wheels", progress=report, offline=offline).wheels
    parts = {wheel.filename for wheel in _parts(plan)}
    report_unverified(
        (
            replace(each.wheel, sha256=each.sha256)
            for each in fetched
            if each.wheel.sha256 is None and each.wheel.filename in parts
        ),
        report,
    )
    return fetched


def _wheels_to_fetch(
    context: AcquireContext, plan: Plan, needed: Callable[[Wheel], bool]
) -> list[LockedWheel]:
    """Return the wheels of the plan that are `needed`, not installed and not on a local disk."""
    wheels = [
        package.wheel
        for package in plan.packages
        if package.wheel is not None and not context.has(package.name, str(package.version))
    ]
    wheels += [part for part in _parts(plan) if not context.has(part.project, str(part.version))]
    return [
        locked_wheel(wheel) for wheel in wheels if needed(wheel) and not (wheel.url or "").startswith("file:")
    ]


def _parts(plan: Plan) -> list[Wheel]:
    """Return what torch needs of one index alone in exactly one file, such as ROCm's packages."""
    files = Counter(wheel.project for wheel in plan.accelerator_wheels)
    return [wheel for wheel in plan.accelerator_wheels if files[wheel.project] == 1]


def _with_known_hashes(plan: Plan, fetched: Sequence[FetchedWheel]) -> Plan:
    """Return the plan with the hashes of fetched files: uv would download a file whose hash it does not know."""
    digests = _digests(fetched)
    packages = tuple(
        replace(package, wheel=replace(package.wheel, sha256=digest.sha256, size=digest.size))
        if package.wheel is not None and (digest := digests.get(package.wheel.filename)) is not None
        else package
        for package in plan.packages
    )
    parts = tuple(
        replace(wheel, sha256=digest.sha256, size=digest.size)
        if (digest := digests.get(wheel.filename)) is not None
        else wheel
        for wheel in plan.accelerator_wheels
    )
    return replace(plan, packages=packages, accelerator_wheels=parts)


def _fetch_missing(
    context: AcquireContext,
    lock: Lock,
    report: Reporter,
    prefetched: Sequence[FetchedWheel] = (),
    on_file: Callable[[FetchedWheel], None] | None = None,
    checks: LockChecks | None = None,
) -> Wheelhouse:
    """Fetch the files of the lock that are not installed at their versions."""
    installed = {wheel.name for wheel in lock.wheels if context.has(wheel.name, wheel.version)}
    return _fetch(context, lock.without(installed).wheels, report, prefetched, on_file, checks)


def _fetch(
    context: AcquireContext,
    wheels: Sequence[LockedWheel],
    report: Reporter,
    prefetched: Sequence[FetchedWheel] = (),
    on_file: Callable[[FetchedWheel], None] | None = None,
    checks: LockChecks | None = None,
) -> Wheelhouse:
    mirrors = context.lock_request.sources.mirrors
    mark_cached_files_in_use(context.run_dir, (wheel.filename for wheel in wheels))
    wheelhouse = fetch(
        wheels,
        cache=context.cache / "wheels",
        progress=report,
        offline=context.lock_request.offline,
        held=prefetched,
        mirrors=MirrorLookup(mirrors) if mirrors else None,
        on_file=on_file,
    )
    unlisted = [wheel.filename for wheel in checks.hashless()] if checks is not None else []
    report_fetched(wheelhouse, context.cache / "built", report, unlisted=unlisted)
    return wheelhouse


def _digests(wheels: Sequence[FetchedWheel]) -> dict[str, FileDigest]:
    return {
        fetched.wheel.filename: FileDigest(sha256=fetched.sha256, size=fetched.size) for fetched in wheels
    }
