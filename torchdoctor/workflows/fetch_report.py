"""Report which wheels were fetched, from where, and which hashes nobody confirms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plurals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.lock import LockedWheel

__all__ = ["report_fetched", "report_unverified"]


def report_fetched(
    wheelhouse: Wheelhouse, built: Path, report: Reporter, *, unlisted: Collection[str] = ()
) -> None:
    """Report the number of files, their size and their sources; nothing where nothing was fetched.

    Those in `unlisted`, and those that had no hash before they came, are not among the files whose hashes were checked.

    Each wheel in `built`, which was built from its source, lies in a folder of its own: these are counted together.
    """
    if not wheelhouse.wheels:
        return
    counts: dict[str, int] = {}
    own = 0
    checked = [
        each for each in wheelhouse.wheels if not each.first_seen and each.wheel.filename not in unlisted
    ]
    for fetched in checked:
        host = fetched.source if "://" not in fetched.source else fetched.source.split("/")[2]
        if Path(host).is_relative_to(built):
            own += 1
        else:
            counts[host] = counts.get(host, 0) + 1
    parts = [
        message("{count} from {place}", count=count, place=host) for host, count in sorted(counts.items())
    ]
    if own:
        parts.append(message("{count} built from source", count=own))
    hashless = len(wheelhouse.wheels) - len(checked)
    if hashless:
        parts.append(message("{count} without a hash of an index", count=hashless))
    files = plurals.files(len(wheelhouse.wheels))
    total = sum(fetched.size for fetched in wheelhouse.wheels) / 1e6
    report.stage(
        "fetch",
        message(
            "{files}, {total:.1f} MB, hashes checked: {parts}", files=files, total=total, parts=joined(parts)
        )
        if checked
        else message("{files}, {total:.1f} MB, {parts}", files=files, total=total, parts=joined(parts)),
    )
    report_unverified(
        (
            replace(fetched.wheel, sha256=fetched.sha256)
            for fetched in wheelhouse.wheels
            if fetched.first_seen
        ),
        report,
    )
    for fetched in wheelhouse.wheels:
        report.detail(
            message(
                "{filename} from {source}, SHA-256 {sha256}",
                filename=fetched.wheel.filename,
                source=fetched.source,
                sha256=fetched.sha256,
            )
        )


def report_unverified(wheels: Iterable[LockedWheel], report: Reporter) -> None:
    """Report each wheel whose hash is the one of its first download, since no index gives one."""
    for wheel in wheels:
        report.note(
            message(
                "no index gives a hash for {filename}; recorded {sha256}",
                filename=wheel.filename,
                sha256=wheel.sha256,
            )
        )
