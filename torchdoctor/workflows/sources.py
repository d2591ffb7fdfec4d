"""Gather the sources of packages, in order: the options, pip's and uv's settings, the official index, PyPI."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import UsageError
from torchdoctor.sources import order_sources
from torchdoctor.sources.installer_limits import Limits, limits_of
from torchdoctor.sources.keyring import with_passwords
from torchdoctor.sources.mirrors import AUTO, mirrors_by_speed
from torchdoctor.workflows.project_settings import agreed_settings

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.sources import Sources
    from torchdoctor.sources.installer_config import IndexSetting, InstallerSettings
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["gather_sources", "sources_from_options"]


def gather_sources(
    options: SourceOptions,
    system: System,
    python: PythonInfo,
    report: Reporter,
    settings: InstallerSettings | None = None,
    *,
    limited: bool = True,
) -> Sources:
    """Return every source in order, with the passwords of its index, and what limits the choice among what they have.

    `settings` are those of pip and uv; where they are not given they are read, and the user is asked about those of a
    project. Where it is not `limited`, versions are fixed already, and what limits them is told as not followed.
    Raises `UsageError` for a folder that does not exist, a URL or a time that is none, or an unknown mirror.
    """
    for place in options.find_links:
        if not _exists(place):
            raise UsageError(
                message("--find-links: there is no {place}", place=place),
                fix=message("name a folder or a page that exists"),
            )
    if settings is None:
        settings = agreed_settings(options, system, python, report)
    usable = tuple(setting for setting in settings.indexes if _is_usable(setting, report))
    sources = sources_from_options(options, report, usable)
    limits = limits_of(settings.values, exclude_newer=options.exclude_newer)
    if not limited:
        limits = _without_meaning(limits)
    for text in (*sources.ignored, *limits.notes):
        report.note(text)
    for used in limits.used:
        report.note(
            message(
                "{origin}: {setting} {value} is followed",
                origin=used.origin,
                setting=used.setting,
                value=used.value,
            )
        )
    return with_passwords(replace(sources, limits=limits), system)


def _without_meaning(limits: Limits) -> Limits:
    """Return no limits, and notes of those that there are: nothing is chosen."""
    notes = (
        message(
            "{origin}: {setting} is not followed: {why}",
            origin=used.origin,
            setting=used.setting,
            why=message("nothing is chosen here, the versions are given"),
        )
        for used in limits.used
    )
    return Limits(notes=tuple(notes))


def sources_from_options(
    options: SourceOptions, report: Reporter, settings: tuple[IndexSetting, ...] = ()
) -> Sources:
    """Return the sources that the options name, before those of pip's and uv's `settings`; mirrors may be timed."""
    sources = order_sources(
        index_url=options.index_url,
        find_links=options.find_links,
        mirror_name=options.mirror,
        by_speed=mirrors_by_speed(report.detail) if options.mirror == AUTO and not options.offline else (),
        configured=settings,
        trusted=options.trust_mirror,
        offline=options.offline,
    )
    if options.vendor is None:
        return sources
    from torchdoctor.sources.vendors import with_vendor

    if options.mirror is not None:
        report.note(
            message(
                "--mirror {mirror} has PyTorch's own builds: torch comes from the index of {vendor} alone",
                mirror=options.mirror,
                vendor=options.vendor,
            )
        )
    return with_vendor(sources, options.vendor, index_url=options.index_url, offline=options.offline)


def _is_usable(setting: IndexSetting, report: Reporter) -> bool:
    """Report a setting, and say whether it is used: folders that do not exist now are not."""
    if setting.kind == "no-index":
        report.note(
            message(
                "{origin}: no index is used, only find-links; --index-url adds one",
                origin=setting.origin,
            )
        )
        return True
    place = redact_url(setting.place)
    if setting.kind == "find-links" and not _exists(setting.place):
        # A disk that is not mounted now; pip ignores it too. An index that does not answer remains an error.
        report.note(
            message("{origin}: there is no {place}; it is ignored", origin=setting.origin, place=place)
        )
        return False
    report.detail(
        message(
            "{origin}: {place} is passed to uv, which does not read this setting itself",
            origin=setting.origin,
            place=place,
        )
    )
    return True


def _exists(place: str) -> bool:
    return "://" in place or Path(place).expanduser().exists()
