"""Compares versions as PEP 440 orders them, pre-releases included, where `packaging` may not be installed.

https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple

__all__ = ["Version", "allows", "parse_version"]

_VERSION = re.compile(
    r"\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_number>\d*))?"
    r"(?P<post>-(?P<post_dashed>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$",
    re.IGNORECASE | re.ASCII,
)
_LETTERS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_MAX_CHARACTERS = 200
_FINAL = ("z", 0)  # after every pre-release
_BEFORE_ALL = ("", 0)
_LAST = 10**18


class Version(NamedTuple):
    """A version in parts that compare as the standard says."""

    epoch: int
    release: tuple[int, ...]  # without zeros at its end
    pre: tuple[str, int]
    post: int  # -1 for none
    dev: int  # a large number for none
    local: tuple[tuple[int, int, str], ...]

    @property
    def is_pre_release(self) -> bool:
        """Whether it comes before a release: an alpha, beta, candidate or development version."""
        return self.dev != _LAST or self.pre != _FINAL

    @property
    def public(self) -> Version:
        """The version without its local part."""
        return self._replace(local=())

    def has_base_of(self, other: Version) -> bool:
        """Whether both are of one release."""
        return (self.epoch, self.release) == (other.epoch, other.release)


def parse_version(text: str) -> Version | None:
    """Return the version; None for text that is none.

    >>> parse_version("3.11.0a6") < parse_version("3.11")
    True
    """
    found = _VERSION.match(text) if len(text) <= _MAX_CHARACTERS else None
    if found is None:
        return None
    part = found.groupdict()
    release = [_number(each) for each in part["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    dev = _number(part["dev_number"]) if part["dev"] is not None else _LAST
    post = _number(part["post_dashed"] or part["post_number"]) if part["post"] is not None else -1
    if part["pre"] is not None:
        letter = part["pre"].lower()
        pre = (_LETTERS.get(letter, letter), _number(part["pre_number"]))
    else:
        # A development version of a release comes before its alphas.
        pre = _BEFORE_ALL if post < 0 and dev != _LAST else _FINAL
    return Version(_number(part["epoch"]), tuple(release), pre, post, dev, _local(part["local"] or ""))


def allows(version: str, operator: str, wanted: str) -> bool | None:
    """Tell whether a version is what one clause wants, such as `<=` and `3.11.0a6`; None for what cannot be read."""
    if operator == "===":
        return version.strip().lower() == wanted.strip().lower()
    here, text = parse_version(version), wanted.strip()
    if text.endswith(".*"):
        other = parse_version(text[:-2])
        if here is None or other is None or operator not in ("==", "!="):
            return None
        return _begins(here, text[:-2]) == (operator == "==")
    other = parse_version(text)
    if here is None or other is None:
        return None
    if operator == "~=":
        prefix = re.match(r"\s*v?((?:\d+!)?\d+(?:\.\d+)*)\.\d+", text, re.ASCII)
        return None if prefix is None else here.public >= other and _begins(here, prefix.group(1))
    return _OPERATORS[operator](here, other) if operator in _OPERATORS else None


def _equals(here: Version, other: Version) -> bool:
    return (here if other.local else here.public) == other


def _is_before(here: Version, other: Version) -> bool:
    is_early = here.is_pre_release and not other.is_pre_release and here.has_base_of(other)
    return here < other and not is_early


def _is_after(here: Version, other: Version) -> bool:
    is_late = (here.post >= 0 and other.post < 0) or bool(here.local)
    return here > other and not (is_late and here.has_base_of(other))


_OPERATORS: dict[str, Callable[[Version, Version], bool]] = {
    "==": _equals,
    "!=": lambda here, other: not _equals(here, other),
    "<=": lambda here, other: here.public <= other,
    ">=": lambda here, other: here.public >= other,
    "<": _is_before,
    ">": _is_after,
}


def _begins(here: Version, text: str) -> bool:
    """Whether a release begins with these numbers: 1.0.1rc1 with `1.0`."""
    other = parse_version(text)
    length = text.rpartition("!")[2].count(".") + 1
    return (
        other is not None
        and here.epoch == other.epoch
        and _padded(here.release, length)[:length] == _padded(other.release, length)
    )


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))


def _number(text: str | None) -> int:
    return int((text or "0")[:18])


def _local(text: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers come after words: https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers."""
    parts = re.split(r"[-_.]", text.lower()) if text else []
    return tuple((1, _number(part), "") if part.isdigit() else (0, 0, part) for part in parts)
