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
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.install.hold.blocks import ChangedBlock
from torchdoctor.install.hold.model import HOLD_FILE, PIP_HOLD_FILE, UV_HOLD_FILE
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
    names = [HOLD_FILE, UV_HOLD_FILE, PIP_HOLD_FILE, pip_conf_of(folder).name, _CONDA_VARIABLES]
    return (*names, *(f"{_scripts_folder()}/{name}" for name in SCRIPTS))


def write_hold(
    stage: Path, folder: Path, hold: Hold, inherited: Mapping[str, Sequence[str]] | None
) -> Written:
    """Write the hold; see `change_hold`. An earlier one is replaced."""
    changes = _Changes(stage)
    changes.own(HOLD_FILE, hold.pip_text)
    changes.own(UV_HOLD_FILE, None if hold.uv_backend else hold.uv_text)
    url = (folder / HOLD_FILE).as_uri()
    changes.pip_conf(
        lambda text: hold_pip_conf(text, url, inherited) if inherited is not None else None,
        link_to=folder / PIP_HOLD_FILE,
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
    changes.pip_conf(release_pip_conf)
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

    def edit(self, name: str, change: Callable[[str], str | None]) -> None:
        """Change a file of somebody else's that is there."""
        path = self._folder / name
        if not os.path.lexists(path):
            return
        old = _read(path)
        new = _changed(change, old) if old is not None else None
        if new is None:
            self._left.append(name)
        elif new != old:
            _write(path, new, like=path)
            self._changed.append(name)

    def pip_conf(self, change: Callable[[str], str | None], *, link_to: Path | None = None) -> None:
        """Change the settings of the environment's pip, made where there are none and removed where nothing is left.

        Settings that are ours alone lie in a file of their own, `link_to`, which pip.conf is a link to: pip passes
        over a link that leads nowhere, and stops at a constraint that is missing. So pip goes on where the environment
        is moved. Where others have settings in pip.conf, or no link can be made, it is a file.
        """
        path, own = pip_conf_of(self._folder), self._folder / PIP_HOLD_FILE
        linked, there = _is_ours(path), os.path.lexists(path)
        old = (_read(own) or "") if linked else (_read(path) if there else "")
        rest = _changed(release_pip_conf, old) if old is not None else None
        new = _changed(change, old) if old is not None else None
        if rest is None or new is None:
            if there or link_to is not None:
                self._left.append(path.name)
            return
        if new and not rest and link_to is not None:
            same = linked and new == old and path.readlink() == link_to
            if same or _write_link(path, own, new, link_to):
                self._changed += [] if same else [path.name]
                return
        if linked or (new != old):
            if new:
                _write(path, new, like=None if linked or not there else path)
            else:
                path.unlink()
            self._changed.append(path.name)
        own.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Whether pip.conf is a link to a hold, be it the one of another place."""
    try:
        return path.readlink().name == PIP_HOLD_FILE
    except OSError:
        return False


def _write_link(path: Path, own: Path, text: str, target: Path) -> bool:
    """Write `text` to `own`, and link `path` to `target`, where `own` will be; false where no link can be made."""
    link = path.with_name(f".{path.name}.torchdoctor")
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(target)
    except OSError:
        return False
    atomic_write(own, text, mode=SHARED_MODE)
    link.replace(path)
    return True


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
            return read_regular(path, limit=_MAX_BYTES).decode("utf-8", "surrogateescape")
    return None


def _write(path: Path, text: str, *, like: Path | None) -> None:
    mode = stat.S_IMODE(like.stat().st_mode) if like is not None else None
    atomic_write(path, text.encode("utf-8", "surrogateescape"), mode=SHARED_MODE)
    if mode is not None:
        path.chmod(mode)
