"""Which of the wheels of one version and build suits an interpreter best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from wheels_index import Wheel

__all__ = ["WheelChoice", "tag_ranks"]


def tag_ranks(tags: Sequence[Tag]) -> dict[Tag, int]:
    """Return the rank of each supported tag, 0 for the best; `tags` are in their order of preference."""
    return {tag: position for position, tag in reversed(list(enumerate(tags)))}


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelChoice:
    """What a wheel must be of and for."""

    variant: str
    default_variant: str | None  # the variant of a file whose version names none; None: not known
    ranks: Mapping[Tag, int]  # of the interpreter's tags, by `tag_ranks`

    def best(self, wheels: Iterable[Wheel], project: str, version: Version) -> Wheel | None:
        """Return the wheel of exactly this version and variant that suits the interpreter best; None for none."""
        best: tuple[int, tuple[int, str] | tuple[()], Wheel] | None = None
        for wheel in wheels:
            if wheel.project != project or wheel.version.public != version.public or wheel.yanked:
                continue
            if (
                wheel.variant or (self.default_variant if wheel.version.local is None else None)
            ) != self.variant:
                continue
            ranks = [self.ranks[tag] for tag in wheel.tags if tag in self.ranks]
            if not ranks:
                continue
            # Of equal tags the higher build number wins, as in pip and uv.
            key = (-min(ranks), wheel.build)
            if best is None or key > best[:2]:
                best = (*key, wheel)
        return best[2] if best else None
