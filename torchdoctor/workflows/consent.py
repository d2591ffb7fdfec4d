"""Show what changes in an existing environment, and ask for consent before anything is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, plurals
from torchdoctor.errors import InstallFailed
from torchdoctor.install.record import package_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.install.record import PackageChange
    from torchdoctor.lock import Lock
    from torchdoctor.workflows.unneeded_packages import UnneededPackages

__all__ = ["agreed", "ask_about", "ask_to_change", "changes_by"]


def changes_by(lock: Lock, installed: Mapping[str, str]) -> tuple[PackageChange, ...]:
    """Return what a lock changes where these versions are installed, by name."""
    return package_changes(installed, {wheel.name: wheel.version for wheel in lock.wheels})


def ask_to_change(
    folder: Path,
    lock: Lock,
    installed: Mapping[str, str],
    report: Reporter,
    *,
    assume_yes: bool,
    unneeded: UnneededPackages | None = None,
    size: str = "",
) -> None:
    """Report the changes to the environment at `folder` and ask for consent, unless it was given beforehand.

    `unneeded` goes with the torch that is replaced; `size` says what the rest fetches and takes. An environment without
    packages has nothing that could be changed. Raises `InstallFailed` without consent.
    """
    changes = [str(change) for change in changes_by(lock, installed)] if installed else []
    summary = [size] if size else []
    if unneeded is not None and unneeded.packages:
        changes += unneeded.lines
        summary.append(unneeded.summary)
    ask_about(folder, changes, report, assume_yes=assume_yes, summary=summary)


def ask_about(
    folder: Path, changes: Sequence[str], report: Reporter, *, assume_yes: bool, summary: Sequence[str] = ()
) -> None:
    """Report changes of packages, a line each, and ask for consent; raises `InstallFailed` without it."""
    for text in (*changes, *(summary if changes else ())):
        report.note(text)
    question = message(
        "Change {packages} in {folder}?", packages=plurals.packages(len(changes)), folder=folder
    )
    if not changes or assume_yes or report.ask(question, default=True):
        return
    raise InstallFailed(
        message("{folder} was not changed: you declined", folder=folder)
        if report.can_ask
        else message(
            "{folder} was not changed: this needs consent, and nobody could be asked", folder=folder
        ),
        fix=message("agree with y or --yes (in Python: assume_yes=True); --dry-run only shows the changes"),
        code="declined",
    )


def agreed(question: str, report: Reporter, *, assume_yes: bool, dry_run: bool = False) -> str | None:
    """Return why a repair is not made; None where the user agreed, by `--yes` or by the answer."""
    if dry_run:
        return "--dry-run"
    if assume_yes:
        return None
    if not report.can_ask:
        return message("there is no terminal to ask on; give --yes to agree in advance")
    return None if report.ask(question, default=True) else message("declined")
