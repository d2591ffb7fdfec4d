"""What the record of an environment says was installed, as packages that can be installed again."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.markers import marker_holds
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import strip_credentials
from torchdoctor.core.wheelfile.member_names import is_safe_wheel_name
from wheels_index import TORCH_PROJECTS, InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.install.vouchers import Voucher

__all__ = ["RecordedPackage", "record_entry", "recorded_packages", "torch_and_needs", "vouchers_of"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_METADATA_BYTES = 2 * 1024 * 1024
_MAX_REQUIREMENTS = 500
_MAX_PACKAGES = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedPackage:
    """A package that torchdoctor installed."""

    name: str  # normalised
    version: str
    filename: str
    sha256: str
    size: int | None
    url: str  # without credentials; empty where it is not recorded
    requires: tuple[str, ...] | None  # requirement lines; None where they are not recorded


def record_entry(fetched: FetchedWheel, *, vouched_by: Voucher) -> dict[str, Any]:
    """Return the entry of a wheel in the record, with what is needed to install it again."""
    vouched = vouched_by != "trust"
    wheel = fetched.wheel
    return {
        "name": wheel.name, "version": wheel.version, "filename": wheel.filename, "sha256": fetched.sha256,
        "size": fetched.size, "source": fetched.source, "url": strip_credentials(wheel.url) or None,
        "requires": list(_requirements(fetched.path)), "vouched_by": vouched_by,
        **({} if vouched else {"vouched": False}),
    }  # fmt: skip


def recorded_packages(record: Mapping[str, Any]) -> tuple[RecordedPackage, ...]:
    """Return the packages of a record; entries that name no wheel are left out, as somebody may have edited it."""
    files = record.get("files")
    entries = files[:_MAX_PACKAGES] if isinstance(files, list) else []
    return tuple(package for entry in entries if (package := _package(entry)) is not None)


def vouchers_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return who vouched for the hash of each package, by its name; of records before this was written nothing."""
    files = record.get("files")
    entries = (
        [entry for entry in files[:_MAX_PACKAGES] if isinstance(entry, dict)]
        if isinstance(files, list)
        else []
    )
    pairs = ((entry.get("name"), entry.get("vouched_by")) for entry in entries)
    return {
        str(canonicalize_name(name)): sanitize_line(by, limit=60)
        for name, by in pairs
        if isinstance(name, str) and isinstance(by, str) and by
    }


def torch_and_needs(
    packages: tuple[RecordedPackage, ...], environment: Mapping[str, str | AbstractSet[str]]
) -> tuple[RecordedPackage, ...]:
    """Return torch, its companions and what they need; all packages but pip where the record does not say what that is.

    `environment` are the values of markers for the environment's Python.
    """
    by_name = {package.name: package for package in packages}
    wanted = [by_name[name] for name in TORCH_PROJECTS if name in by_name]
    if any(package.requires is None for package in wanted):
        return tuple(package for package in packages if package.name != "pip")
    found: dict[str, RecordedPackage] = {}
    while wanted:
        package = wanted.pop()
        if package.name not in found:
            found[package.name] = package
            wanted += [by_name[name] for name in _needs(package, environment) if name in by_name]
    return tuple(found[name] for name in sorted(found))


def _needs(package: RecordedPackage, environment: Mapping[str, str | AbstractSet[str]]) -> Iterator[str]:
    for line in package.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if marker_holds(requirement.marker, environment):
            yield str(canonicalize_name(requirement.name))


def _requirements(path: Path) -> Iterator[str]:
    """The requirement lines in a wheel's metadata, without those of extras."""
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        name = next(
            (name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)), None
        )
        if name is None or archive.getinfo(name).file_size > _MAX_METADATA_BYTES:
            return
        fields, _ = parse_email(archive.read(name))
    lines = fields.get("requires_dist", [])
    yield from [line for line in lines if "extra" not in line.partition(";")[2]][:_MAX_REQUIREMENTS]


def _package(entry: Any) -> RecordedPackage | None:
    if not isinstance(entry, dict):
        return None
    filename, sha256, size = entry.get("filename"), entry.get("sha256"), entry.get("size")
    if not isinstance(filename, str) or not is_safe_wheel_name(filename):
        return None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        return None
    try:
        wheel = Wheel.from_filename(filename)
    except InvalidWheel:
        return None
    url, requires = entry.get("url"), entry.get("requires")
    return RecordedPackage(
        name=wheel.project,
        version=str(wheel.version),
        filename=filename,
        sha256=sha256,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        url=url if isinstance(url, str) and url.startswith(("https://", "http://", "file:")) else "",
        requires=tuple(line for line in requires[:_MAX_REQUIREMENTS] if isinstance(line, str))
        if isinstance(requires, list)
        else None,
    )
