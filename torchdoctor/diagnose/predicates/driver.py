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
from torchdoctor.diagnose.text import shown

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = [
    "driver_below_build_minimum",
    "driver_below_named_cuda_minimum",
    "driver_below_pypi_build_minimum",
    "module_and_library_versions_differ",
]

_CUDA_NAMED = re.compile(r"cuda[ -]?(?:toolkit )?(?:version )?v?(\d{1,2})\.(\d)\b")


def driver_below_build_minimum(case: Evidence) -> Match | None:
    """The driver's version is below the least that the installed build needs."""
    driver, least = driver_version(case), parse_numeric_version(minimum_driver(case))
    if driver is None or least is None or driver >= least or case.first("cuda.available") == "true":
        return None
    rows = (*case.observations("nvidia.driver")[:1], *case.observations("torch.version")[:1])
    return Match(evidence=tuple(source(row) for row in rows))


def driver_below_pypi_build_minimum(case: Evidence) -> Match | None:
    """Nothing says which build it is, and the one that pip takes from PyPI needs a newer driver."""
    driver = driver_version(case)
    if driver is None or torch_build(case) is not None or operating_system(case) == "windows":
        return None
    for row in case.observations("torch.version") or case.observations("asked.torch"):
        version = version_of(row.value)
        build = pypi_build(version) if version and not version.local else None
        least = parse_numeric_version(driver_for(build, on_windows=False)) if build else None
        if least and driver < least:
            return Match(evidence=(source(case.observations("nvidia.driver")[0]), source(row)))
    return None


def driver_below_named_cuda_minimum(case: Evidence) -> Match | None:
    """No torch is named, and the CUDA that a post names needs a newer driver."""
    driver = driver_version(case)
    if driver is None or torch_build(case) is not None or case.observations("torch.version"):
        return None
    for position in case.text.find("cuda"):
        named = _CUDA_NAMED.match(case.text.lower, position)
        on_windows = operating_system(case) == "windows"
        least = (
            parse_numeric_version(driver_for(f"cu{named[1]}{named[2]}", on_windows=on_windows))
            if named
            else None
        )
        if least and driver < least:
            return Match(
                evidence=(
                    source(case.observations("nvidia.driver")[0]),
                    shown(case.text.line_at(position)[1]),
                )
            )
    return None


def module_and_library_versions_differ(case: Evidence) -> Match | None:
    """The module that is loaded has none of the versions that the driver's libraries have."""
    loaded, libraries = case.observations("nvidia.module")[:1], case.observations("nvidia.library")
    for module in loaded:
        # NVML writes 550.107 for 550.107.02.
        if libraries and not any(module.value.startswith(row.value) for row in libraries):
            return Match(evidence=(source(module), source(libraries[0])))
    return None
