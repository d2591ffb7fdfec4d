"""What Windows is set to, as observations, where torch can fail by it."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.diagnose import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp

__all__ = ["windows_observations"]

# MAX_PATH is 260 with the NUL at the end: https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
_MAX_PATH = 259


def windows_observations(check_up: CheckUp) -> Iterator[Observation]:
    """Yield that there is no paging file, and that a file which is missing has a path longer than Windows allows."""
    facts = {row.name: row.fact for row in check_up.detection.facts if row.fact.state == "found"}
    paging = facts.get("windows.paging_files")
    if paging is not None and not paging.value:
        yield Observation(
            name="live.windows.no_paging_file",
            value="none",
            source=message("paging file: none ({source})", source=paging.source),
        )
    long_paths = facts.get("windows.long_paths")
    if long_paths is None or long_paths.value:
        return
    for check in check_up.inventory.records.value or ():
        for file in check.wrong:
            length = len(str(PureWindowsPath(check.record).parents[1] / file.path))
            if file.problem == "missing" and length > _MAX_PATH:
                yield Observation(
                    name="live.windows.long_path",
                    value=check.name,
                    source=message(
                        "{package}: the path of a missing file has {length} characters, and long paths are off",
                        package=check.name,
                        length=length,
                    ),
                )
                break
