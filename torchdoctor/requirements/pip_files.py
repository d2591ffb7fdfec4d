"""Requirement and constraint files as pip reads them, with the files that they name.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.requirements.builder import ProjectFolder
from torchdoctor.requirements.documents import location_of, read_text
from torchdoctor.requirements.lines import Place, read_requirement
from torchdoctor.requirements.other_formats import project_file, refuse_other_format
from torchdoctor.requirements.pip_lines import logical_lines
from torchdoctor.requirements.pip_options import BadOption, parse_pip_line
from torchdoctor.requirements.refusal import refused, refused_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.documents import Location
    from torchdoctor.requirements.pip_lines import LogicalLine
    from torchdoctor.requirements.pip_options import PipLine

    Kind = Literal["requirements", "constraints"]

__all__ = ["read_requirements_file"]

_MAX_DEPTH = 50
_MAX_FILES = 500
_MAX_LINES = 50_000


def read_requirements_file(
    named: str, builder: StackBuilder, *, kind: Kind, origin: str, inside: Location | None = None
) -> None:
    """Read a file into the builder: its requirements, or as constraints; and the files that it names.

    `origin` is the option or the line that names it, `inside` the file of that line. Raises `UsageError` for a line
    that is none, with line and column, for a cycle, and for a file that cannot be read; `NotConfirmed` where
    consent is needed and nobody gives it.
    """
    location = location_of(named, inside=inside, folder=builder.folder, origin=origin)
    refuse_other_format(location)
    if (project := project_file(location)) is not None:
        builder.projects.append(ProjectFolder(path=project, origin=origin))
        return
    with _being_read(location, builder, origin):
        text = read_text(location, origin=origin)
        hashed = False
        for count, line in enumerate(logical_lines(text, builder.environ)):
            if count >= _MAX_LINES:
                raise refused(
                    location.name,
                    message("it has more than {count} lines", count=_MAX_LINES),
                    fix=message("check that it is the right file"),
                )
            hashed |= _read_line(line, location, builder, kind)
        if hashed:
            builder.notes.append(
                message(
                    "{file}: its hashes are checked, except for torch, torchvision and torchaudio, of which "
                    "another build may be chosen, and for packages that it does not list",
                    file=location.name,
                )
            )


@contextmanager
def _being_read(location: Location, builder: StackBuilder, origin: str) -> Iterator[None]:
    """Refuse a file that is being read already, and more files than anybody has."""
    builder.file_count += 1
    if location.key in builder.reading:
        chain = [*builder.reading[builder.reading.index(location.key) :], location.key]
        raise refused(
            origin,
            message("it names a file that names it: {files}", files=joined(map(shown, chain), " -> ")),
            fix=message("take one of these lines out"),
            code="requirements-cycle",
        )
    if len(builder.reading) >= _MAX_DEPTH or builder.file_count > _MAX_FILES:
        raise refused(
            origin,
            message("more files than anybody has name each other"),
            fix=message("check the lines with -r and -c"),
        )
    builder.reading.append(location.key)
    try:
        yield
    finally:
        builder.reading.pop()


def _read_line(line: LogicalLine, location: Location, builder: StackBuilder, kind: Kind) -> bool:
    """Read one line; return whether it has hashes."""
    try:
        parsed = parse_pip_line(line.text)
    except BadOption as error:
        offset = max(line.text.find(error.word), 0) if error.word else 0
        raise refused_line(
            location.name,
            line.position(offset),
            line.text,
            error.reason,
            fix=message("write the options that pip's requirements files have"),
        ) from error
    origin = f"{location.name}:{line.number}"
    if parsed.requirement:
        _read_requirement(parsed, line, location, builder, kind)
    for editable in parsed.editables:
        place = _place(line, location, line.text.find(editable))
        found = read_requirement(editable, place, builder)
        if isinstance(found, ProjectFolder):
            builder.projects.append(found)
        else:
            builder.requirements.append(found)
    for nested_kind, names in (("requirements", parsed.requirements), ("constraints", parsed.constraints)):
        for name in names:
            wanted: Kind = "constraints" if "constraints" in (kind, nested_kind) else "requirements"
            read_requirements_file(name, builder, kind=wanted, origin=origin, inside=location)
    _read_settings(parsed, location, builder, origin)
    return bool(parsed.requirement and parsed.hashes)


def _place(line: LogicalLine, location: Location, start: int = 0) -> Place:
    return Place(
        origin=f"{location.name}:{line.number}",
        name=location.name,
        location=location,
        position=lambda offset: line.position(max(start, 0) + offset),
    )


def _read_requirement(
    parsed: PipLine, line: LogicalLine, location: Location, builder: StackBuilder, kind: Kind
) -> None:
    place = _place(line, location)
    found = read_requirement(parsed.requirement, place, builder, hashes=parsed.hashes)
    if isinstance(found, ProjectFolder):
        builder.projects.append(found)
    elif kind == "constraints":
        builder.constraints.append(found)
    else:
        builder.requirements.append(found)


def _read_settings(parsed: PipLine, location: Location, builder: StackBuilder, origin: str) -> None:
    for url in (*parsed.index_urls, *parsed.extra_index_urls):
        builder.add_index(url, origin)
    for place in parsed.find_links:
        builder.add_find_links(_absolute(place, location, origin, builder), origin)
    builder.prereleases |= parsed.pre
    not_followed = [*(["--no-index"] if parsed.no_index else []), *parsed.not_followed]
    builder.notes.extend(
        message("{origin}: {option} is not followed", origin=origin, option=option) for option in not_followed
    )


def _absolute(place: str, location: Location, origin: str, builder: StackBuilder) -> str:
    """A folder of links is beside the file that names it."""
    if "://" in place or place.startswith("file:"):
        return place
    found = location_of(place, inside=location, folder=builder.folder, origin=origin)
    return found.url or str(found.path)
