"""What the evidence states about the machine and the builds, as values to compute with."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.gpu_generation import capability_of, series_capability

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.diagnose.evidence import Evidence, Observation

__all__ = [
    "arch_list_of",
    "arch_range_of",
    "capabilities",
    "cuda_of_build",
    "driver_for",
    "driver_version",
    "machine_of",
    "minimum_driver",
    "operating_system",
    "platform_of",
    "pypi_build",
    "python_of",
    "torch_build",
    "torch_version",
    "version_of",
]  # fmt: skip

_USUAL_PYTHON = "3.12"
# Intel GPUs that torch has builds for.
_ARC = re.compile(r"\barc\b")
_TAGS = {
    "linux_x86_64": "linux_x86_64",
    "linux_aarch64": "linux_aarch64",
    "windows_x86_64": "win_amd64",
    "windows_arm64": "win_arm64",
    "macos_arm64": "macosx_14_0_arm64",
    "macos_x86_64": "macosx_10_15_x86_64",
}


def version_of(text: str | None) -> Version | None:
    """Return a version, or None if there is none or it is not a version."""
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


def torch_version(evidence: Evidence) -> Version | None:
    """Return the version of the installed torch, with its local part."""
    return version_of(evidence.first("torch.version"))


def torch_build(evidence: Evidence) -> str | None:
    """Return the build of the installed torch: cpu, cu126, rocm6.4, xpu; None if nothing states it."""
    if evidence.first("torch.build"):
        return evidence.first("torch.build")
    return (
        "cpu"
        if evidence.first("torch.cuda") == "none" and evidence.first("torch.hip") in (None, "none")
        else None
    )


def cuda_of_build(evidence: Evidence) -> tuple[int, int] | None:
    """Return the CUDA version that the installed torch was built with: (12, 6)."""
    stated = parse_numeric_version(evidence.first("torch.cuda"))
    if stated and len(stated) > 1:
        return stated[0], stated[1]
    match = re.fullmatch(r"cu(\d{1,2})(\d)", torch_build(evidence) or "")
    return (int(match[1]), int(match[2])) if match else None


def driver_version(evidence: Evidence) -> tuple[int, ...] | None:
    """Return the parts of the NVIDIA driver's version; the newest of its branch if only the branch is stated."""
    numbers = parse_numeric_version(evidence.first("nvidia.driver"))
    return (*numbers, 999) if numbers and len(numbers) == 1 else numbers


def minimum_driver(evidence: Evidence) -> str | None:
    """Return the oldest driver that the installed CUDA build runs with; None if nothing states the build."""
    build = torch_build(evidence)
    on_windows = operating_system(evidence) == "windows" or evidence.first("wsl") is not None
    return driver_for(build, on_windows=on_windows) if build else None


def driver_for(build: str, *, on_windows: bool) -> str | None:
    """Return the oldest driver that a CUDA build runs with; None for another or an unknown build."""
    if not build.startswith("cu"):
        return None
    from wheels_index import UnknownVariant, variant

    system = "windows" if on_windows else "linux"
    early: str | None = _early_builds()["minimum_driver"][system].get(build)
    if early is not None:
        return early
    try:
        return variant(build).minimum_driver.get(system)
    except UnknownVariant:
        return None


def operating_system(evidence: Evidence) -> str | None:
    """Return the operating system: linux (also for WSL), windows or macos; None if nothing states it."""
    return "linux" if evidence.first("wsl") else evidence.first("os.system")


def python_of(evidence: Evidence) -> tuple[int, int] | None:
    """Return the major and minor version of the Python; None if nothing states it."""
    numbers = parse_numeric_version((evidence.first("python.version") or "").rstrip("t"))
    return (numbers[0], numbers[1]) if numbers and len(numbers) > 1 else None


def capabilities(evidence: Evidence) -> tuple[tuple[tuple[int, int], Observation], ...]:
    """Return the compute capability of each NVIDIA GPU with the fact that states the number or the GPU's name."""
    found: list[tuple[tuple[int, int], Observation]] = []
    for capability in evidence.observations("nvidia.capability"):
        numbers = parse_numeric_version(capability.value)
        if numbers and len(numbers) > 1:
            found.append(((numbers[0], numbers[1]), capability))
    for card in evidence.observations("nvidia.gpu"):
        known = capability_of(card.value)
        if known is not None:
            found.append((known, card))
    # A family is the vaguest: it counts where nothing else says what the GPU is.
    for series in evidence.observations("nvidia.series") if not found else ():
        usual = series_capability(series.value)
        if usual is not None:
            found.append((usual, series))
    return tuple(found)


