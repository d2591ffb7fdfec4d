"""Which segments of a damaged wheel to fetch again, the likeliest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchdoctor.core.wheelfile.checksums import Damage, Member, check_member, members
from torchdoctor.fetch.transfer.segments import SEGMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.fetch.transfer.partial_file import Part

__all__ = ["Outcome", "repair", "windows"]

_AT_ONCE = 8  # segments: a damage no longer than a MiB is fetched whole
_TAIL = 16


Outcome = Literal["mended", "stays-wrong", "consistent"]


def repair(part: Part, again: Callable[[Sequence[int]], None]) -> Outcome:
    """Fetch anew, with `again`, what the wheel's own checksums say is wrong.

    `mended`: some bytes became others, and the digest decides whether they are right now. `stays-wrong`: the
    same bytes came again. `consistent`: the wheel agrees with its own checksums, so it is another wheel.
    """
    tried: set[int] = set()
    mended = _repair(part, again, tried)
    return "mended" if mended else "stays-wrong" if tried else "consistent"


def _repair(part: Part, again: Callable[[Sequence[int]], None], tried: set[int]) -> bool:
    mended = False
    while members(part.path) is None:
        last = -(-part.size // SEGMENT)
        tail = [index for index in range(max(0, last - _TAIL), last) if index not in tried]
        step = tail[-max(1, len(tried)) :]
        if not step or not _differs(part, step, again, tried):
            return mended
        mended = True
    for member in members(part.path) or ():
        while (damage := _damage(part.path, member)) is not None:
            window = next((row for row in windows(damage) if not tried.issuperset(row)), None)
            if window is None:
                return mended
            mended |= _differs(part, [index for index in window if index not in tried], again, tried)
    return mended


def _damage(path: Path, member: Member) -> Damage | None:
    with path.open("rb") as file:
        return check_member(file, member)


def _differs(
    part: Part, indexes: Sequence[int], again: Callable[[Sequence[int]], None], tried: set[int]
) -> bool:
    before = {index: part.checks.get(index) for index in indexes}
    tried.update(indexes)
    again(indexes)
    return any(part.checks.get(index) != check for index, check in before.items())


def windows(damage: Damage) -> list[range]:
    """Runs of segments, from where reading failed back to where the damaged member starts, each longer than the last.

    Reading a compressed member fails at the wrong bytes or soon behind them.
    """
    first = damage.start // SEGMENT
    last = (max(damage.end, damage.start + 1) - 1) // SEGMENT
    if damage.near is not None:
        last = min(last, damage.near // SEGMENT)
    if last - first < _AT_ONCE and damage.near is None:
        return [range(first, last + 1)]
    rows, width, stop = [], 1 if damage.near is not None else _AT_ONCE, last + 1
    while stop > first:
        start = max(first, stop - width)
        rows.append(range(start, stop))
        stop, width = start, 2 * width
    return rows
