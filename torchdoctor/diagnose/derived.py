"""What a case file says of the machine and the builds, as values to reason with."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from torchdoctor.core.versions import parse_numeric_version

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.diagnose.evidence import Evidence, Observation

__all__ = [
    "arch_list_of",
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
_TAGS = {
    "linux_x86_64": "linux_x86_64",
    "linux_aarch64": "linux_aarch64",
    "windows_x86_64": "win_amd64",
    "windows_arm64": "win_arm64",
    "macos_arm64": "macosx_14_0_arm64",
    "macos_x86_64": "macosx_10_15_x86_64",
}


def version_of(text: str | None) -> Version | None:
    """A version, None where there is none or it cannot be read."""
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


def torch_version(case: Evidence) -> Version | None:
    """The torch that is installed, its local part with it."""
    return version_of(case.first("torch.version"))


def torch_build(case: Evidence) -> str | None:
    """The build of the installed torch: cpu, cu126, rocm6.4, xpu; None where nothing says it."""
    if case.first("torch.build"):
        return case.first("torch.build")
    return "cpu" if case.first("torch.cuda") == "none" and case.first("torch.hip") in (None, "none") else None


def cuda_of_build(case: Evidence) -> tuple[int, int] | None:
    """The CUDA version that the installed torch was built with: (12, 6)."""
    said = parse_numeric_version(case.first("torch.cuda"))
    if said and len(said) > 1:
        return said[0], said[1]
    match = re.fullmatch(r"cu(\d{1,2})(\d)", torch_build(case) or "")
    return (int(match[1]), int(match[2])) if match else None


def driver_version(case: Evidence) -> tuple[int, ...] | None:
    """The NVIDIA driver's version by parts; the newest of its branch where the branch alone is named."""
    said = parse_numeric_version(case.first("nvidia.driver"))
    return (*said, 999) if said and len(said) == 1 else said


def minimum_driver(case: Evidence) -> str | None:
    """The oldest driver that the installed CUDA build runs with; None where nothing says which build it is."""
    build = torch_build(case)
    on_windows = operating_system(case) == "windows" or case.first("wsl") is not None
    return driver_for(build, on_windows=on_windows) if build else None


def driver_for(build: str, *, on_windows: bool) -> str | None:
    """The oldest driver that a CUDA build runs with; None for another build, or one that is not known."""
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


def operating_system(case: Evidence) -> str | None:
    """The operating system: linux (WSL too), windows or macos."""
    return "linux" if case.first("wsl") else case.first("os.system")


def python_of(case: Evidence) -> tuple[int, int] | None:
    """The Python's major and minor version."""
    said = parse_numeric_version((case.first("python.version") or "").rstrip("t"))
    return (said[0], said[1]) if said and len(said) > 1 else None


def capabilities(case: Evidence) -> tuple[tuple[tuple[int, int], Observation], ...]:
    """Each NVIDIA GPU's compute capability with the fact that says it, by its name where no number is given."""
    from wheels_index import gpu

    found: list[tuple[tuple[int, int], Observation]] = []
    for row in case.observations("nvidia.capability"):
        numbers = parse_numeric_version(row.value)
        if numbers and len(numbers) > 1:
            found.append(((numbers[0], numbers[1]), row))
    for row in case.observations("nvidia.gpu"):
        # A laptop's GPU is of the generation of the card whose name it has, and a K40m is a K40 without a fan.
        known = gpu(row.value) or gpu(re.sub(r" Laptop(?: GPU)?$|(?<=Tesla [KM]\d\d)[cmstx]$", "", row.value))
        if known is not None:
            found.append((known.compute_capability, row))
    return tuple(found)


def pypi_build(version: Version) -> str | None:
    """The build that PyPI's wheel of a release is on Linux; None where it is not known."""
    from wheels_index import bundled

    early: str | None = _early_builds()["pypi_build"]["linux"].get(f"{version.major}.{version.minor}")
    if early is not None:
        return early
    row = next((row for row in bundled().releases() if row.version.release[:2] == version.release[:2]), None)
    builds = row.platforms.get("linux_x86_64") if row else None
    return builds.pypi_default if builds else None


@functools.cache
def _early_builds() -> dict[str, Any]:
    text = Path(__file__).with_name("data").joinpath("early_builds.json").read_text("utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables


def platform_of(case: Evidence, system: str | None = None) -> str:
    """The platform's name in the tables of builds; x86_64, and Linux or `system`, where nothing else is said."""
    arm = case.first("arch") in ("aarch64", "arm64")
    system = operating_system(case) or system or "linux"
    if system == "macos":
        return "macos_x86_64" if case.first("chip") == "intel-mac" else "macos_arm64"
    if system == "windows":
        return "windows_arm64" if arm else "windows_x86_64"
    return "linux_aarch64" if arm else "linux_x86_64"


def arch_list_of(case: Evidence) -> tuple[tuple[int, int], ...] | None:
    """The compute capabilities that the installed build has code for: as printed, else from the tables."""
    from wheels_index import nearest_arch_list

    printed = re.findall(r"sm_(\d{2,3})", " ".join(case.all("torch.archs")))
    if printed:
        return tuple(sorted({(int(text[:-1]), int(text[-1])) for text in printed}))
    version, build = torch_version(case), torch_build(case)
    if version is None or build is None or not build.startswith("cu") or version < Version("2.0"):
        return None
    archs = nearest_arch_list(Version(version.public), build, platform_of(case))
    return archs.sm if archs is not None and archs.rule is None else None


def machine_of(
    case: Evidence, *, system: str | None = None, usual_driver: str | None = None
) -> Machine | None:
    """The machine that the case describes, for the resolver; `system` is used where the case does not say it.

    None where the system is known from neither. `usual_driver` stands in for an NVIDIA driver that is not said.
    """
    from torchdoctor.detect.from_options import machine_from_options
    from torchdoctor.errors import UsageError

    platform = platform_of(case, system) if operating_system(case) or system else None
    if platform is None:
        return None
    python = python_of(case)
    found = [f"{major}.{minor}" for (major, minor), _ in capabilities(case)]
    gfx = [value for value in case.all("amd.gfx") if re.fullmatch(r"gfx[0-9a-f]{3,5}", value)]
    libc = case.first("libc.version") if case.first("libc.name") != "musl" else None
    try:
        return machine_from_options(
            platform=_TAGS[platform],
            python_version=f"{python[0]}.{python[1]}" if python else _USUAL_PYTHON,
            driver=case.first("nvidia.driver")
            or _driver_of_cuda(case, system)
            or (usual_driver if found else None),
            gpus=(*dict.fromkeys(found), *(gfx if not found else ())),
            libc=f"glibc{libc}" if libc and platform.startswith("linux") else None,
        )
    except UsageError:
        return None


def _driver_of_cuda(case: Evidence, system: str | None) -> str | None:
    """The least driver that speaks the CUDA version which the driver is said to speak."""
    from wheels_index import rules

    spoken = parse_numeric_version(case.first("nvidia.cuda"))
    if not spoken:
        return None
    column = "windows" if (operating_system(case) or system) == "windows" or case.first("wsl") else "linux"
    return rules().minimum_driver.get(spoken[0], {}).get(column)
