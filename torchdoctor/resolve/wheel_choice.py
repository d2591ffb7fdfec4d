"""Which of the wheels of one version and build suits an interpreter best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.tags import Tag
    from packaging.version import Version

    from wheels_index import Snapshot, Wheel

__all__ = ["WheelChoice", "pypi_defaults", "tag_ranks"]


def tag_ranks(tags: Sequence[Tag]) -> dict[Tag, int]:
    """Return the rank of each supported tag, 0 for the best; `tags` are in their order of preference."""
    return {tag: position for position, tag in reversed(list(enumerate(tags)))}


def pypi_defaults(
    snapshot: Snapshot, torch: Version, platform: str | None
) -> dict[tuple[str, str], str | None]:
    """Return the variant of PyPI's files of companions that came out with another torch release than this one.

    Where the day of a companion is not known, it is taken for one of the newest release that it goes with.
    """
    release = snapshot.release(torch)
    found: dict[tuple[str, str], str | None] = {}
    for project, companion in release.companions.items():
        for version in companion.versions:
            uploaded = companion.uploaded.get(version.public)
            if uploaded is not None and uploaded == release.released:
                continue
            other = next(
                (
                    each
                    for each in snapshot.releases()
                    if (
                        each.released == uploaded
                        if uploaded
                        else version in each.companions[project].versions
                    )
                ),
                None,
            )
            builds = other.platforms.get(platform or "") if other is not None else None
            if builds is not None:
                found[project, version.public] = builds.pypi_default
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelChoice:
    """What a wheel must be of and for."""

    variant: str
    default_variant: str | None  # the variant of a file whose version names none; None: not known
    ranks: Mapping[Tag, int]  # of the interpreter's tags, by `tag_ranks`
    companion_defaults: Mapping[tuple[str, str], str | None] = field(default_factory=dict)  # `pypi_defaults`

    def default_of(self, project: str, version: Version) -> str | None:
        """Return the variant of a file whose version names none."""
        return self.companion_defaults.get((project, version.public), self.default_variant)

    def best(
        self,
        wheels: Iterable[Wheel],
        project: str,
        version: Version,
        admits: Callable[[Wheel], bool] = lambda _: True,
    ) -> Wheel | None:
        """Return the wheel of exactly this version and variant that suits the interpreter best; None for none.

        `admits` says whether a file may be chosen, and is asked only of those that would be.
        """
        best: tuple[int, tuple[int, str] | tuple[()], Wheel] | None = None
        public = version.public
        for wheel in wheels:
            # What costs little and sorts out nearly all comes first.
            if wheel.variant not in (None, self.variant) or wheel.version.release != version.release:
                continue
            if wheel.project != project or wheel.version.public != public or wheel.yanked:
                continue
            default = self.default_of(project, version) if wheel.version.local is None else None
            if (wheel.variant or default) != self.variant:
                continue
            ranks = [self.ranks[tag] for tag in wheel.tags if tag in self.ranks]
            if not ranks:
                continue
            # Of equal tags the higher build number wins, as in pip and uv.
            key = (-min(ranks), wheel.build)
            if (best is None or key > best[:2]) and admits(wheel):
                best = (*key, wheel)
        return best[2] if best else None
