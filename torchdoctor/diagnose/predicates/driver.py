"""The NVIDIA driver's version against what a build or a toolkit requires."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.derived import (
    driver_for,
    driver_version,
    minimum_driver,
    operating_system,
    pypi_build,
    torch_build,
    version_of,
)
from torchdoctor.diagnose.matchers import Match, source
from torchdoctor.diagnose.text import displayable

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = [
    "driver_below_build_minimum",
    "driver_below_named_cuda_minimum",
    "driver_below_pypi_build_minimum",
    "module_and_library_versions_differ",
    "named_cuda_below_pypi_build",
]

_CUDA_NAMED = re.compile(r"cuda[ -]?(?:toolkit )?(?:version )?(?:is |= ?|: ?)?v?(\d{1,2})\.(\d)\b")


def driver_below_build_minimum(evidence: Evidence) -> Match | None:
    """The driver is older than the oldest one that the installed build runs with."""
    driver, least = driver_version(evidence), parse_numeric_version(minimum_driver(evidence))
    if driver is None or least is None or driver >= least or evidence.first("cuda.available") == "true":
        return None
    versions = (*evidence.observations("nvidia.driver")[:1], *evidence.observations("torch.version")[:1])
    return Match(evidence=tuple(source(version) for version in versions))


def driver_below_pypi_build_minimum(evidence: Evidence) -> Match | None:
    """The build is not stated, and the one that pip takes from PyPI requires a newer driver."""
    driver = driver_version(evidence)
    if driver is None or torch_build(evidence) is not None or operating_system(evidence) == "windows":
        return None
    for stated in evidence.observations("torch.version") or evidence.observations("asked.torch"):
        version = version_of(stated.value)
        build = pypi_build(version) if version and not version.local else None
        least = parse_numeric_version(driver_for(build, on_windows=False)) if build else None
        if least and driver < least:
            return Match(evidence=(source(evidence.observations("nvidia.driver")[0]), source(stated)))
    return None


def named_cuda_below_pypi_build(evidence: Evidence) -> Match | None:
    """The CUDA version that a post names, as of its machine, is older than that of PyPI's build of its torch."""
    if (
        torch_build(evidence) is not None
        or driver_version(evidence)
        or operating_system(evidence) == "windows"
    ):
        return None
    for stated in evidence.observations("torch.version"):
        version = version_of(stated.value)
        build = pypi_build(version) if version and not version.local else None
        wanted = re.fullmatch(r"cu(\d{1,2})(\d)", build or "")
        for position in evidence.text.find("cuda") if wanted else ():
            named = _CUDA_NAMED.match(evidence.text.lower, position)
            if wanted and named and (int(named[1]), int(named[2])) < (int(wanted[1]), int(wanted[2])):
                return Match(evidence=(displayable(evidence.text.line_at(position)[1]), source(stated)))
    return None


def driver_below_named_cuda_minimum(evidence: Evidence) -> Match | None:
    """No torch is named, and the CUDA version that a post names requires a newer driver."""
    driver = driver_version(evidence)
    if driver is None or torch_build(evidence) is not None or evidence.observations("torch.version"):
        return None
    for position in evidence.text.find("cuda"):
        named = _CUDA_NAMED.match(evidence.text.lower, position)
        on_windows = operating_system(evidence) == "windows"
        least = (
            parse_numeric_version(driver_for(f"cu{named[1]}{named[2]}", on_windows=on_windows))
            if named
            else None
        )
        if least and driver < least:
            return Match(
                evidence=(
                    source(evidence.observations("nvidia.driver")[0]),
                    displayable(evidence.text.line_at(position)[1]),
                )
            )
    return None


def module_and_library_versions_differ(evidence: Evidence) -> Match | None:
    """The loaded kernel module has another version than the driver's libraries."""
    loaded, libraries = evidence.observations("nvidia.module")[:1], evidence.observations("nvidia.library")
    for module in loaded:
        # NVML writes 550.107 for 550.107.02.
        if libraries and not any(module.value.startswith(library.value) for library in libraries):
            return Match(evidence=(source(module), source(libraries[0])))
    return None
