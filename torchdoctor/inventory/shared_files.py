"""Distributions against their RECORDs, where several of them can list one file and only one of them wrote it.

NVIDIA's wheels share files: those for CUDA 12 all have `nvidia/__init__.py`, which is empty, and pip removes it with
any of them; `nvidia-cudnn-cu12` and `nvidia-cudnn-cu13` have libraries of one name in one folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.inventory.package_model import RecordCheck
from torchdoctor.inventory.record import read_record, record_path, wrong_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from torchdoctor.inventory.package_model import Depth, Distribution, RecordedFile
    from torchdoctor.inventory.record import RecordRow

__all__ = ["CheckedRecords", "check_records"]

_MAX_SHOWN = 20
_MAX_OWNERS = 20
_NAMESPACE = "nvidia/__init__.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRecords:
    """How many RECORDs were read, and the checks of the packages that have wrong files."""

    count: int
    wrong: tuple[RecordCheck, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    distribution: Distribution
    rows: tuple[RecordRow, ...]
    wrong: tuple[tuple[RecordRow, RecordedFile], ...]


def check_records(
    distributions: Iterable[Distribution], depth: Depth, needed: AbstractSet[str] | None = None
) -> CheckedRecords:
    """Compare the files of each distribution with what was installed, as far as they are its own.

    `needed` are the packages that torch requires, itself included; None where that is not known. A file is not wrong
    where it is as another package wrote it that lists it too, unless torch requires this package and not that one. An
    empty `__init__.py` that packages share is not missed: Python takes the folder for a package without it too.
    """
    checked = []
    for distribution in distributions:
        rows = read_record(distribution)
        if rows is not None:
            wrong = tuple(wrong_files(rows, distribution.folder, depth))
            # conda writes the environment's path into files.
            if distribution.installer == "conda":
                wrong = tuple(pair for pair in wrong if pair[1].problem == "missing")
            checked.append(_Checked(distribution=distribution, rows=rows, wrong=wrong))
    owners = _owners(checked)
    found = [_check(each, owners, needed) for each in checked if each.wrong]
    return CheckedRecords(count=len(checked), wrong=tuple(check for check in found if check.wrong_count))


def _owners(checked: Iterable[_Checked]) -> dict[tuple[str, str], dict[str, bool]]:
    """Of each file that is wrong for one package: all that list it, each with whether the file is as it says."""
    several = list(checked)
    paths = {(each.distribution.folder, row.path) for each in several for row, _ in each.wrong}
    owners: dict[tuple[str, str], dict[str, bool]] = {path: {} for path in paths}
    for each in several:
        wrong = {row.path for row, _ in each.wrong}
        for row in each.rows:
            place = (each.distribution.folder, row.path)
            if place in owners:
                owners[place][each.distribution.name] = row.path not in wrong
    return owners


def _check(
    checked: _Checked,
    owners: Mapping[tuple[str, str], Mapping[str, bool]],
    needed: AbstractSet[str] | None,
) -> RecordCheck:
    own = checked.distribution
    wrong = []
    for row, file in checked.wrong:
        others = {name: right for name, right in owners[own.folder, row.path].items() if name != own.name}
        if not _is_harmless(row, file, others) and not _is_others(own.name, others, needed):
            wrong.append(replace(file, owners=tuple(sorted(others))[:_MAX_OWNERS]))
    return RecordCheck(
        name=own.name,
        version=own.version,
        record=record_path(own),
        files=len(checked.rows),
        wrong_count=len(wrong),
        wrong=tuple(wrong[:_MAX_SHOWN]),
        needed=needed is None or own.name in needed,
    )


def _is_harmless(row: RecordRow, file: RecordedFile, others: Mapping[str, bool]) -> bool:
    if file.problem != "missing" or not row.path.endswith("/__init__.py"):
        return False
    return row.path == _NAMESPACE or (row.size == 0 and (bool(others) or row.path.startswith("nvidia/")))


def _is_others(name: str, others: Mapping[str, bool], needed: AbstractSet[str] | None) -> bool:
    """Whether the file is another package's, and rightly so."""
    right = {other for other, is_right in others.items() if is_right}
    if needed is None or name not in needed:
        return bool(right)
    return bool(right & needed)
