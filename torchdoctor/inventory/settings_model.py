"""Settings of an environment: its import path, its tools' settings, its variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Certificate",
    "Origin",
    "PathFolder",
    "PthFile",
    "Shadow",
    "ToolSetting",
    "UserSite",
    "Variable",
]

# What put a folder on the path.
Origin = Literal["PYTHONPATH", "standard library", "user site", "site-packages", ".pth file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PathFolder:
    """One folder that imports search."""

    folder: str
    origin: Origin
    there: bool  # whether it exists


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """A file or package that is imported in place of an installed module."""

    module: str  # what is meant
    path: str  # what is imported
    where: Literal["current folder", "PYTHONPATH"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserSite:
    """The user's own site-packages."""

    folder: str
    used: bool  # whether imports of this interpreter search it
    why: str  # what `used` rests on, for people
    packages: tuple[str, ...]  # names of the metadata of torch, its companions and NumPy in it


@dataclass(frozen=True, kw_only=True, slots=True)
class PthFile:
    """A .pth file in a folder of packages."""

    path: str
    folders: tuple[str, ...]  # what it adds to the path
    code_lines: int  # how many of its lines are run as code


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSetting:
    """One setting of pip, uv or conda, without credentials."""

    tool: Literal["pip", "uv", "conda"]
    key: str
    value: str
    origin: str  # the path of the file, or the name of the variable
    used: bool  # whether it wins among those for the same key


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that matters to PyTorch, without secrets."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """An environment variable that names certificates."""

    variable: str
    path: str
    there: bool  # whether the file or folder exists
