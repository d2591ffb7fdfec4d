"""What uv is offered on this machine: an index of exactly the plan's files, and folders of links to other wheels."""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_name

from torchdoctor.core.fs import symlink_or_copy
from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.wheelfile import validate_wheel
from torchdoctor.errors import InstallFailed, SourceFailed
from torchdoctor.lock.variant_metadata import variant_anchor
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheels_index import Wheel

__all__ = [
    "NEWEST_OWN_FILE",
    "UPLOAD_TIME",
    "filtered_find_links",
    "index_anchor",
    "link_whole_files",
    "write_index_page",
    "write_local_index",
]

_MAX_METADATA_BYTES = 4 * 1024 * 1024
# The files of our own index say that they are older than any file of a real one.
UPLOAD_TIME = ' data-upload-time="1970-01-01T00:00:00Z"'
NEWEST_OWN_FILE = "1970-01-02T00:00:00Z"


def filtered_find_links(
    url: str, planned: frozenset[str], folder: Path, linked: dict[str, str], refused: dict[str, str]
) -> str:
    """Return the URL of `folder`, filled with links to the wheels of a local folder that are not of a planned project.

    A URL of anything else is returned as it is. `linked` receives the URL of each linked file by name, `refused` the
    reason for each wheel that must not be unpacked. Without this uv would take a folder's file instead of an index's of
    the same version, and unpack it whole to learn its hash.
    """
    if not url.startswith("file:") or not local_path(url).is_dir():
        return url
    folder.mkdir()
    for path in sorted(local_path(url).glob("*.whl")):
        if canonicalize_name(path.name.partition("-")[0]) in planned:
            continue
        try:
            validate_wheel(path, path.name)
        except InstallFailed as error:
            refused[path.name] = error.message
            continue
        symlink_or_copy(path, folder / path.name)
        linked[path.name] = path.absolute().as_uri()
    return folder.as_uri()


def link_whole_files(files: Mapping[str, Path], folder: Path, linked: dict[str, str]) -> str:
    """Return the URL of `folder`, filled with links to files that were fetched and looked into, by their URLs."""
    folder.mkdir()
    for url, path in files.items():
        symlink_or_copy(path, folder / path.name)
        linked[path.name] = url
    return folder.as_uri()


def write_local_index(folder: Path, wheels: Sequence[Wheel], held: Mapping[str, Path]) -> None:
    """Write a simple index (PEP 503) of these wheels into `folder`, which is new.

    `held` maps names of wheels to local copies. Raises `SourceFailed` for a local file that is not a wheel.
    """
    folder.mkdir()
    pages: dict[str, list[str]] = {}
    for wheel in wheels:
        page_folder = folder / wheel.project
        page_folder.mkdir(exist_ok=True)
        anchor = index_anchor(wheel, page_folder, held.get(wheel.filename))
        pages.setdefault(wheel.project, []).append(anchor)
    for project, anchors in pages.items():
        write_index_page(folder / project, anchors)


def write_index_page(folder: Path, anchors: Sequence[str]) -> None:
    """Write the page of a project."""
    folder.mkdir(exist_ok=True)
    page = "<!DOCTYPE html><html><body>" + "<br/>\n".join(anchors) + "</body></html>"
    (folder / "index.html").write_text(page, "utf-8")


def index_anchor(wheel: Wheel, folder: Path, path: Path | None = None) -> str:
    """Return the link to a wheel for a page in `folder`; what is on this disk is linked into the folder.

    `path` is a local copy. Raises `SourceFailed` for a local file that is not a wheel.
    """
    if wheel.label is not None:
        return variant_anchor(wheel, UPLOAD_TIME)
    url = wheel.url or ""
    metadata = ""
    if url.startswith("file:"):
        path = local_path(url)
    if path is not None:
        # The metadata as a file of its own spares uv unpacking gigabytes to read it.
        text = _metadata(path, wheel)
        (folder / f"{wheel.filename}.metadata").write_bytes(text)
        symlink_or_copy(path, folder / wheel.filename)
        url = quote(wheel.filename)
        metadata = f"sha256={hashlib.sha256(text).hexdigest()}"
    elif wheel.has_metadata:
        metadata = f"sha256={wheel.metadata_sha256}" if wheel.metadata_sha256 else "true"
    fragment = f"#sha256={wheel.sha256}" if wheel.sha256 else ""
    attribute = f' data-core-metadata="{metadata}"' if metadata else ""
    name = html.escape(wheel.filename)
    return f'<a href="{html.escape(url.partition("#")[0])}{fragment}"{attribute}{UPLOAD_TIME}>{name}</a>'


def _metadata(path: Path, wheel: Wheel) -> bytes:
    import zipfile

    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                name = member.filename
                if name.endswith(".dist-info/METADATA") and name.count("/") == 1:
                    if member.file_size > _MAX_METADATA_BYTES:
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
