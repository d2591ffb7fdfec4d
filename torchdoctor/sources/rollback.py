"""An index that lists less than it did before: a mirror that lags, or somebody who plays an old page back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.sources.index_cache import CachedIndex
    from wheels_index import Wheel

__all__ = ["OLDER_LIST", "refuse_rollback"]

OLDER_LIST = "older-list"  # the code of the error


def refuse_rollback(stored: CachedIndex, wheels: Iterable[Wheel]) -> None:
    """Raise `SourceFailed` where the newest release that was listed of a project is not listed any more.

    A file that is gone from the midst of a list is no sign: indexes take single files back.
    """
    before = _newest((group.project, group.version) for group in stored.overlay.groups)
    now = _newest(
        (wheel.project, wheel.version)
        for wheel in wheels
        if not (wheel.version.is_prerelease or wheel.yanked)
    )
    for project, newest in sorted(before.items()):
        listed = now.get(project)
        if listed is not None and listed >= newest:
            continue
        raise SourceFailed(
            message(
                "{index_url} listed {project} {newest} on {date} and does not any more: its newest is {listed}",
                index_url=redact_url(stored.base),
                project=project,
                newest=newest,
                date=stored.overlay.as_of,
                listed=listed or message("none known"),
            ),
            fix=message(
                "what was known stays; if that release was really taken back: torchdoctor index update --accept-older"
            ),
            code=OLDER_LIST,
        )


def _newest(found: Iterable[tuple[str, Version]]) -> dict[str, Version]:
    newest: dict[str, Version] = {}
    for project, version in found:
        public = Version(version.public)
        newest[project] = max(public, newest.get(project, public))
    return newest
