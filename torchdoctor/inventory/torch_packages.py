"""The copies of torch, torchvision and torchaudio on the path, and which variant each is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n.messages import message
from torchdoctor.core.versions import public_version
from torchdoctor.inventory import files
from torchdoctor.inventory.build_variant import local_variant
from torchdoctor.inventory.metadata import parse_version_file
from torchdoctor.inventory.model import TorchPackage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.core.fact import Fact
    from torchdoctor.inventory.distributions import SiteFolder
    from torchdoctor.inventory.model import Distribution, VersionFile

__all__ = ["PROJECTS", "copies_in", "duplicates_of", "variant_fact"]

PROJECTS = ("torch", "torchvision", "torchaudio")


def copies_in(site: SiteFolder) -> Iterator[TorchPackage]:
    """Each copy in one folder of the path: a package folder, its metadata, or both."""
    for project in PROJECTS:
        rows = [row for row in site.distributions if row.name == project]
        there = project in site.names and files.exists(f"{site.folder}/{project}/__init__.py")
        if not rows and not there:
            continue
        # Two metadata of one folder are a broken install: the copy is what its version.py says.
        distribution = _right_one(rows, site.folder, project)
        said = _version_file(f"{site.folder}/{project}/version.py")
        version = distribution.version if distribution else said.value.version if said.value else None
        yield TorchPackage(
            name=project,
            version=version,
            folder=site.folder,
            there=there or (distribution is not None and distribution.editable),
            distribution=distribution,
            version_file=said,
            variant=variant_fact(version, distribution, said),
        )


def _right_one(rows: list[Distribution], folder: str, project: str) -> Distribution | None:
    if len(rows) > 1:
        said = _version_file(f"{folder}/{project}/version.py").value
        same = [
            row
            for row in rows
            if said and said.version and public_version(row.version) == public_version(said.version)
        ]
        return (same or rows)[0]
    return rows[0] if rows else None


def _version_file(path: str) -> Fact[VersionFile]:
    text = files.read_text(path)
    if text is None:
        return unknown(message("it cannot be read"), path) if files.exists(path) else absent(path)
    return found(parse_version_file(text), path)


def variant_fact(
    version: str | None, distribution: Distribution | None, said: Fact[VersionFile]
) -> Fact[str]:
    """By the local part in version.py, then by that of the metadata, then by what version.py says it was built for."""
    file = said.value
    metadata = distribution.metadata if distribution else ""
    for text, source in ((file.version if file else None, said.source), (version, metadata)):
        named = local_variant(text)
        if named:
            return found(named, source)
    if file is None:
        return unknown(message("neither version.py nor a local version names it"), said.source)
    if file.cuda:
        digits = re.match(r"(\d{1,2})\.(\d{1,2})", file.cuda, re.ASCII)
        return (
            found(f"cu{digits[1]}{digits[2]}", said.source)
            if digits
            else unknown(message("its cuda is not a version"), said.source)
        )
    if file.hip:
        digits = re.match(r"(\d{1,2})\.(\d{1,2})", file.hip, re.ASCII)
        return found(f"rocm{digits[1]}.{digits[2]}" if digits else "rocm", said.source)
    if file.xpu:
        return found("xpu", said.source)
    if "cuda" in file.says:
        return found("cpu", said.source)
    return unknown(message("its version.py does not say what it was built for"), said.source)


def duplicates_of(rows: Iterable[Distribution]) -> Iterator[tuple[str, list[Distribution]]]:
    """Projects with more than one distribution; conda's record of a package beside its own dist-info is one."""
    named: dict[str, list[Distribution]] = {}
    for row in rows:
        if row.kind != "conda":
            named.setdefault(row.name, []).append(row)
    yield from ((name, found) for name, found in named.items() if len(found) > 1)
