"""The copies of torch, torchvision and torchaudio on the path, and the variant of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.versions import public_version
from torchdoctor.inventory import files
from torchdoctor.inventory.build_variant import local_variant
from torchdoctor.inventory.metadata import parse_version_file
from torchdoctor.inventory.package_model import TorchPackage
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.core import Fact
    from torchdoctor.inventory.distributions import SiteFolder
    from torchdoctor.inventory.package_model import Distribution, VersionFile

__all__ = ["copies_in", "duplicates_of", "variant_fact"]


def copies_in(site: SiteFolder) -> Iterator[TorchPackage]:
    """Yield each copy in one folder of the path: a package folder, its metadata, or both."""
    for project in TORCH_PROJECTS:
        distributions = [candidate for candidate in site.distributions if candidate.name == project]
        there = project in site.names and files.exists(f"{site.folder}/{project}/__init__.py")
        if not distributions and not there:
            continue
        # Two metadata for one folder are a broken install: the copy is what its version.py says.
        distribution = _matching_metadata(distributions, site.folder, project)
        version_file = _version_file(f"{site.folder}/{project}/version.py")
        version = (
            distribution.version
            if distribution
            else version_file.value.version
            if version_file.value
            else None
        )
        yield TorchPackage(
            name=project,
            version=version,
            folder=site.folder,
            there=there or (distribution is not None and distribution.editable),
            distribution=distribution,
            version_file=version_file,
            variant=variant_fact(version, distribution, version_file),
        )


def _matching_metadata(distributions: list[Distribution], folder: str, project: str) -> Distribution | None:
    if len(distributions) > 1:
        version_file = _version_file(f"{folder}/{project}/version.py").value
        same = [
            distribution
            for distribution in distributions
            if version_file
            and version_file.version
            and public_version(distribution.version) == public_version(version_file.version)
        ]
        return (same or distributions)[0]
    return distributions[0] if distributions else None


def _version_file(path: str) -> Fact[VersionFile]:
    text = files.read_text(path)
    if text is None:
        return unknown(message("it cannot be read"), path) if files.exists(path) else absent(path)
    return found(parse_version_file(text), path)


def variant_fact(
    version: str | None, distribution: Distribution | None, version_fact: Fact[VersionFile]
) -> Fact[str]:
    """Return the variant: by the local version in version.py, in the metadata, or by what version.py was built for."""
    file = version_fact.value
    metadata = distribution.metadata if distribution else ""
    for text, source in ((file.version if file else None, version_fact.source), (version, metadata)):
        named = local_variant(text)
        if named:
            return found(named, source)
    if file is None:
        return unknown(message("neither version.py nor a local version names it"), version_fact.source)
    if file.cuda:
        digits = re.match(r"(\d{1,2})\.(\d{1,2})", file.cuda, re.ASCII)
        return (
            found(f"cu{digits[1]}{digits[2]}", version_fact.source)
            if digits
            else unknown(message("its cuda is not a version"), version_fact.source)
        )
    if file.hip:
        digits = re.match(r"(\d{1,2})\.(\d{1,2})", file.hip, re.ASCII)
        return found(f"rocm{digits[1]}.{digits[2]}" if digits else "rocm", version_fact.source)
    if file.xpu:
        return found("xpu", version_fact.source)
    if "cuda" in file.says:
        return found("cpu", version_fact.source)
    return unknown(message("its version.py does not say what it was built for"), version_fact.source)


def duplicates_of(distributions: Iterable[Distribution]) -> Iterator[tuple[str, list[Distribution]]]:
    """Yield the projects with several distributions; conda's record of a package and its dist-info count as one."""
    named: dict[str, list[Distribution]] = {}
    for distribution in distributions:
        if distribution.kind != "conda":
            named.setdefault(distribution.name, []).append(distribution)
    yield from ((name, found) for name, found in named.items() if len(found) > 1)
