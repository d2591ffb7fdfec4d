"""The installed distributions that were asked for or that require torch, with the names by which they are imported."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib.util
import os
import platform
import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any, Iterator

from .. import facts
from .modules import import_names, is_compiled, kind_without_modules

if TYPE_CHECKING:
    from ..events import Channel

__all__ = ["run"]

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)
_REQUIRES_TORCH = re.compile(r"\s*torch(?:vision|audio)?\s*(?:[\[;(<>=!~@]|$)", re.IGNORECASE | re.ASCII)
_MAX_LINES = 50
_MAX_CHARACTERS = 300
_MAX_FILES = 200_000


def run(request: dict[str, Any], channel: Channel) -> None:
    """Report the markers of this Python, then each package that has to do with the request."""
    channel.send("hello", values=facts.of_python())
    channel.send("markers", values=_markers())
    for package in _packages(set(request["asked"])):
        channel.send("package", **package)
    channel.send("end")


def _markers() -> dict[str, str]:
    """The variables of https://peps.python.org/pep-0508/#environment-markers."""
    version = "%d.%d.%d" % sys.implementation.version[:3]  # noqa: UP031
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def _packages(asked: set[str]) -> Iterator[dict[str, Any]]:
    """The first distribution of each name on the path, which is the one that is imported."""
    seen = set()
    for distribution in metadata.distributions():
        try:
            name = _canonical(distribution.metadata["Name"])
            if name is None or name in seen:
                continue
            seen.add(name)
            requires = [
                line[:_MAX_CHARACTERS] for line in distribution.requires or () if _REQUIRES_TORCH.match(line)
            ]
            if name in asked or requires:
                yield _package(name, distribution, requires[:_MAX_LINES])
        except Exception:  # noqa: BLE001, S112  # metadata is somebody's text; what cannot be read is no package
            continue


def _package(name: str, distribution: Any, requires: list[str]) -> dict[str, Any]:
    paths = _paths(distribution)
    top_level, namespaces = (
        (distribution.read_text(file) or "").split()[:_MAX_LINES]
        for file in ("top_level.txt", "namespace_packages.txt")
    )
    names = import_names(name, paths, top_level, namespaces) or _guessed(name)
    return {
        "name": name,
        "version": str(distribution.version or "")[:100],
        "requires": requires,
        "modules": names,
        "compiled": is_compiled(paths),
        "kind": "" if names else kind_without_modules(paths),
    }


def _paths(distribution: Any) -> list[str]:
    """The files of a distribution; none where its list is missing or cannot be read."""
    try:
        return [str(file) for file in (distribution.files or ())[:_MAX_FILES]]
    except Exception:  # noqa: BLE001  # RECORD is somebody's text: csv and path errors alike mean that it is unreadable
        return []


def _guessed(name: str) -> list[str]:
    """The module of the project's own name, where there is one: an editable installation may list no file."""
    guess = name.replace("-", "_")
    try:
        return [guess] if importlib.util.find_spec(guess) is not None else []
    except Exception:  # noqa: BLE001  # finders of editable installations are somebody's code
        return []


def _canonical(name: Any) -> str | None:
    text = str(name or "")
    return re.sub(r"[-_.]+", "-", text).lower() if _NAME.fullmatch(text) else None
