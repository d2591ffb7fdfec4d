"""Wheels that are asked for by URL: whether they are for the machine."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from torchdoctor.requirements.model import AskedRequirement

__all__ = ["refuse_wheels_of_other_machines"]

_SHOWN_TAGS = 3


def refuse_wheels_of_other_machines(requirements: Iterable[AskedRequirement], tags: Iterable[Tag]) -> None:
    """Raise `NoSolution` for a wheel by URL whose tags are not among those of the machine."""
    supported = frozenset(tags)
    for asked in requirements:
        url = Requirement(asked.line).url
        filename = unquote(PurePosixPath(urlsplit(url or "").path).name)
        try:
            wheel_tags = parse_wheel_filename(filename)[3]
        except InvalidWheelFilename:
            continue
        if supported.isdisjoint(wheel_tags):
            names = sorted(map(str, wheel_tags))
            raise NoSolution(
                message(
                    "{origin}: {filename} is a wheel for {tags}, and cannot be installed on this machine",
                    origin=asked.origin,
                    filename=sanitize_line(filename, limit=120),
                    tags=joined(names[:_SHOWN_TAGS], " / "),
                ),
                fix=message(
                    "name the file for this machine and Python, or ask for {name} without a URL",
                    name=asked.name,
                ),
                code="wheel-of-other-machine",
            )
