"""A snapshot as it was at an earlier time: without the releases and companions that came out later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from packaging.version import Version

from wheels_index.snapshot import Snapshot, UnknownRelease

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheels_index.release import Companion, Release
    from wheels_index.wheel import Wheel

__all__ = ["DatedSnapshot", "released_before"]


class DatedSnapshot(Snapshot):
    """The releases of another snapshot that were out before a moment, which may differ by project.

    A release is dated by the day of its first file, so it counts where the whole day was before the moment; one whose
    day is not known does not count.

    >>> from wheels_index import bundled
    >>> moment = datetime(2025, 11, 1, tzinfo=timezone.utc)
    >>> str(DatedSnapshot(bundled(), lambda project: moment).versions()[0])
    '2.9.0'
    """

    __slots__ = ("_base", "_dated", "_moment")

    def __init__(self, base: Snapshot, moment: Callable[[str], datetime | None]) -> None:
        super().__init__(base.folder)
        self._base, self._moment = base, moment
        self._dated: dict[Version, Release] = {}

    @property
    def as_of(self) -> str:
        """The ISO date on which an index of PyTorch was last read."""
        return self._base.as_of

    def versions(self) -> tuple[Version, ...]:
        """Return the torch versions that were out, newest first."""
        if self._versions is None:
            moment = self._moment("torch")
            self._versions = tuple(
                version
                for version in self._base.versions()
                if released_before(self._base.release(version).released, moment)
            )
        return self._versions

    def release(self, version: Version | str) -> Release:
        """Return what is known of a torch version, without companions that came out later."""
        wanted = Version(Version(version).public) if isinstance(version, str) else Version(version.public)
        if wanted not in self._dated:
            if wanted not in self.versions():
                raise UnknownRelease(wanted, self.versions())
            release = self._base.release(wanted)
            companions = {name: self._without_newer(each) for name, each in release.companions.items()}
            self._dated[wanted] = replace(release, companions=companions)
        return self._dated[wanted]

    def projects(self) -> tuple[str, ...]:
        """Return the other projects of which files were seen."""
        return self._base.projects()

    def project(self, name: str) -> tuple[Wheel, ...]:
        """Return the files seen of another project, of whatever day: it is not known."""
        return self._base.project(name)

    def _without_newer(self, companion: Companion) -> Companion:
        moment = self._moment(companion.project)
        kept = tuple(
            version
            for version in companion.versions
            if released_before(companion.uploaded.get(version.public), moment)
        )
        return companion if kept == companion.versions else replace(companion, versions=kept)


def released_before(day: str | None, moment: datetime | None) -> bool:
    """Say whether an ISO date is wholly before a moment; None stands for no limit, and for a day that is not known."""
    if moment is None:
        return True
    try:
        found = date.fromisoformat(day or "")
        end = datetime(found.year, found.month, found.day, tzinfo=timezone.utc) + timedelta(days=1)
    except (ValueError, OverflowError):
        return False
    return end <= moment
