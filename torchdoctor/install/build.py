"""Creates the files of an environment with uv: the empty environment, or a copy of the old one, then the wheels."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import tomli_w

from torchdoctor.core.fs import atomic_write, link_or_copy
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.system import uv
from torchdoctor.errors import InstallFailed
from torchdoctor.install.location import interpreter_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from torchdoctor.fetch import FetchedWheel

__all__ = [
    "copy_environment",
    "create_empty_environment",
    "install_wheels",
    "remove_packages",
]

_TIMEOUT_SECONDS = 3600.0
_OWN_FILES_BYTES = 64 << 20  # what uv itself writes has less
_MAX_SETTINGS_BYTES = 1 << 20
# uv writes the prompt unescaped into scripts that a shell runs.
_UNSAFE_IN_PROMPT = re.compile(r"[^\w .,+@=()-]")


def create_empty_environment(stage: Path, *, prompt: str, python: Path, environ: Mapping[str, str]) -> None:
    """Create a relocatable virtual environment in the empty folder `stage`; raises `InstallFailed`."""
    finished = uv.run_uv(
        [
            "venv",
            "--relocatable",
            "--no-config",
            "--quiet",
            "--python",
            python,
            f"--prompt={_UNSAFE_IN_PROMPT.sub('_', prompt)}",
            stage,
        ],
        environ=environ,
        folder=stage.parent,
        limit=_TIMEOUT_SECONDS,
    )
    if finished.status != 0:
        raise InstallFailed(
            message("the virtual environment could not be created: {cause}", cause=finished.cause),
            fix=message("name another interpreter with --python, or another folder"),
        )


def copy_environment(folder: Path, stage: Path) -> None:
    """Copy the environment at `folder` into the empty folder `stage`, with hard links so that gigabytes are shared."""
    shutil.copytree(folder, stage, symlinks=True, copy_function=_copy_file, dirs_exist_ok=True)


def _copy_file(source: str, target: str) -> None:
    # pyvenv.cfg is changed in place while wheels are installed; a hard link would change the old environment too.
    if Path(source).name == "pyvenv.cfg":
        shutil.copy2(source, target, follow_symlinks=False)
    else:
        link_or_copy(source, target)


def install_wheels(
    stage: Path,
    wheels: Sequence[FetchedWheel],
    run_dir: Path,
    environ: Mapping[str, str],
    reinstall: Collection[str] = (),
    *,
    cache: Path,
    largest: int,
    stopped: threading.Event | None = None,
) -> None:
    """Install `wheels` offline into the environment at `stage`, with scripts that work after a rename.

    Bytecode is not compiled. Packages named in `reinstall` are replaced even at the same version. uv unpacks into
    `cache` and makes hard links from there; no file may have more than `largest` bytes. Raises `InstallFailed`, and
    `UvStopped` soon after `stopped` is set.
    """
    lock = run_dir / "pylock.offline.toml"
    lock.write_text(tomli_w.dumps(_lock_of_files(wheels)), "utf-8")
    with _relocatable(stage / "pyvenv.cfg"):
        finished = uv.run_uv(
            [
                "pip", "install", "--requirements", lock, "--python", interpreter_of(stage), "--offline",
                "--no-config", "--quiet", "--cache-dir", cache,
                *(word for name in sorted(reinstall) for word in ("--reinstall-package", name)),
            ],
            environ=environ,
            folder=run_dir,
            limit=_TIMEOUT_SECONDS,
            stopped=stopped,
            max_file_bytes=largest + _OWN_FILES_BYTES,
        )  # fmt: skip
    if finished.status != 0:
        too_large = finished.status == -getattr(signal, "SIGXFSZ", 0)
        cause = message("a file of a wheel is larger than the wheel says") if too_large else finished.cause
        raise InstallFailed(
            message("the packages could not be installed: {cause}", cause=cause),
            fix=message("run the command again with -v, and report its output if it fails again"),
        )


def remove_packages(stage: Path, names: Collection[str], run_dir: Path, environ: Mapping[str, str]) -> None:
    """Remove packages from the environment at `stage`; raises `InstallFailed`."""
    words: list[str | Path] = [
        "pip",
        "uninstall",
        "--python",
        interpreter_of(stage),
        "--no-config",
        "--quiet",
        *sorted(names),
    ]
    finished = uv.run_uv(words, environ=environ, folder=run_dir, limit=_TIMEOUT_SECONDS)
    if finished.status != 0:
        raise InstallFailed(
            message("the packages could not be removed: {cause}", cause=finished.cause),
            fix=message("run the command again with -v, and report its output if it fails again"),
        )


@contextlib.contextmanager
def _relocatable(settings: Path) -> Iterator[None]:
    """Mark the environment as relocatable meanwhile: scripts then look for their interpreter in their own folder."""
    if not settings.is_file():
        # A conda environment has no pyvenv.cfg and is never renamed.
        yield
        return
    before = read_regular(settings, limit=_MAX_SETTINGS_BYTES)
    mode = stat.S_IMODE(settings.stat().st_mode)
    if b"relocatable = true" not in before:
        atomic_write(settings, before.rstrip(b"\n") + b"\nrelocatable = true\n", mode=mode)
    try:
        yield
    finally:
        atomic_write(settings, before, mode=mode)


def _lock_of_files(wheels: Sequence[FetchedWheel]) -> dict[str, object]:
    """Return a pylock.toml document that names the files by their paths."""
    packages = [
        {
            "name": fetched.wheel.name,
            "version": fetched.wheel.version,
            "wheels": [
                {"path": str(fetched.path), "size": fetched.size, "hashes": {"sha256": fetched.sha256}}
            ],
        }
        for fetched in wheels
    ]
    return {"lock-version": "1.0", "created-by": "torchdoctor", "packages": packages}
