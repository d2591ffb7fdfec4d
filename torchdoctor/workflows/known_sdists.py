"""What was found out about source distributions, kept by hash, and which of them a request had to do with."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.own_files import is_own, make_own_folder
from torchdoctor.core.fs.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.lock.sdist_contents import SdistContents
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Sdist

__all__ = ["KnownSdists"]

_FORMAT = 2  # raise it when `inspect_sdist` comes to another answer
_MAX_BYTES = 1024 * 1024
_MAX_REQUESTS = 200
_MAX_PROJECTS = 100
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PROJECT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


class KnownSdists:
    """A folder of the cache. What cannot be read of it counts for nothing, and what cannot be kept is no harm.

    It serves the choice alone: what is built is looked into again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def contents(self, sdist: Sdist) -> SdistContents | None:
        """Return what is in a file of this hash."""
        row = _read(self._contents_path(sdist.sha256)) if sdist.sha256 else None
        return _contents_of(row) if row is not None and row.get("format") == _FORMAT else None

    def keep_contents(self, sdist: Sdist, contents: SdistContents) -> None:
        """Remember what is in it."""
        if sdist.sha256:
            _write(self._contents_path(sdist.sha256), {"format": _FORMAT, **asdict(contents)})

    def versions(self, task: StackTask) -> dict[str, str]:
        """Return the packages without a wheel that a request of the same requirements had, and the versions chosen.

        It may have been for another machine. Those of what is asked for now that any other request had are there too.
        """
        requests = self._requests()
        asked = {each.name for each in task.named if " @ " not in each.line}
        others = {n: version for rows in requests.values() for n, version in rows.items() if n in asked}
        return {**others, **requests.get(_key(task), {})}

    def keep_versions(self, task: StackTask, versions: Mapping[str, str]) -> None:
        """Remember the packages without a wheel of a request."""
        requests, key = self._requests(), _key(task)
        rows = dict(sorted(versions.items())[:_MAX_PROJECTS])
        if rows and requests.pop(key, None) != rows:
            requests[key] = rows
            _write(self._requests_path, dict([*requests.items()][-_MAX_REQUESTS:]))

    def _requests(self) -> dict[str, dict[str, str]]:
        return {
            key: {
                name: version
                for name, version in rows.items()
                if _PROJECT.fullmatch(name) and isinstance(version, str)
            }
            for key, rows in (_read(self._requests_path) or {}).items()
            if _SHA256.fullmatch(key) and isinstance(rows, dict)
        }

    @property
    def _requests_path(self) -> Path:
        return self._folder / "requests.json"

    def _contents_path(self, sha256: str) -> Path:
        return self._folder / sha256 / "contents.json"


def _key(task: StackTask) -> str:
    """What was asked for at first, for whichever machine."""
    lines = sorted(each.line for each in task.named if each.name not in task.implied)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _contents_of(row: dict[str, Any]) -> SdistContents | None:
    from torchdoctor.lock.sdist_contents import SdistContents  # it brings readers of archives along

    requires, build_requires, version = row.get("requires"), row.get("build_requires"), row.get("version")
    flags = [row.get(name) for name in ("compiles", "has_cuda", "needs_torch")]
    is_sound = (
        all(isinstance(flag, bool) for flag in flags)
        and (requires is None or _are_texts(requires))
        and _are_texts(build_requires)
        and (version is None or isinstance(version, str))
    )
    if not is_sound:
        return None
    return SdistContents(
        compiles=row["compiles"], has_cuda=row["has_cuda"], needs_torch=row["needs_torch"],
        build_requires=tuple(row["build_requires"]), requires=None if requires is None else tuple(requires),
        version=version,
    )  # fmt: skip


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if not is_own(path):
            return None
        found = json.loads(read_regular(path, limit=_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        make_own_folder(path.parent, below=path.parent)
        atomic_write(path, json.dumps(document))
    except OSError:
        return
