"""An index of our own that lists exactly the plan's files, and folders of links to everything else."""

from __future__ import annotations

import hashlib
import html
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_name

from torchdoctor.core.fs import symlink_or_copy
from torchdoctor.core.i18n.messages import message
from torchdoctor.core.wheelfile.validation import validate_wheel
from torchdoctor.errors import InstallFailed, SourceFailed
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheels_index import Wheel

__all__ = ["filtered_find_links", "write_local_index"]

_METADATA_LIMIT = 4 * 1024 * 1024


def filtered_find_links(
    url: str, planned: frozenset[str], home: Path, linked: dict[str, str], passed_over: dict[str, str]
) -> str:
    """A folder of links to a folder's wheels less the planned projects; another kind of place as it is.

    `linked` takes up where each link leads, `passed_over` the wheels that may not be unpacked, each with why.

    uv takes a folder's file over an index's of the same version, and unpacks it whole to learn its hash.
    """
    if not url.startswith("file:") or not local_path(url).is_dir():
        return url
    home.mkdir()
    for path in sorted(local_path(url).glob("*.whl")):
        if canonicalize_name(path.name.partition("-")[0]) in planned:
            continue
        try:
            validate_wheel(path, path.name)
        except InstallFailed as error:
            passed_over[path.name] = error.message
            continue
        symlink_or_copy(path, home / path.name)
        linked[path.name] = path.absolute().as_uri()
    return home.as_uri()


def write_local_index(folder: Path, wheels: Sequence[Wheel], held: Mapping[str, Path]) -> None:
    """Lay out a simple index of these wheels; `held` maps names to where they lie already."""
    folder.mkdir()
    pages: dict[str, list[str]] = {}
    for wheel in wheels:
        home = folder / wheel.project
        home.mkdir(exist_ok=True)
        pages.setdefault(wheel.project, []).append(_anchor(wheel, home, held.get(wheel.filename)))
    for project, anchors in pages.items():
        page = "<!DOCTYPE html><html><body>" + "<br/>\n".join(anchors) + "</body></html>"
        (folder / project / "index.html").write_text(page, "utf-8")


def _anchor(wheel: Wheel, home: Path, path: Path | None) -> str:
    url = wheel.url or ""
    metadata = ""
    if url.startswith("file:"):
        path = local_path(url)
    if path is not None:
        # Beside a link to the file stands its metadata, so that uv need not unpack gigabytes to read it.
        text = _metadata(path, wheel)
        (home / f"{wheel.filename}.metadata").write_bytes(text)
        symlink_or_copy(path, home / wheel.filename)
        url = quote(wheel.filename)
        metadata = f"sha256={hashlib.sha256(text).hexdigest()}"
    elif wheel.has_metadata:
        metadata = f"sha256={wheel.metadata_sha256}" if wheel.metadata_sha256 else "true"
    fragment = f"#sha256={wheel.sha256}" if wheel.sha256 else ""
    attribute = f' data-core-metadata="{metadata}"' if metadata else ""
    name = html.escape(wheel.filename)
    return f'<a href="{html.escape(url.partition("#")[0])}{fragment}"{attribute}>{name}</a>'


def _metadata(path: Path, wheel: Wheel) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename
                if name.endswith(".dist-info/METADATA") and name.count("/") == 1:
                    if member.file_size > _METADATA_LIMIT:
                        break
                    return archive.read(member)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceFailed(
            message("{path} is not a usable wheel: {error}", path=path, error=error),
            fix=message("download it again, or remove it"),
            code="bad-wheel",
        ) from error
    raise SourceFailed(
        message(
            "{path} has no metadata, so it is not a usable wheel of {project}",
            path=path,
            project=wheel.project,
        ),
        fix=message("download it again, or remove it"),
        code="bad-wheel",
    )
