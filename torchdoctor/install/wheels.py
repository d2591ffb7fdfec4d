"""Checks of all wheels together before any is unpacked."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.wheelfile import FileOwners, first_damaged, validate_wheel, wheel_files
from torchdoctor.errors import InstallFailed
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from torchdoctor.core.wheelfile import PackageFiles
    from torchdoctor.fetch import FetchedWheel, Wheelhouse

__all__ = ["refuse_false_sizes", "validate_wheels"]

# Larger wheels are not inflated once more only to be checked, which takes 11 ms a megabyte: uv is then held to the
# largest size that their directory gives, file by file.
_INFLATED_BYTES = 32 << 20


def validate_wheels(wheelhouse: Wheelhouse, installed: Iterable[PackageFiles] = ()) -> int:
    """Return how many bytes the wheels unpack to; raises `InstallFailed` when one may not be unpacked.

    Two wheels that have different files for one place are refused, too, and one that would replace a file of a package
    that is `installed` and stays.
    """
    unpacked = sum(validate_wheel(fetched.path, fetched.wheel.filename) for fetched in wheelhouse.wheels)
    for fetched in wheelhouse.wheels:
        refuse_false_sizes(fetched)
    owners = FileOwners(TORCH_PROJECTS, installed)
    for fetched in wheelhouse.wheels:
        owners.add(wheel_files(fetched.wheel.name, fetched.path))
    return unpacked


def refuse_false_sizes(fetched: FetchedWheel) -> None:
    """Raise `InstallFailed` for a wheel of which a file holds other bytes, or more, than the wheel's directory says.

    Whoever unpacks it would find that out at the end. One that was looked into a moment ago is not read again.
    """
    if fetched.size > _INFLATED_BYTES:
        return
    name = _first_damaged(fetched.path, fetched.path.stat().st_mtime_ns)
    if name is not None:
        raise InstallFailed(
            message(
                "{filename} is not a wheel that can be installed safely: {why}",
                filename=fetched.wheel.filename,
                why=message("{name!r} holds other bytes than its directory says", name=name[:120]),
            ),
            fix=message(
                "remove it where it lies, or name another source with --index-url, --mirror or --find-links"
            ),
            code="bad-wheel",
        )


@lru_cache(maxsize=256)
def _first_damaged(path: Path, _changed: int) -> str | None:
    return first_damaged(path)
