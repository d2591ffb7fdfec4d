"""Why `uv pip compile` failed, as a code: uv gives only a text, which `uv_errors.toml` maps."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "UvError",
    "UvErrorCode",
    "missing_packages",
    "packages_without_file",
    "read_uv_error",
    "without_markers",
]

UvErrorCode = Literal["hash-mismatch", "setting", "cache", "unreachable", "unsatisfiable", "unusable-file"]

_TABLE = Path(__file__).with_name("uv_errors.toml")
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*", re.IGNORECASE | re.ASCII)
_MISSING = re.compile(
    r"(?<![A-Za-z0-9._-])([A-Za-z0-9][A-Za-z0-9._-]{0,200}) (?:was|were) not found in the package registry"
)
_NO_FILE = re.compile(
    r"(?:all versions of |every )?(?<![a-z0-9._+!,<>=~-])([a-z0-9][a-z0-9._-]*?)(?:\[[^\]]*\])?(?:\{[^}]*\})?"
    r"(?:[<>=!~][^ ]*)? ha(?:s|ve) no (?:usable )?wheels",
    re.IGNORECASE,
)
# `triton{sys_platform == 'linux'}==3.8.0`: what is required there alone.
_MARKER = re.compile(r"(?<=[a-z0-9\]])\{[^{}\n]*\}", re.IGNORECASE)
# Advice, below the reasons: it also names packages that are not in the way.
_HINT = re.compile(r"^[ \t]*hint:", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class UvError:
    """What a failed run of uv means."""

    code: UvErrorCode | None  # None for a text that the table does not know
    words: frozenset[str]  # every word of the reasons that could be a project's name, normalised

    def names(self, project: str) -> bool:
        """Return whether uv's reasons name the project."""
        return canonicalize_name(project) in self.words


def read_uv_error(stderr: str) -> UvError:
    """Return what the standard error of a failed `uv pip compile` means."""
    text = stderr.casefold()
    code = next(
        (
            code
            for code, lists in _table()
            if all(any(phrase in text for phrase in phrases) for phrases in lists)
        ),
        None,
    )
    hint = _HINT.search(stderr)
    reasons = without_markers(stderr[: hint.start()] if hint else stderr)
    return UvError(code=code, words=frozenset(canonicalize_name(word) for word in _NAME.findall(reasons)))


def without_markers(stderr: str) -> str:
    """Return the text without the environment markers that uv writes behind names.

    >>> without_markers("triton{python_full_version < '3.15' and sys_platform == 'linux'}==3.8.0 has no wheels")
    'triton==3.8.0 has no wheels'
    """
    return _MARKER.sub("", stderr)


def missing_packages(stderr: str) -> tuple[str, ...]:
    """Return the projects of which uv says that no index has them.

    >>> missing_packages("Because pandass was not found in the package\\n registry and you require pandass, ...")
    ('pandass',)
    """
    found = _MISSING.findall(" ".join(without_markers(stderr).split()))
    return tuple(dict.fromkeys(str(canonicalize_name(name)) for name in found))


def packages_without_file(stderr: str) -> tuple[str, ...]:
    r"""Return the projects of which uv says that they have no wheel, each once.

    >>> packages_without_file("Because gruut[de]==2.2.3 has no\n usable wheels and you require gruut[de], ...")
    ('gruut',)
    >>> packages_without_file("Because triton{sys_platform == 'linux'}==3.8.0 has no wheels with a matching tag")
    ('triton',)
    """
    found = _NO_FILE.findall(" ".join(without_markers(stderr).split()))
    return tuple(dict.fromkeys(str(canonicalize_name(name)) for name in found))


@cache
def _table() -> tuple[tuple[UvErrorCode, list[list[str]]], ...]:
    document = tomllib.loads(_TABLE.read_text("utf-8"))
    return tuple((cast("UvErrorCode", row["code"]), row["phrases"]) for row in document["error"])
