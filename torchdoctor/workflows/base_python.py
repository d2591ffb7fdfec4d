"""`doctor --fix` of an environment whose base Python is gone: it runs another one of its version, checked first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.detect import describe_python, find_python
from torchdoctor.errors import EnvironmentUnusable, InstallFailed
from torchdoctor.install.base_python import lost_python, plan_base_change
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.relocate import apply_relocation, undo_relocation
from torchdoctor.install.staging import exclusive_install_lock, os_errors_as_install_failed
from torchdoctor.workflows.consent import agreed

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.base_python import LostPython
    from torchdoctor.workflows.repair import RepairOptions

__all__ = ["restore_base_python"]


def restore_base_python(
    folder: Path, options: RepairOptions, lock_dir: Path, system: System, report: Reporter
) -> bool:
    """Link the environment to another Python of its version, after consent; return whether that was done.

    False where it has its Python, is no environment of that kind, or with `--dry-run`. Raises `EnvironmentUnusable`
    where this machine has no such Python, and `InstallFailed`, with everything as it was, where the environment does
    not run with it.
    """
    lost = lost_python(folder)
    if lost is None:
        return False
    base = _other_python(lost, system)
    relocation = plan_base_change(lost, base)
    what = message(
        "make {folder} run {python} (Python {version}) in place of {lost}, which is gone",
        folder=folder, python=base.executable, version=base.version, lost=lost.interpreter,
    )  # fmt: skip
    report.note(what)
    if options.dry_run:
        return False
    refusal = agreed(message("Do it?"), report, assume_yes=options.assume_yes)
    if refusal is not None:
        raise InstallFailed(
            message("{folder} was not changed: {why}", folder=folder, why=refusal),
            fix=message("agree with y or --yes: torchdoctor doctor ENV --fix"),
            code="declined",
        )
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, lock_dir):
        before = apply_relocation(relocation)
        try:
            _prove(folder, system)
        except BaseException:
            undo_relocation(before)
            raise
    return True


def _other_python(lost: LostPython, system: System) -> PythonInfo:
    try:
        return find_python(system, lost.version)
    except EnvironmentUnusable as error:
        raise EnvironmentUnusable(
            message(
                "{folder} was made with {python}, which is gone, and there is no other Python {version} here",
                folder=lost.folder, python=lost.interpreter, version=lost.version,
            ),
            fix=message(
                "install it, and run this again: uv python install {version}", version=lost.version
            ),
            code="python-gone",
        ) from error  # fmt: skip


def _prove(folder: Path, system: System) -> None:
    """Raise `InstallFailed` unless the interpreter runs and takes the folder for its own."""
    try:
        prefix = describe_python(system, interpreter_of(folder)).prefix
    except EnvironmentUnusable as error:
        raise InstallFailed(
            message(
                "{folder} does not run with it, and is as it was: {why}", folder=folder, why=error.message
            ),
            fix=message("make a new environment beside it: torchdoctor install ENV"),
            code="moved",
        ) from error
    if not prefix.samefile(folder):
        raise InstallFailed(
            message("its interpreter takes {prefix} for its folder", prefix=prefix),
            fix=message("make a new environment beside it: torchdoctor install ENV"),
            code="moved",
        )
