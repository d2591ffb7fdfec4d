"""The variant of a wheel by the version.py inside, which its name and metadata may not show."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.inventory.build_variant import variant_of_version_file
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["variant_inside_wheel"]

_MAX_BYTES = 64 * 1024


def variant_inside_wheel(wheel: Path, project: str) -> str | None:
    """Return the variant in `<project>/version.py` of a torch, torchvision or torchaudio wheel.

    torchvision 0.28.0 from PyPI is named and described without a build tag, and says `0.28.0+cu130` there.
    None for another project and where the file names no variant. Raises `zipfile.BadZipFile` or `OSError` for a
    file that is no wheel.
    """
    if project not in TORCH_PROJECTS:
        return None
    status = wheel.stat()
    return _variant(wheel, project, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _variant(wheel: Path, project: str, _size: int, _changed: int) -> str | None:
    with open_regular(wheel) as file, zipfile.ZipFile(file) as archive:
        try:
            member = archive.getinfo(f"{project}/version.py")
        except KeyError:
            return None
        if member.file_size > _MAX_BYTES:
            return None
        return variant_of_version_file(archive.read(member).decode("utf-8", "replace"))
