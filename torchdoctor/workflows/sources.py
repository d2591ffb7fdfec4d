"""Gather the sources of packages, in order: the options, pip's and uv's settings, the official index, PyPI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.user_folders import current_folder
from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import UsageError
from torchdoctor.requirements.torch_indexes import is_torch_index
from torchdoctor.sources import order_sources
from torchdoctor.sources.installer_config import installer_settings
from torchdoctor.sources.keyring import with_passwords
from torchdoctor.sources.mirrors import AUTO, mirrors_by_speed

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.sources import Sources
    from torchdoctor.sources.installer_config import IndexSetting
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["gather_sources", "sources_from_options"]


def gather_sources(options: SourceOptions, system: System, python: PythonInfo, report: Reporter) -> Sources:
    """Return every source in order, with the passwords of its index.

    Raises `UsageError` for a folder that does not exist, a URL that is none, or an unknown mirror.
    """
    for place in options.find_links:
        if not _exists(place):
            raise UsageError(
                message("--find-links: there is no {place}", place=place),
                fix=message("name a folder or a page that exists"),
            )
    sources = sources_from_options(options, report, _usable_settings(system, python, report))
    for text in sources.ignored:
        report.note(text)
    return with_passwords(sources, system)


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
        offline=options.offline,
    )
    if options.vendor is None:
        return sources
    from torchdoctor.sources.vendors import with_vendor

    return with_vendor(sources, options.vendor, index_url=options.index_url, offline=options.offline)


def _usable_settings(system: System, python: PythonInfo, report: Reporter) -> tuple[IndexSetting, ...]:
    """Return pip's and uv's settings, without folders that do not exist now; report each of them."""
    settings = installer_settings(system.environ, python, current_folder())
    return tuple(setting for setting in settings if _is_usable(setting, report))


def _is_usable(setting: IndexSetting, report: Reporter) -> bool:
    if setting.of_project:
        _report_project_setting(setting, report)
        return False
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


def _report_project_setting(setting: IndexSetting, report: Reporter) -> None:
    """Say that an index is not used that a project names which happens to be in this folder: nobody asked for it."""
    if setting.kind != "no-index" and not is_torch_index(setting.place):
        report.note(
            message(
                "{origin}: {place} is used for that project alone, with --project; --index-url names it besides",
                origin=setting.origin,
                place=redact_url(setting.place),
            )
        )


def _exists(place: str) -> bool:
    return "://" in place or Path(place).expanduser().exists()
