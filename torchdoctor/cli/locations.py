"""The environment that a command works on: ENV as it was typed, else the one in use."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from pathlib import Path

from torchdoctor.cli.trust import require_trust
from torchdoctor.core.fs.user_folders import full_path
from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import EnvironmentUnusable

__all__ = ["active_environment", "environment_folder", "environment_python", "environment_python_or_own"]


def environment_folder(env: Path) -> Path:
    """Return the full path of ENV; raises `EnvironmentUnusable` where no environment can be made."""
    folder = full_path(env)
    if not folder.name:
        raise EnvironmentUnusable(
            message("{place} cannot be an environment", place=folder),
            fix=message("name a folder: torchdoctor install ENV"),
        )
    if (reason := _unusable_reason(folder)) is not None:
        raise EnvironmentUnusable(
            message("{place!r} cannot be an environment: {because}", place=str(folder)[:200], because=reason),
            fix=message("name another folder: torchdoctor install ENV"),
        )
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if folder == here or folder in here.parents:
            raise EnvironmentUnusable(
                message(
                    "{place} is the current folder, or holds it, and cannot be replaced while you are in it",
                    place=folder,
                ),
                fix=message("name a folder inside it, such as .venv, or change to another folder first"),
                code="current-folder",
            )
    return folder


def _unusable_reason(folder: Path) -> str | None:
    """Say why a path that does not exist yet cannot become an environment; None where it can."""
    try:
        folder.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return message("its name is too long")
    else:
        return None
    # `python -m venv` refuses it too: in PATH it would be two folders.
    if os.pathsep in str(folder):
        return message("{sign} separates the folders of PATH", sign=os.pathsep)
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        return message("its name is not UTF-8")
    return None


def environment_python(env: Path | None, *, is_proof: bool = False, is_read: bool = False) -> Path:
    """Return the interpreter of ENV; without ENV that of the active environment, else of ./.venv.

    One that another user can change is refused, or asked for, unless it `is_read` alone; `is_proof` as for
    `require_trust`. An active environment that runs torchdoctor itself and has no torch gives way to ./.venv, which
    `torchdoctor install` made. Raises `EnvironmentUnusable` when there is no environment.
    """
    python = _python_of(env)
    if not is_read:
        require_trust(python, is_proof=is_proof and (env is not None or not _is_found_here(python)))
    return python


def _python_of(env: Path | None) -> Path:
    if env is None:
        return _python_in_use()
    from torchdoctor.install.location import interpreter_of

    folder = full_path(env) if not (env.is_symlink() and env.is_file()) else env.absolute()
    if folder.is_file() and os.access(folder, os.X_OK):
        return folder
    # conda on Windows has python.exe at the top of an environment.
    for python in (interpreter_of(folder), folder / "python.exe"):
        if python.exists():
            return python
    if (folder / "pyvenv.cfg").is_file():
        raise _interpreter_gone(folder, interpreter_of(folder))
    what = (
        message("{place} is not a virtual environment", place=folder)
        if folder.is_dir()
        else message("{place} does not exist", place=folder)
    )
    raise EnvironmentUnusable(
        what, fix=message("name an environment, or make one with `torchdoctor install`")
    )


def environment_python_or_own(env: Path | None) -> Path:
    """Return what `environment_python` does; without ENV and any environment the Python that runs torchdoctor."""
    try:
        return environment_python(env, is_read=True)
    except EnvironmentUnusable:
        if env is not None:
            raise
        return Path(sys.executable)


def _python_in_use() -> Path:
    from torchdoctor.install.location import interpreter_of

    active = (os.environ.get("VIRTUAL_ENV"), *_active_before_pre_commit(), os.environ.get("CONDA_PREFIX"))
    folders = [Path(text) for text in (*active, ".venv") if text]
    existing = [folder for folder in folders if interpreter_of(folder).exists()]
    if not existing:
        raise EnvironmentUnusable(
            message("no environment was named, none is active and there is no .venv here"),
            fix=message("name one, or make one with `torchdoctor install`"),
        )
    chosen = next((folder for folder in existing if not _is_own_environment(folder)), existing[0])
    return interpreter_of(chosen.absolute())


def active_environment() -> Path | None:
    """Return the folder of the active environment that may be changed; None for conda's base and torchdoctor's own."""
    from torchdoctor.install.location import interpreter_of

    conda = None if os.environ.get("CONDA_DEFAULT_ENV") == "base" else os.environ.get("CONDA_PREFIX")
    for text in (os.environ.get("VIRTUAL_ENV"), conda):
        folder = full_path(Path(text)) if text else None
        if folder and interpreter_of(folder).exists() and folder != full_path(Path(sys.prefix)):
            return folder
    return None


def _is_found_here(python: Path) -> bool:
    """Whether it is that of ./.venv, which nobody named or activated."""
    active = [os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    folder = python.parent.parent
    return folder == Path(".venv").absolute() and full_path(folder) not in [
        full_path(Path(text)) for text in active if text
    ]


def _active_before_pre_commit() -> tuple[str, ...]:
    """Return the environments that were active before pre-commit's own: their folders are still in PATH.

    https://github.com/pre-commit/pre-commit/blob/main/pre_commit/languages/python.py overwrites VIRTUAL_ENV.
    """
    if not os.environ.get("PRE_COMMIT"):
        return ()
    folders = [Path(text).parent for text in os.environ.get("PATH", "").split(os.pathsep) if text]
    return tuple(str(folder) for folder in folders if (folder / "pyvenv.cfg").is_file())


def _interpreter_gone(folder: Path, python: Path) -> EnvironmentUnusable:
    """A virtual environment starts the Python that made it, through a link or, on Windows, a launcher."""
    from torchdoctor.inventory.files import read_text

    config = read_text(str(folder / "pyvenv.cfg")) or ""
    home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", config)
    # The link's target is the file itself; `home` in pyvenv.cfg is its folder.
    missing = os.path.realpath(python) if python.is_symlink() else home[1] if home else python
    return EnvironmentUnusable(
        message(
            "{place} is a virtual environment whose interpreter is gone: {python}",
            place=folder,
            python=missing,
        ),
        fix=message(
            "torchdoctor doctor {again} --fix makes it run another Python of its version; or make a new environment "
            "beside it: torchdoctor install {beside}; repair a kernel that ran it with torchdoctor jupyter-kernel "
            "repair NAME ENV",
            again=quoted(str(folder)),
            beside=quoted(f"{folder}-new"),
        ),
        code="python-gone",
    )


def _is_own_environment(folder: Path) -> bool:
    """Whether the environment runs this torchdoctor and has no torch."""
    from importlib.util import find_spec

    return full_path(folder) == full_path(Path(sys.prefix)) and find_spec("torch") is None
