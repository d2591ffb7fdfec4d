"""One requirement, from an option, a file or a project: PEP 508, or a place as pip takes it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.requirements.builder import ProjectFolder
from torchdoctor.requirements.direct import is_repository, name_of_file, split_direct
from torchdoctor.requirements.model import AskedRequirement
from torchdoctor.requirements.refusal import refused, refused_line, require_consent, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.direct import Direct
    from torchdoctor.requirements.documents import Location

__all__ = ["Place", "check_requirement", "parse_requirement", "read_requirement"]

_SPAN_MARK = re.compile(r"\n.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a requirement stands: an option, or a line of a file."""

    origin: str  # as `AskedRequirement.origin`
    name: str  # of the file or the option
    location: Location | None = None  # the file; None for an option
    position: Callable[[int], tuple[int, int]] | None = (
        None  # the line and column of an offset; None for an option
    )

    def refused(self, text: str, reason: str, *, fix: str, offset: int = 0) -> Exception:
        """Return the error for this requirement."""
        if self.position is None:
            return refused(
                self.name,
                message("{text!r} is not a requirement: {reason}", text=shown(text), reason=reason),
                fix=fix,
            )
        return refused_line(self.name, self.position(offset), text, reason, fix=fix)


def parse_requirement(text: str, place: Place) -> Requirement:
    """Return a PEP 508 requirement with its name normalised; raises `UsageError` with the line and the column."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        span = getattr(error.__cause__, "span", (0, 0))
        reason = _SPAN_MARK.sub("", str(error)).strip().removesuffix(":")
        raise place.refused(
            text, reason, fix=message("write NAME, NAME==VERSION or NAME @ URL (PEP 508)"), offset=span[0]
        ) from error
    except RecursionError as error:
        raise place.refused(
            text, message("it is nested too deep"), fix=message("write a shorter marker")
        ) from error
    requirement.name = canonicalize_name(requirement.name)
    return requirement


def check_requirement(text: str, option: str) -> None:
    """Raise `UsageError` for the value of an option that is neither a place nor a requirement."""
    place = Place(origin=option, name=option)
    with _place_errors_as_refused(text, place):
        if split_direct(text) is None:
            parse_requirement(text, place)


def read_requirement(
    text: str, place: Place, builder: StackBuilder, *, hashes: tuple[str, ...] = ()
) -> AskedRequirement | ProjectFolder:
    """Return the requirement, or the project where it is a folder.

    A repository or an archive is built from source, which runs its code, so the user is asked. Raises `UsageError`
    for what is no requirement, `NotConfirmed` without that consent.
    """
    with _place_errors_as_refused(text, place):
        return _read_requirement(text, place, builder, hashes)


@contextmanager
def _place_errors_as_refused(text: str, place: Place) -> Iterator[None]:
    """Refuse a URL that cannot be taken apart, such as `http://[`, and a path that no file can have."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or sanitize_line(str(error), limit=120)
        raise place.refused(
            text, message("it names no place: {why}", why=why), fix=message("check the URL or the path")
        ) from error


def _read_requirement(
    text: str, place: Place, builder: StackBuilder, hashes: tuple[str, ...]
) -> AskedRequirement | ProjectFolder:
    direct = split_direct(text)
    if direct is None:
        requirement = parse_requirement(text, place)
        if requirement.url is None:
            return _asked(str(requirement), requirement.name, place, hashes)
        direct = _direct_of(requirement)
    line = _line_of_path(direct, text, place, builder) if direct.kind == "path" else direct.line(direct.place)
    if isinstance(line, ProjectFolder):
        return line
    if direct.name is None:
        raise place.refused(
            text,
            message("its name cannot be told from the URL"),
            fix=message("write NAME @ URL"),
        )
    if not _is_wheel(direct.place):
        _agree_to_build(direct, place, builder)
        builder.builds.add(direct.name)
    return _asked(line, direct.name, place, hashes)


def _direct_of(requirement: Requirement) -> Direct:
    from torchdoctor.requirements.direct import Direct as DirectPlace

    url = requirement.url or ""
    scheme = urlsplit(url).scheme
    kind = "repository" if is_repository(url) else "path" if scheme == "file" or len(scheme) <= 1 else "url"
    return DirectPlace(
        kind=kind,  # type: ignore[arg-type]
        place=url,
        name=requirement.name,
        extras=tuple(sorted(requirement.extras)),
        marker=str(requirement.marker) if requirement.marker else None,
    )


def _line_of_path(direct: Direct, text: str, place: Place, builder: StackBuilder) -> str | ProjectFolder:
    """The line with the path as a URL; a folder is a project."""
    if place.location is not None and place.location.url is not None:
        raise place.refused(
            text,
            message("a file from the network names a file of this computer"),
            fix=message("download it, look at it, and name the copy"),
        )
    base = place.location.folder if place.location is not None else builder.folder
    path = (base or builder.folder) / _path_of(direct.place)
    if path.is_dir():
        return ProjectFolder(path=path, extras=direct.extras, origin=place.origin)
    if not path.is_file():
        raise place.refused(
            text, message("there is no file or folder {path}", path=path), fix=message("check its name")
        )
    name = name_of_file(path.name) or direct.name
    if name is None:
        raise place.refused(
            text,
            message("a file is a wheel or an archive of sources, and its name is as the format wants it"),
            fix=message("name a .whl or .tar.gz file"),
        )
    return replace(direct, name=direct.name or name).line(path.absolute().as_uri())


def _is_wheel(place: str) -> bool:
    """Whether a place is a wheel, which is installed without running its code."""
    return urlsplit(place).path.lower().endswith(".whl")


def _path_of(place: str) -> Path:
    from torchdoctor.sources.listing import local_path

    return local_path(place) if place.startswith("file:") else Path(place).expanduser()


def _agree_to_build(direct: Direct, place: Place, builder: StackBuilder) -> None:
    require_consent(
        message(
            "{origin}: {name} is built from {url}, which runs its code. Go on?",
            origin=place.origin,
            name=direct.name,
            url=shown(direct.place),
        ),
        builder.ask,
        refusal=message(
            "{origin}: {name} is built from {url}, which runs its code, and this needs your consent",
            origin=place.origin,
            name=direct.name,
            url=shown(direct.place),
        ),
    )


def _asked(line: str, name: str, place: Place, hashes: tuple[str, ...]) -> AskedRequirement:
    return AskedRequirement(line=line, name=str(canonicalize_name(name)), origin=place.origin, hashes=hashes)