def pypi_build(version: Version) -> str | None:
    """Return the build that PyPI's wheel of a release is on Linux; None if that is not known."""
    from wheels_index import bundled

    early: str | None = _early_builds()["pypi_build"]["linux"].get(f"{version.major}.{version.minor}")
    if early is not None:
        return early
    minor = version.release[:2]
    same_minor = (release for release in bundled().releases() if release.version.release[:2] == minor)
    release = next(same_minor, None)
    builds = release.platforms.get("linux_x86_64") if release else None
    return builds.pypi_default if builds else None


@functools.cache
def _early_builds() -> dict[str, Any]:
    text = Path(__file__).with_name("data").joinpath("early_builds.json").read_text("utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables


def platform_of(evidence: Evidence, system: str | None = None) -> str:
    """Return the platform's name in the tables of builds; x86_64, and Linux or `system`, if nothing else is stated."""
    arm = evidence.first("arch") in ("aarch64", "arm64")
    system = operating_system(evidence) or system or "linux"
    if system == "macos":
        return "macos_x86_64" if evidence.first("chip") == "intel-mac" else "macos_arm64"
    if system == "windows":
        return "windows_arm64" if arm else "windows_x86_64"
    return "linux_aarch64" if arm else "linux_x86_64"


def arch_list_of(evidence: Evidence) -> tuple[tuple[int, int], ...] | None:
    """Return the compute capabilities that the installed build has code for: as printed, else from the tables.

    None for a build without them, or one that nothing states.
    """
    from wheels_index import nearest_arch_list

    printed = re.findall(r"sm_(\d{2,3})", " ".join(evidence.all("torch.archs")))
    if printed:
        return tuple(sorted({(int(text[:-1]), int(text[-1])) for text in printed}))
    version, build = torch_version(evidence), torch_build(evidence)
    if version is None or build is None or not build.startswith("cu") or version < Version("2.0"):
        return None
    archs = nearest_arch_list(Version(version.public), build, platform_of(evidence))
    return archs.sm if archs is not None and archs.rule is None else None


def arch_range_of(evidence: Evidence) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the least and the greatest compute capability of the installed build, as torch's warning prints them."""
    numbers = [
        (int(major), int(minor))
        for major, minor in re.findall(r"(\d{1,2})\.(\d)", evidence.first("torch.arch_range") or "")
    ]
    return (numbers[0], numbers[-1]) if numbers else None


def machine_of(
    evidence: Evidence, *, system: str | None = None, usual_driver: str | None = None
) -> Machine | None:
    """Return the machine that the evidence describes, for the resolver; `system` is used if it states none.

    None if the system is known from neither. `usual_driver` is used for an NVIDIA driver that is not stated.
    """
    from torchdoctor.detect import machine_from_options
    from torchdoctor.errors import UsageError

    platform = platform_of(evidence, system) if operating_system(evidence) or system else None
    if platform is None:
        return None
    python = python_of(evidence)
    found = [f"{major}.{minor}" for (major, minor), _ in capabilities(evidence)]
    gfx = [value for value in evidence.all("amd.gfx") if re.fullmatch(r"gfx[0-9a-f]{3,5}", value)]
    arc = (
        ("Intel Arc",) if evidence.first("gpu.vendor") == "intel" and _ARC.search(evidence.text.lower) else ()
    )
    libc = evidence.first("libc.version") if evidence.first("libc.name") != "musl" else None
    try:
        return machine_from_options(
            platform=_TAGS[platform],
            python_version=f"{python[0]}.{python[1]}" if python else _USUAL_PYTHON,
            driver=evidence.first("nvidia.driver")
            or _driver_of_cuda(evidence, system)
            or (usual_driver if found else None),
            gpus=(
                *dict.fromkeys(found),
                *(gfx if not found else ()),
                *(arc if not found and not gfx else ()),
            ),
            libc=f"glibc{libc}" if libc and platform.startswith("linux") else None,
        )
    except UsageError:
        return None


def _driver_of_cuda(evidence: Evidence, system: str | None) -> str | None:
    """Return the oldest driver that supports the CUDA version which the driver is stated to support."""
    from wheels_index import rules

    supported = parse_numeric_version(evidence.first("nvidia.cuda"))
    if not supported:
        return None
    column = (
        "windows" if (operating_system(evidence) or system) == "windows" or evidence.first("wsl") else "linux"
    )
    return rules().minimum_driver.get(supported[0], {}).get(column)
