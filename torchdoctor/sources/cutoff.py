"""The time after which nothing that was uploaded counts: as uv's `exclude-newer` and pip's `uploaded-prior-to` say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Cutoff", "earlier", "parse_pip_time", "parse_uv_time", "written"]

_MAX_LENGTH = 64
_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}", re.ASCII)
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII | re.IGNORECASE,
)
_PIP_DURATION = re.compile(r"P\d{1,5}D", re.ASCII)
_PART = re.compile(r"(\d{1,9})\s*([a-z]+)\s*,?\s*", re.ASCII)
# https://docs.rs/jiff/latest/jiff/fmt/friendly/: the units that uv takes; months and years have no fixed length.
_UNITS = {
    "weeks": ("w", "wk", "wks", "week", "weeks"),
    "days": ("d", "day", "days"),
    "hours": ("h", "hr", "hrs", "hour", "hours"),
    "minutes": ("m", "min", "mins", "minute", "minutes"),
    "seconds": ("s", "sec", "secs", "second", "seconds"),
}
_NO_PACKAGES: Mapping[str, datetime | None] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Cutoff:
    """Before which moment a file must have been uploaded; of packages named, another one, or None for no limit."""

    moment: datetime | None  # in UTC
    origin: str  # the option, the variable or the file that says so, for people
    packages: Mapping[str, datetime | None] = field(default_factory=lambda: _NO_PACKAGES)

    def of(self, project: str) -> datetime | None:
        """Return the moment that counts for a project, by its normalised name."""
        return self.packages.get(project, self.moment)

    def admits(self, project: str, uploaded: str | None) -> bool:
        """Say whether a file counts that was uploaded at this time, as an index writes it; one without a time does not.

        https://peps.python.org/pep-0700/: `yyyy-mm-ddThh:mm:ss.ffffffZ`.
        """
        moment = self.of(project)
        if moment is None:
            return True
        uploaded_at = _instant(uploaded) if uploaded and len(uploaded) <= _MAX_LENGTH else None
        return uploaded_at is not None and uploaded_at < moment

    @property
    def shown(self) -> str:
        """The moment as people and uv read it."""
        return written(self.moment) if self.moment is not None else ""


def written(moment: datetime) -> str:
    """Return a moment as RFC 3339 has it."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def earlier(first: Cutoff | None, second: Cutoff | None) -> Cutoff | None:
    """Return the stricter one, with what the other says of packages where it says nothing itself."""
    if first is None or second is None:
        return first or second
    if first.moment is None or (second.moment is not None and second.moment < first.moment):
        first, second = second, first
    return replace(first, packages={**second.packages, **first.packages})


def parse_uv_time(text: str, origin: str, now: datetime) -> datetime | None:
    """Return the moment that uv means: a timestamp, the end of a local day, or so long before `now`; None for `false`.

    https://docs.astral.sh/uv/reference/settings/#exclude-newer. Raises `UsageError` for anything else, named by
    `origin`.
    """
    plain = text.strip()
    if plain.lower() == "false":
        return None
    if len(plain) <= _MAX_LENGTH:
        if _DATE.fullmatch(plain):
            if (ends := _midnight(plain, days_after=1)) is not None:
                return ends
        elif (instant := _instant(plain)) is not None:
            return instant
        if (moment := _moment_before(now, plain)) is not None:
            return moment
    raise _refused(text, origin)


def parse_pip_time(text: str, origin: str, now: datetime) -> datetime:
    """Return the moment that pip means: an ISO 8601 time, the beginning of a local day, or `P7D` before `now`.

    https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-uploaded-prior-to. Raises `UsageError`.
    """
    plain = text.strip()
    if len(plain) <= _MAX_LENGTH:
        if _PIP_DURATION.fullmatch(plain) and (moment := _moment_before(now, plain)) is not None:
            return moment
        if _DATE.fullmatch(plain):
            if (begins := _midnight(plain)) is not None:
                return begins
        elif (instant := _instant(plain)) is not None:
            return instant
    raise _refused(text, origin)


def _midnight(text: str, *, days_after: int = 0) -> datetime | None:
    """Return when a local day begins, or one after it; None for a day that the calendar does not have."""
    plain = text.replace("-", "")
    try:
        day = datetime(int(plain[:4]), int(plain[4:6]), int(plain[6:]))  # noqa: DTZ001
        return _local(day + timedelta(days=days_after))
    except (ValueError, OverflowError):
        return None


def _instant(text: str) -> datetime | None:
    """Read a date with a time; without an offset it is local."""
    try:
        # Python 3.10 reads neither the letter nor a fraction of other than three or six digits.
        found = datetime.fromisoformat(re.sub(r"\.\d+", "", re.sub(r"[Zz]$", "+00:00", text)))
        return found.astimezone(timezone.utc) if found.tzinfo is not None else _local(found)
    except (ValueError, OverflowError):
        return None


def _local(moment: datetime) -> datetime:
    try:
        return moment.astimezone().astimezone(timezone.utc)
    except OSError:  # before 1970 on Windows
        return moment.replace(tzinfo=timezone.utc)


def _moment_before(now: datetime, text: str) -> datetime | None:
    """Return the moment so long ago; None for a text that is no length of time, or one longer than the calendar."""
    try:
        length = _duration(text)
        return now - length if length is not None else None
    except OverflowError:
        return None


def _duration(text: str) -> timedelta | None:
    found = _ISO_DURATION.fullmatch(text)
    if found is not None:
        parts = {name: int(value) for name, value in found.groupdict().items() if value is not None}
        return timedelta(**parts) if parts else None
    plain = text.lower().removesuffix("ago").strip()
    total, position = timedelta(), 0
    while position < len(plain):
        part = _PART.match(plain, position)
        unit = next((name for name, words in _UNITS.items() if part is not None and part[2] in words), None)
        if part is None or unit is None:
            return None
        total += timedelta(**{unit: int(part[1])})
        position = part.end()
    return total if position else None


def _refused(text: str, origin: str) -> UsageError:
    return UsageError(
        message("{origin}: {text!r} is neither a date nor a length of time", origin=origin, text=text[:60]),
        fix=message(
            "write a date such as 2026-01-31, a time such as 2026-01-31T12:00:00Z, or a length such as '7 days' or "
            "P7D; months and years have no fixed length"
        ),
        code="bad-time",
    )
