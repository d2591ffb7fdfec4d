"""The vendor whose own builds an environment has by its record: no other index has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.install.record import read_record
from wheels_index import vendor, vendor_names

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.workflows.install_model import InstallOptions

__all__ = ["from_recorded_vendor", "keeping_recorded_vendor"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorded:
    """What the record of an environment says of its torch."""

    vendor: str
    variant: object  # as it stands there


def from_recorded_vendor(options: InstallOptions, report: Reporter) -> InstallOptions:
    """Return the options with the vendor of the environment's torch, which is to stay.

    Of the record the name alone counts: an index of one's own is named again.
    """
    recorded = _recorded(options.folder)
    if options.sources.vendor is not None or recorded is None:
        return options
    report.note(
        message(
            "torch here is of {title}'s own builds, as with --vendor {name}",
            title=vendor(recorded.vendor).title,
            name=recorded.vendor,
        )
    )
    return replace(options, sources=replace(options.sources, vendor=recorded.vendor))


def keeping_recorded_vendor(options: InstallOptions, report: Reporter) -> InstallOptions:
    """Return the options with the vendor of the environment's torch, unless they name another place or variant.

    Then it is said that another torch takes its place. A lock says itself what is installed.
    """
    recorded = _recorded(options.folder)
    sources = options.sources
    if sources.vendor is not None or options.lock is not None or recorded is None:
        return options
    is_elsewhere = sources.index_url is not None or sources.mirror is not None
    if not is_elsewhere and options.request.variant in ("auto", recorded.variant):
        return from_recorded_vendor(options, report)
    report.note(
        message(
            "torch here is of {title}'s own builds, and what is asked for is not: --vendor {name} keeps them",
            title=vendor(recorded.vendor).title,
            name=recorded.vendor,
        )
    )
    return options


def _recorded(folder: Path) -> _Recorded | None:
    plan = (read_record(folder) or {}).get("plan")
    name = plan.get("vendor") if isinstance(plan, dict) else None
    if not isinstance(plan, dict) or name not in vendor_names():
        return None
    return _Recorded(vendor=name, variant=plan.get("variant"))
