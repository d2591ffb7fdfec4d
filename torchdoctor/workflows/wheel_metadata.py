"""What wheels of places that are not trusted require: read in them by ranges before the lock, and after the fetch."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.core.requirement_names import project_in
from torchdoctor.core.threads import thread_pool
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from torchdoctor.lock.unasked import same_requirements, unasked_packages
from torchdoctor.sources.companion_metadata import requirement_lines
from torchdoctor.sources.vouching import vouches
from wheels_index import declared_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.lock import Lock
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.acquire_model import AcquireContext
    from wheels_index import Wheel

__all__ = ["check_metadata", "with_declared"]

_READ_AT_ONCE = 4


def with_declared(plan: Plan, context: AcquireContext, *, fetched_later: bool) -> Plan:
    """Return the plan with what its files require, where this is read in the files by a few range requests.

    It is for files with a hash and without a metadata file that is believed: the file that is fetched has that hash,
    and `check_metadata` compares. Where nothing is fetched later, a place that is not trusted may name only projects
    that the stored facts of that release name; any other file must be fetched.
    """
    wheels = [
        package.wheel
        for package in plan.packages
        if package.wheel is not None
        and not package.extras
        and not context.has(package.name, str(package.version))
    ]
    unread = [
        wheel
        for wheel in wheels
        if _is_readable(wheel) and wheel.filename not in plan.declared and not _is_cached(wheel, context)
    ]
    if not unread or context.lock_request.offline:
        return plan
    with thread_pool(min(_READ_AT_ONCE, len(unread))) as pool:
        read = list(pool.map(_lines, unread))
    declared = {
        wheel.filename: lines
        for wheel, lines in zip(unread, read, strict=True)
        if lines is not None
        and (fetched_later or wheel.filename not in plan.unread or _only_known(wheel, lines, context))
    }
    return replace(plan, declared={**plan.declared, **declared})


def _is_readable(wheel: Wheel) -> bool:
    is_remote = (wheel.url or "").startswith(("http://", "https://"))
    return is_remote and not wheel.has_metadata and wheel.sha256 is not None and wheel.label is None


def _is_cached(wheel: Wheel, context: AcquireContext) -> bool:
    return cached_path(context.cache / "wheels", wheel.sha256 or "", wheel.filename).is_file()


def _lines(wheel: Wheel) -> tuple[str, ...] | None:
    """What stands in the file; None where its server has no ranges, or it cannot be read so."""
    try:
        return requirement_lines(wheel, wheel.url or "", fetch_page)
    except (NotFound, Unreachable, SourceFailed):
        return None


def _only_known(wheel: Wheel, lines: Sequence[str], context: AcquireContext) -> bool:
    machine = context.lock_request.machine
    variant = wheel.variant
    if machine is None or variant is None:
        return False
    known = declared_requirements(
        wheel.project, wheel.version, platform=machine.platform, variant=variant, default_variant=None
    )
    exact = declared_requirements(
        wheel.project, wheel.version, platform=machine.platform, variant=variant, default_variant=variant
    )
    if known is None or exact is None:
        return False
    names = {project_in(line) for line in (*known.lines, *exact.lines)}
    return {project_in(line) for line in lines} <= names


def check_metadata(context: AcquireContext, plan: Plan, lock: Lock, wheels: Sequence[FetchedWheel]) -> None:
    """Refuse a lock that rests on other metadata than that of the wheels, which are all there and have their hashes.

    Raises `SourceFailed`: a server gave other bytes for the metadata, or an index another metadata file.
    """
    lied = [
        fetched.wheel
        for fetched in wheels
        if (lines := plan.declared.get(fetched.wheel.filename)) is not None
        and not same_requirements(fetched.path, lines)
    ]
    names = [wheel.filename for wheel in lied]
    if not lied and not _all_tell_metadata(context, plan):
        unasked = unasked_packages(
            (wheel.name for wheel in lock.wheels), (fetched.path for fetched in wheels), _asked(context, plan)
        )
        names = [wheel.filename for wheel in lock.wheels if wheel.name in unasked]
    if not names:
        return
    raise SourceFailed(
        message("the metadata that was given of {names} is not that of the files", names=joined(names))
        if lied
        else message("nothing that is installed requires {names}: an index gave other metadata than its wheels have",
                     names=joined(names)),
        fix=message("nothing was installed; name another source, and report this to the operator of that one"),
        code="metadata-mismatch",
    )  # fmt: skip


def _all_tell_metadata(context: AcquireContext, plan: Plan) -> bool:
    """Whether nothing comes from a place whose metadata files are not believed of every package."""
    sources = context.lock_request.sources
    default = (sources.default_index,) if sources.default_index is not None else ()
    places = (*sources.indexes, *default, *sources.find_links)
    return not (plan.unread or plan.unvouched or plan.find_links) and all(
        vouches(source.url) for source in places
    )


def _asked(context: AcquireContext, plan: Plan) -> frozenset[str]:
    """The projects that are there for another reason than the metadata of a fetched wheel."""
    request = context.lock_request
    lines = (
        *request.extras, *request.optional, *request.constraints, *request.overrides,
        *plan.constraints, *plan.overrides,
    )  # fmt: skip
    return frozenset(
        (
            *(package.name for package in plan.packages),
            *(package.name for package in plan.solved if package.asked),
            *(wheel.project for wheel in plan.accelerator_wheels),
            *request.installed,
            *(name for line in lines if (name := project_in(line)) is not None),
            *_required_by_installed(context),
        )
    )


def _required_by_installed(context: AcquireContext) -> Iterator[str]:
    """What packages that stay require; they are not fetched."""
    for distribution in metadata.distributions(path=[str(folder) for folder in context.site_packages]):
        try:
            lines = distribution.requires or ()
        except (OSError, ValueError):
            continue
        yield from (name for line in lines if (name := project_in(line)) is not None)
