"""Writes the hold into an environment, and takes it out again as if it had never been there."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs import SHARED_MODE, atomic_write
from torchdoctor.install.hold.blocks import ChangedBlock
from torchdoctor.install.hold.model import HOLD_FILE, UV_HOLD_FILE
from torchdoctor.install.hold.pip_conf import hold_pip_conf, release_pip_conf
from torchdoctor.install.hold.scripts import SCRIPTS, hold_script, release_script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.install.hold.model import Hold

__all__ = ["HoldChange", "Written", "change_hold", "hold_files", "pip_conf_of", "remove_hold", "write_hold"]

_CONDA_VARIABLES = "etc/conda/env_vars.d/torchdoctor-hold.json"
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a hold could do: the names of the environment's files that were changed, and of those left as they are."""

    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()  # signed, of a kind that is not known, or changed between our marks


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldChange:
    """The hold that an environment is to have, None for none.

    `inherited` are the constraints that pip is configured with elsewhere; None where pip's file must stay as it is.
    """

    hold: Hold | None
    inherited: Mapping[str, Sequence[str]] | None = None


def change_hold(stage: Path, folder: Path, change: HoldChange) -> Written:
    """Write the hold into `stage`, which is the environment at `folder` or becomes it, or remove it there.

    Raises `OSError`.
    """
    if change.hold is None:
        return remove_hold(stage)
    return write_hold(stage, folder, change.hold, change.inherited)


def pip_conf_of(folder: Path) -> Path:
    """Return the file of settings that pip reads for this environment alone."""
    return folder / ("pip.ini" if sys.platform == "win32" else "pip.conf")


def hold_files(folder: Path) -> tuple[str, ...]:
    """Return every file that a hold makes or changes in the environment, below its folder."""
    names = [HOLD_FILE, UV_HOLD_FILE, pip_conf_of(folder).name, _CONDA_VARIABLES]
    return (*names, *(f"{_scripts_folder()}/{name}" for name in SCRIPTS))


def write_hold(
    stage: Path, folder: Path, hold: Hold, inherited: Mapping[str, Sequence[str]] | None
) -> Written:
    """Write the hold; see `change_hold`. An earlier one is replaced."""
    changes = _Changes(stage)
    changes.own(HOLD_FILE, hold.pip_text)
    changes.own(UV_HOLD_FILE, None if hold.uv_backend else hold.uv_text)
    url = (folder / HOLD_FILE).as_uri()
    changes.edit(
        pip_conf_of(stage).name,
        lambda text: hold_pip_conf(text, url, inherited) if inherited is not None else None,
        make=True,
    )
    variables = hold.variables(folder)
    conda = (stage / "conda-meta").is_dir()
    values = {variable.name: variable.value for variable in variables}
    changes.own(_CONDA_VARIABLES, json.dumps(values) + "\n" if conda else None)
    for name in () if conda else SCRIPTS:
        path = f"{_scripts_folder()}/{name}"
        changes.edit(path, lambda text, name=name: hold_script(name, text, variables))  # type: ignore[misc]
    return changes.written


def remove_hold(folder: Path) -> Written:
    """Take the hold out of an environment: every other byte of its files stays. Raises `OSError`."""
    changes = _Changes(folder)
    for name in SCRIPTS:
        path = f"{_scripts_folder()}/{name}"
        changes.edit(path, lambda text, name=name: release_script(name, text))  # type: ignore[misc]
    changes.edit(pip_conf_of(folder).name, release_pip_conf)
    for name in (_CONDA_VARIABLES, UV_HOLD_FILE, HOLD_FILE):
        changes.own(name, None)
    return changes.written


def _scripts_folder() -> str:
    return "Scripts" if sys.platform == "win32" else "bin"


class _Changes:
    """Changes files below a folder and remembers which."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed: list[str] = []
        self._left: list[str] = []

    @property
    def written(self) -> Written:
        return Written(changed=tuple(self._changed), left=tuple(self._left))

    def own(self, name: str, text: str | None) -> None:
        """Write a file that is ours alone, or remove it."""
        path = self._folder / name
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, text, mode=SHARED_MODE)
        else:
            try:
                path.unlink()
            except FileNotFoundError:
                return
        self._changed.append(name)

    def edit(self, name: str, change: Callable[[str], str | None], *, make: bool = False) -> None:
        """Change a file of somebody else's; one that is empty afterwards and was made by us is removed."""
        path = self._folder / name
        there = os.path.lexists(path)
        if not there and not make:
            return
        old = _read(path) if there else ""
        new = _changed(change, old) if old is not None else None
        if new is None:
            self._left.append(name)
        elif new != old:
            if not new:
                path.unlink()
            else:
                _write(path, new, like=path if there else None)
            self._changed.append(name)


def _changed(change: Callable[[str], str | None], text: str) -> str | None:
    try:
        return change(text)
    except ChangedBlock:
        return None


def _read(path: Path) -> str | None:
    """Return the text of a regular file, byte by byte; None for a link, a folder, or a file that is too large."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_BYTES:
            return path.read_bytes().decode("utf-8", "surrogateescape")
    return None


def _write(path: Path, text: str, *, like: Path | None) -> None:
    mode = stat.S_IMODE(like.stat().st_mode) if like is not None else None
    atomic_write(path, text.encode("utf-8", "surrogateescape"), mode=SHARED_MODE)
    if mode is not None:
        path.chmod(mode)
