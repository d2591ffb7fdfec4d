"""Finds the segments of a damaged wheel by the checksums inside it, and fetches them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.wheelfile import Damage, Member, check_member, members
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.fetch.transfer.partial_file import PartialFile

__all__ = ["RepairOutcome", "repair_wheel", "windows_of_damage"]

_SMALL_DAMAGE_SEGMENTS = 8  # a damaged member that is no longer is fetched at once
_TAIL_SEGMENTS = 16


RepairOutcome = Literal["changed", "stays-wrong", "consistent"]


def repair_wheel(part: PartialFile, fetch_again: Callable[[Sequence[int]], None]) -> RepairOutcome:
    """Call `fetch_again` with the segments that the wheel's own checksums say are wrong, the likeliest first.

    `changed`: other bytes came, and the digest decides whether they are right. `stays-wrong`: the same bytes came
    again. `consistent`: the wheel agrees with its own checksums, so it is another wheel.
    """
    tried: set[int] = set()
    changed = _repair(part, fetch_again, tried)
    return "changed" if changed else "stays-wrong" if tried else "consistent"


def _repair(part: PartialFile, fetch_again: Callable[[Sequence[int]], None], tried: set[int]) -> bool:
    changed = False
    while members(part.path) is None:
        last = -(-part.size // SEGMENT_BYTES)
        tail = [index for index in range(max(0, last - _TAIL_SEGMENTS), last) if index not in tried]
        step = tail[-max(1, len(tried)) :]
        if not step or not _bytes_changed(part, step, fetch_again, tried):
            return changed
        changed = True
    for member in members(part.path) or ():
        while (damage := _damage(part.path, member)) is not None:
            windows = windows_of_damage(damage)
            window = next((window for window in windows if not tried.issuperset(window)), None)
            if window is None:
                return changed
            untried = [index for index in window if index not in tried]
            changed |= _bytes_changed(part, untried, fetch_again, tried)
    return changed


def _damage(path: Path, member: Member) -> Damage | None:
    with open_regular(path) as file:
        return check_member(file, member)


def _bytes_changed(
    part: PartialFile, indexes: Sequence[int], fetch_again: Callable[[Sequence[int]], None], tried: set[int]
) -> bool:
    before = {index: part.checks.get(index) for index in indexes}
    tried.update(indexes)
    fetch_again(indexes)
    return any(part.checks.get(index) != check for index, check in before.items())


def windows_of_damage(damage: Damage) -> list[range]:
    """Return runs of segments from where reading failed back to the start of the member, each longer than the last.

    Reading a compressed member fails at the wrong bytes or soon after them.
    """
    first = damage.start // SEGMENT_BYTES
    last = (max(damage.end, damage.start + 1) - 1) // SEGMENT_BYTES
    if damage.near is not None:
        last = min(last, damage.near // SEGMENT_BYTES)
    if last - first < _SMALL_DAMAGE_SEGMENTS and damage.near is None:
        return [range(first, last + 1)]
    windows, width, stop = [], 1 if damage.near is not None else _SMALL_DAMAGE_SEGMENTS, last + 1
    while stop > first:
        start = max(first, stop - width)
        windows.append(range(start, stop))
        stop, width = start, 2 * width
    return windows
