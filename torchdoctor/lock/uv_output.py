"""The wheels of the pylock.toml that uv wrote, with the true places of the files that uv saw under others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.lock.model import LockedWheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from torchdoctor.lock.uv_inputs import UvInputs

__all__ = ["read_uv_lock"]


def read_uv_lock(path: Path, inputs: UvInputs) -> tuple[LockedWheel, ...]:
    """Return the first wheel of each package of uv's lock.

    Raises `NoSolution` for a package without a wheel, and where uv took another file than the plan's; `SourceFailed`
    for a file of this machine that no source on it has.
    """
    document = tomllib.loads(path.read_text("utf-8"))
    return tuple(_wheel(package, inputs) for package in document.get("packages", []))


def _wheel(package: dict[str, Any], inputs: UvInputs) -> LockedWheel:
    wheels = package.get("wheels") or []
    if not wheels:
        raise NoSolution(
            message(
                "{name} {version} has no wheel for this Python",
                name=package["name"],
                version=package.get("version", ""),
            ),
            fix=message("name a source that has one with --index-url or --find-links"),
            code="no-lock",
        )
    file = wheels[0]
    url = file.get("url") or Path(file["path"]).absolute().as_uri()
    filename = file.get("name") or unquote(urlsplit(url).path.rpartition("/")[2])
    planned = inputs.planned.get(filename)
    if planned is None and package["name"] in {wheel.project for wheel in inputs.planned.values()}:
        raise NoSolution(
            message("the lock took {filename}, which is not the file that was chosen", filename=filename),
            fix=message("report this with the output of `torchdoctor install -v`"),
            code="no-lock",
        )
    if planned is not None and planned.url is not None:
        url = planned.url
    elif filename in inputs.linked and url.startswith("file:"):
        url = inputs.linked[filename]
    elif url.startswith("file:") and not inputs.local_pages:
        raise SourceFailed(
            message(
                "an index of the network names a file of this machine for {name}: {place}",
                name=package["name"],
                place=redact_url(url),
            ),
            fix=message(
                "nothing was installed; name another index with --index-url or in pip's or uv's settings"
            ),
            code="unprotected",
        )
    # What the plan knows of its file comes before what uv read where the file lies.
    sha256 = planned.sha256 if planned is not None else None
    return LockedWheel(
        name=package["name"],
        version=str(package.get("version", "")),
        filename=filename,
        url=url,
        sha256=sha256 or (file.get("hashes") or {}).get("sha256"),
        size=(file.get("size") if filename not in inputs.whole else None)
        or (planned.size if planned is not None else None),
    )
