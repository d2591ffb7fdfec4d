"""What installed packages require, by their metadata alone: extras and markers followed, versions compared.

Small, since it runs where `packaging` may not be: it reads what wheels say, and what it cannot read counts as met.
"""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from typing import Iterator, NamedTuple

from .version_order import allows, parse_version

__all__ = ["Requirement", "marker_holds", "meets", "required_packages"]

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*\(?\s*([^;)]*)\)?\s*(?:;\s*(.*))?$")
_CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*(\S+)\s*$")
_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()])|(?P<word>and|or)\b|(?P<compare>not\s+in\b|in\b|===|~=|==|!=|<=|>=|<|>)"
    r"|'(?P<one>[^']*)'|\"(?P<two>[^\"]*)\"|(?P<name>[A-Za-z_]\w*))"
)
_MAX_MARKER_CHARACTERS = 2000
_MAX_PACKAGES = 500
_VERSIONS = ("python_version", "python_full_version", "implementation_version")


class Requirement(NamedTuple):
    """A requirement that counts here, of the installed package `by`."""

    by: str
    name: str  # normalised
    specifier: str
    version: str | None  # the installed one; None where it is missing

    @property
    def is_met(self) -> bool:
        """Whether it is installed in a version that is allowed."""
        return self.version is not None and meets(self.version, self.specifier)


def required_packages(root: str) -> Iterator[Requirement]:
    """Yield what a package requires and what that requires in turn, each line once."""
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting and len(seen) < _MAX_PACKAGES:
        name, extras = waiting.pop(0)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for line in _lines(name):
            found = _REQUIREMENT.match(line.strip())
            if not found or not any(marker_holds(found.group(4) or "", extra) for extra in ("", *extras)):
                continue
            required = re.sub(r"[-_.]+", "-", found.group(1)).lower()
            wanted = frozenset(extra.strip() for extra in (found.group(2) or "").split(",") if extra.strip())
            waiting.append((required, wanted))
            yield Requirement(name, required, found.group(3).strip(), _version(required))


def _lines(name: str) -> list[str]:
    try:
        return list(metadata.requires(name) or [])
    except Exception:  # noqa: BLE001  # METADATA is somebody's text; what cannot be read requires nothing
        return []


def _version(name: str) -> str | None:
    try:
        return str(metadata.version(name) or "") or None
    except Exception:  # noqa: BLE001  # the same
        return None


def meets(version: str, specifier: str) -> bool:
    """Tell whether a version is allowed; a pre-release, or a clause that cannot be read, counts as met."""
    here = parse_version(version)
    if here is None or here.is_pre_release:
        return True
    clauses = specifier.split(",") if specifier.strip() else []
    found = (_CLAUSE.match(clause) for clause in clauses)
    return all(allows(version, *clause.groups()) is not False for clause in found if clause)


def marker_holds(marker: str, extra: str = "") -> bool:
    """Tell whether a marker holds here, for this extra; an empty one does, one that cannot be read does not."""
    if not marker.strip():
        return True
    try:
        return _Marker(marker[:_MAX_MARKER_CHARACTERS], extra).holds()
    except (ValueError, RecursionError):
        return False


class _Marker:
    """A reader of https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers."""

    def __init__(self, text: str, extra: str) -> None:
        self._tokens = list(_tokens(text))
        self._values = _environment(extra)

    def holds(self) -> bool:
        found = self._either()
        if self._tokens:
            raise ValueError(self._tokens)
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._next() == ("word", "or"):
            self._tokens.pop(0)
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._next() == ("word", "and"):
            self._tokens.pop(0)
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._next() == ("mark", "("):
            self._tokens.pop(0)
            found = self._either()
            if self._take() != ("mark", ")"):
                raise ValueError("a bracket stays open")
            return found
        left, operator, right = self._take(), self._take(), self._take()
        if operator[0] != "compare":
            raise ValueError(operator)
        return self._compare(left, re.sub(r"\s+", " ", operator[1]), right)

    def _compare(self, left: tuple[str, str], operator: str, right: tuple[str, str]) -> bool:
        one, other = self._value(left), self._value(right)
        if operator in ("in", "not in"):
            return (one in other) == (operator == "in")
        if any(kind == "name" and text in _VERSIONS for kind, text in (left, right)):
            answer = allows(one, operator, other)
            if answer is None:
                raise ValueError(other)
            return answer
        if operator not in ("==", "==="):
            return one != other if operator == "!=" else False
        return one == other

    def _value(self, token: tuple[str, str]) -> str:
        if token[0] == "name":
            if token[1] not in self._values:
                raise ValueError(token[1])
            return self._values[token[1]]
        if token[0] != "text":
            raise ValueError(token)
        return token[1]

    def _next(self) -> tuple[str, str] | None:
        return self._tokens[0] if self._tokens else None

    def _take(self) -> tuple[str, str]:
        if not self._tokens:
            raise ValueError("the marker ends too early")
        return self._tokens.pop(0)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(text[place:])
        place = found.end()
        kind = str(found.lastgroup)
        yield ("text" if kind in ("one", "two") else kind), found.group(kind)


def _environment(extra: str) -> dict[str, str]:
    return {
        "platform_system": platform.system(),
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "os_name": "nt" if sys.platform == "win32" else "posix",
        "python_version": "{}.{}".format(*sys.version_info[:2]),
        # A Python that was built from a checkout ends with `+`, as a version never does.
        "python_full_version": re.sub(r"\+$", "+local", platform.python_version()),
        "implementation_name": sys.implementation.name,
        "implementation_version": _implementation_version(),
        "extra": extra,
    }


def _implementation_version() -> str:
    """The version of the interpreter's implementation, such as PyPy's: 7.3.16, or 3.14.0b2."""
    found = sys.implementation.version
    suffix = "" if found.releaselevel == "final" else f"{found.releaselevel[0]}{found.serial}"
    return f"{found.major}.{found.minor}.{found.micro}{suffix}"
