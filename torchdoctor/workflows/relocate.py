"""Makes a virtual environment that was moved or copied name its own folder, checks that, or leaves it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, plurals
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable, InstallFailed
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.relocate import (
    apply_relocation,
    former_folders,
    plan_relocation,
    undo_relocation,
)
from torchdoctor.install.staging import exclusive_install_lock, os_errors_as_install_failed

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.relocate import Relocation

__all__ = ["relocate_environment"]

_TIMEOUT_SECONDS = 60.0


def relocate_environment(python: PythonInfo, lock_dir: Path, system: System, report: Reporter) -> None:
    """Rewrite what names the former folder of the environment, run its interpreter and pip, and keep it if they run.

    Raises `InstallFailed`, with every file as it was before.
    """
    folder = python.prefix
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, lock_dir):
        relocation = plan_relocation(folder, python.site_packages)
        before = apply_relocation(relocation)
        try:
            _prove(relocation, system)
        except BaseException:
            undo_relocation(before)
            raise
    report.note(
        message("{files} of {folder} rewritten", files=plurals.files(relocation.count), folder=folder)
    )


def _prove(relocation: Relocation, system: System) -> None:
    """Raise `InstallFailed` where the interpreter is of another folder, pip does not run or a launcher names it."""
    folder = relocation.folder
    try:
        prefix = describe_python(system, interpreter_of(folder)).prefix
    except EnvironmentUnusable as error:
        raise _unproven(folder, error.message) from error
    if not prefix.samefile(folder):
        raise _unproven(folder, message("its interpreter takes {prefix} for its folder", prefix=prefix))
    pip = folder / "bin" / "pip"
    if pip.is_file():
        answer = system.run([str(pip), "--version"], timeout=_TIMEOUT_SECONDS)
        if not answer.ok:
            raise _unproven(folder, answer.cause)
    if left := former_folders(folder):
        raise _unproven(folder, message("scripts of it still name {former}", former=left[0]))


def _unproven(folder: Path, why: str) -> InstallFailed:
    return InstallFailed(
        message(
            "{folder} did not work with its scripts rewritten, and is as it was: {why}",
            folder=folder,
            why=why,
        ),
        fix=message("make a new environment beside it: torchdoctor install ENV"),
        code="moved",
    )
