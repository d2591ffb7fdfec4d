"""Reads a pyproject.toml so that it can be written again as it was: its text, its line ends, its values."""

from __future__ import annotations

import codecs
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.toml_text import explain_toml_error
from torchdoctor.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Pyproject", "read_file", "read_pyproject", "table_at"]

_MAX_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Pyproject:
    """A pyproject.toml. `text` has plain line ends and no byte order mark."""

    path: Path  # the file itself, where its name is a link
    content: bytes
    text: str
    document: Mapping[str, Any]

    @property
    def newline(self) -> str:
        """The line end: that of Windows where every line has it."""
        return (
            "\r\n"
            if b"\r\n" in self.content and self.content.count(b"\n") == self.content.count(b"\r\n")
            else "\n"
        )

    def encoded(self, text: str) -> bytes:
        """Return another text with the line ends and the mark of this file."""
        mark = codecs.BOM_UTF8 if self.content.startswith(codecs.BOM_UTF8) else b""
        return mark + text.replace("\n", self.newline).encode()

    @property
    def requires_python(self) -> str | None:
        """What `[project]` says."""
        value = table_at(self.document, "project").get("requires-python")
        return value if isinstance(value, str) else None

    def requirements(self) -> Iterator[Requirement]:
        """Yield what the project always requires, without lines that are no requirements: uv says more of them."""
        yield from _parsed(table_at(self.document, "project").get("dependencies"))

    def section(self, extra: str) -> list[Requirement]:
        """Return what an extra or group requires."""
        lines = []
        for table in (
            table_at(self.document, "project", "optional-dependencies"),
            table_at(self.document, "dependency-groups"),
        ):
            for name, values in table.items():
                if canonicalize_name(name) == canonicalize_name(extra):
                    lines += list(_parsed(values))
        return lines

    def names(self) -> set[str]:
        """Return the names of everything that the project, its extras and its groups require."""
        lists = [
            table_at(self.document, "project").get("dependencies"),
            *table_at(self.document, "project", "optional-dependencies").values(),
            *table_at(self.document, "dependency-groups").values(),
        ]
        return {str(canonicalize_name(each.name)) for lines in lists for each in _parsed(lines)}

    def is_dynamic(self, key: str) -> bool:
        """Whether a build backend makes this key of `[project]`."""
        dynamic = table_at(self.document, "project").get("dynamic")
        return isinstance(dynamic, list) and key in dynamic


def read_pyproject(folder: Path) -> Pyproject | None:
    """Return the pyproject.toml of a folder; None where there is none.

    Raises `UsageError` for one that is not TOML (with line and column), too large, no text, or cannot be read.
    """
    path = folder / "pyproject.toml"
    content = read_file(path)
    if content is None:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            message("{path} is not UTF-8: {error}", path=path, error=error), fix=message("save it as UTF-8")
        ) from error
    is_windows = "\r\n" in text and text.count("\n") == text.count("\r\n")
    plain = text.replace("\r\n", "\n") if is_windows else text
    try:
        document = tomllib.loads(plain)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            message("{path} is not TOML: {what}", path=path, what=explain_toml_error(error, plain)),
            fix=message("correct that line of {path}", path=path),
            code="bad-toml",
        ) from error
    return Pyproject(path=Path(os.path.realpath(path)), content=content, text=plain, document=document)


def read_file(path: Path) -> bytes | None:
    """Return the bytes of a file of a project; None where there is none.

    Raises `UsageError` for one that is too large or cannot be read.
    """
    try:
        if not path.exists() and not path.is_symlink():
            return None
        if not path.is_file():
            raise UsageError(
                message("{path} is not a file", path=path), fix=message("name the folder of a project")
            )
        with open_regular(path) as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            message("{file} cannot be read: {why}", file=path, why=error.strerror or error),
            fix=message("check its permissions"),
        ) from error
    if len(content) > _MAX_BYTES:
        raise UsageError(
            message("{path} is larger than 1 MiB", path=path), fix=message("check that it is the right file")
        )
    return content


def table_at(document: Any, *keys: str) -> Mapping[str, Any]:
    """Return the table at these keys, or an empty one where there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _parsed(lines: Any) -> Iterator[Requirement]:
    for line in lines if isinstance(lines, list) else ():
        if not isinstance(line, str):
            continue
        try:
            yield Requirement(line)
        except InvalidRequirement:
            continue
