"""What the fetched wheels themselves require is locked too, where an index said less."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.requirement_names import project_of
from torchdoctor.errors import InstallFailed
from torchdoctor.lock.target import marker_environment
from torchdoctor.lock.undeclared import undeclared_requirements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.lock import Lock
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.acquire_model import AcquireContext

__all__ = ["find_undeclared", "with_undeclared"]


def find_undeclared(
    context: AcquireContext, plan: Plan, lock: Lock, wheels: Sequence[FetchedWheel]
) -> dict[str, tuple[str, ...]]:
    """Return what wheels require that the lock and the environment do not meet, by project."""
    request = context.lock_request
    if request.machine is None:
        return {}
    versions = {**request.installed, **{wheel.name: wheel.version for wheel in lock.wheels}}
    overridden = {project_of(line) for line in (*plan.overrides, *request.overrides)}
    return undeclared_requirements(
        ((fetched.wheel.name, fetched.path) for fetched in wheels),
        versions,
        marker_environment(request.machine),
        free=overridden | plan.excluded | request.excluded,
    )


def with_undeclared(
    context: AcquireContext, found: Mapping[str, tuple[str, ...]], report: Reporter
) -> AcquireContext:
    """Return the context that asks for what the wheels require; raises `InstallFailed` where it did so before."""
    request = context.lock_request
    lines = tuple(dict.fromkeys(line for required in found.values() for line in required))
    names = joined(found)
    if set(lines) <= set(request.extras):
        raise InstallFailed(
            message(
                "{names} require {lines}, which cannot be had with the rest", names=names, lines=joined(lines)
            ),
            fix=message("name another source of {names}: --index-url, --mirror or --find-links", names=names),
            code="metadata-mismatch",
        )
    report.warn(
        message(
            "the metadata that an index gives of {names} is not that of the wheels, which require {lines} too",
            names=names,
            lines=joined(lines),
        )
    )
    return replace(context, lock_request=replace(request, extras=(*request.extras, *lines)))
