"""Names of torch's interface that a package asks for, against the torch that is installed."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version
from torchdoctor.diagnose.matchers import Match, source
from torchdoctor.diagnose.text import displayable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["newer_name_of_torch_not_found", "torch_has_newer_name", "torch_lacks_newer_name"]

_ERRORS = (
    (
        "has no attribute",
        re.compile(r"module '(?P<module>torch[\w.]{0,60})' has no attribute '(?P<name>\w{1,60})'"),
    ),
    (
        "cannot import name",
        re.compile(r"cannot import name '(?P<name>\w{1,60})' from '(?P<module>torch[\w.]{0,60})'"),
    ),
    ("no module named", re.compile(r"no module named '?(?P<module>torch(?:vision)?\.[\w.]{1,60})(?P<name>)")),
)
_AROUND = 120


@functools.cache
def _names() -> dict[str, str]:
    path = Path(__file__).parents[1] / "data" / "newer_names.json"
    names: dict[str, str] = json.loads(path.read_text("utf-8"))["names"]
    return names


def newer_name_of_torch_not_found(evidence: Evidence) -> Match | None:
    """An error names something that came with a later release of torch than the first ones."""
    return next((Match(evidence=(line,)) for _, line in _not_found(evidence)), None)


def torch_lacks_newer_name(evidence: Evidence) -> Match | None:
    """The torch that is installed is older than the name that an error asks for."""
    return _judged(evidence, older=True)


def torch_has_newer_name(evidence: Evidence) -> Match | None:
    """The torch that is installed has the name that an error does not find: something else is wrong."""
    return _judged(evidence, older=False)


def _judged(evidence: Evidence, *, older: bool) -> Match | None:
    torch = torch_version(evidence)
    if torch is None:
        return None
    for first, line in _not_found(evidence):
        if (torch < Version(first)) is older:
            return Match(evidence=(line, source(evidence.observations("torch.version")[0])))
    return None


def _not_found(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the release that brought each name that an error does not find, and the line."""
    text = evidence.text
    for needle, pattern in _ERRORS:
        for position in text.find(needle):
            match = pattern.search(text.lower, max(position - _AROUND, 0), position + _AROUND)
            if match is None:
                continue
            dotted = ".".join(part for part in (match["module"], match["name"]) if part)
            first = next(
                (release for name, release in _names().items() if f"{dotted}.".startswith(f"{name}.")), None
            )
            if first is not None:
                yield first, displayable(text.line_at(position)[1])
