"""The checks that `--only` and `--exclude` select."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.diagnose.catalogue import failures_by_id
from torchdoctor.diagnose.verify_findings import package_cause_ids
from torchdoctor.doctor.checks import CHECKS
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["select_doctor_checks"]


def select_doctor_checks(only: Iterable[str] = (), exclude: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the ids of the checks to run: all, or those named by id or section, without the excluded ones.

    `exclude` may also name findings, which remove no check. Raises `UsageError` for a name that is none of these.
    """
    wanted, unwanted = tuple(only), tuple(exclude)
    _refuse_unknown((*wanted, *unwanted))
    return tuple(
        check for check in CHECKS if (not wanted or _named(check, wanted)) and not _named(check, unwanted)
    )


def _named(check: str, names: Sequence[str]) -> bool:
    return any(check == name or check.startswith(f"{name}.") for name in names)


def _refuse_unknown(names: Sequence[str]) -> None:
    sections = (check.partition(".")[0] for check in CHECKS)
    known = {*CHECKS, *sections, *failures_by_id(), *package_cause_ids()}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            see = message("see `torchdoctor doctor --list-checks`")
            raise UsageError(
                message("there is no check {name!r}", name=name[:60]),
                fix=message("did you mean {near}? {see}", near=near[0], see=see) if near else see,
            )
