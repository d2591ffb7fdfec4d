"""The NVIDIA driver: not there, too old, not the one whose module is loaded."""

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
from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    certain,
    contains,
    fact,
    hint,
    likely,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import CUDA_UNAVAILABLE, GPU_UNUSED, NO_DRIVER
from torchdoctor.diagnose.text import shown

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]

_CUDA_NAMED = re.compile(r"cuda[ -]?(?:toolkit )?(?:version )?v?(\d{1,2})\.(\d)\b")


def _build_needs_more(case: Evidence) -> Match | None:
    """The driver's version is below the least that the installed build needs."""
    driver, least = driver_version(case), parse_numeric_version(minimum_driver(case))
    if driver is None or least is None or driver >= least or case.first("cuda.available") == "true":
        return None
    rows = (*case.observations("nvidia.driver")[:1], *case.observations("torch.version")[:1])
    return Match(evidence=tuple(source(row) for row in rows))


def _usual_build_needs_more(case: Evidence) -> Match | None:
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


def _toolkit_needs_more(case: Evidence) -> Match | None:
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


def _two_versions(case: Evidence) -> Match | None:
    """The module that is loaded has none of the versions that the driver's libraries have."""
    loaded, libraries = case.observations("nvidia.module")[:1], case.observations("nvidia.library")
    for module in loaded:
        # NVML writes 550.107 for 550.107.02.
        if libraries and not any(module.value.startswith(row.value) for row in libraries):
            return Match(evidence=(source(module), source(libraries[0])))
    return None


RULES = (
    Rule(
        id="driver-too-old",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="The NVIDIA driver is older than this torch's CUDA",
        explanation=(
            "A build of a CUDA major version needs a driver of at least that major: CUDA 11 "
            "needs 450.80, CUDA 12 needs "
            "525.60, CUDA 13 needs 580. `found version 11040` means that the driver speaks CUDA 11.4."
        ),
        details=("torch {torch}+{build} needs driver {minimum_driver} or newer; this machine has {driver}.",),
        signs=(
            certain(
                contains(
                    "driver on your system is too old", "gpu driver is too old", "nvidia driver is too old"
                )
            ),
            certain(contains("cuda driver version is insufficient", "cudaerrorinsufficientdriver")),
            certain(contains("unsatisfied condition: cuda", "unsatisfied condition: driver")),
            certain(
                contains("unsupported toolchain", matching=r"ptx was compiled with an unsupported toolchain")
            ),
            certain(contains("驱动程序", matching=r"驱动程序.{0,12}(?:过旧|太旧|版本过低)")),
            likely(predicate(_build_needs_more)),
            likely(all_of(predicate(_usual_build_needs_more), CUDA_UNAVAILABLE)),
            possible(
                all_of(
                    predicate(_toolkit_needs_more),
                    any_of(CUDA_UNAVAILABLE, GPU_UNUSED, contains("is_available")),
                )
            ),
            likely(all_of(fact("told.driver_old"), any_of(GPU_UNUSED, contains("found version")))),
            hint(fact("told.driver_old")),
            possible(
                contains(
                    "unsupportedptxversion",
                    "unsupported_ptx_version",
                    "api call is not supported in the installed cuda driver",
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "Update the NVIDIA driver to {minimum_driver} or newer, from your "
                    "distribution or nvidia.com."
                ),
                where="admin",
                otherwise=Step(
                    text="Update the NVIDIA driver: 580 or newer runs every build there is.", where="admin"
                ),
            ),
            Step(
                text="Or keep the driver and install a build of an older CUDA that it can run:",
                command="{right_install}",
                otherwise=Step(
                    text="Or keep the driver and let the resolver choose a build that it can run:",
                    command="torchdoctor resolve --format pip",
                ),
            ),
        ),
        explains=("gpu-arch-too-new", "driver-missing"),
        os=("linux", "windows"),
        find="Compare the driver's version in `nvidia-smi` with the least one of the installed build.",
    ),
    Rule(
        id="driver-library-mismatch",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="The loaded NVIDIA module and the driver's libraries are of two versions",
        explanation=(
            "The driver packages were upgraded, often by an automatic update, while the old "
            "kernel module stayed loaded. "
            "Module and libraries must be of exactly one version."
        ),
        signs=(
            certain(
                contains(
                    "driver/library version mismatch",
                    "driver/library mismatch",
                    "driver_library_version_mismatch",
                    "lib_rm_version_mismatch",
                )
            ),
            certain(
                contains(
                    "unsupported display driver / cuda driver combination",
                    "systemdrivermismatch",
                    "system_driver_mismatch",
                )
            ),
            likely(predicate(_two_versions)),
            possible(
                all_of(
                    fact("told.driver_updated"),
                    contains("torch"),
                    any_of(GPU_UNUSED, fact("told.driver_gone"), contains("break", "broke", "stop", "坏")),
                )
            ),
            certain(
                contains("api mismatch", matching=r"nvrm: api mismatch|api mismatch: the (?:client|kernel)")
            ),
        ),
        steps=(
            Step(
                text="Reboot: the module that fits the libraries is loaded then.",
                command="sudo reboot",
                where="admin",
            ),
            Step(
                text="Or, with no program on the GPU, load the module anew:",
                command="sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe nvidia",
                where="admin",
            ),
            Step(
                text=(
                    "To keep it from coming back, hold the driver packages or plan their updates "
                    "with a reboot."
                )
            ),
        ),
        explains=(
            "driver-missing",
            "dev-nodes-missing",
            "nvidia-uvm-stale-after-suspend",
            "kernel-module-not-built",
        ),
        os=("linux",),
        find=(
            "`cat /proc/driver/nvidia/version` shows the loaded module; `ls "
            "/usr/lib/*/libnvidia-ml.so.*` the library."
        ),
    ),
    Rule(
        id="driver-missing",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="No NVIDIA driver is installed",
        explanation=(
            "torch looks for the driver's library and finds none. A CUDA toolkit or a wheel does "
            "not bring it: the driver is the system's."
        ),
        signs=(
            likely(NO_DRIVER),
            possible(
                contains(
                    "nvidia-smi",
                    matching=(
                        r"nvidia-smi\W{0,4}(?:: )?(?:command )?not found|'nvidia-smi' is not "
                        r"recognized|'nvidia-smi' 不是内部或外部命令|term 'nvidia-smi' is not "
                        r"recognized|command 'nvidia-smi' not found|nvidia-smi: 未找到命令|no "
                        r"such file[^.]{0,20}nvidia-smi"
                    ),
                )
            ),
            possible(
                contains(
                    "libcuda.so.1: cannot open",
                    "libcuda.so: cannot open",
                    "nvcuda.dll",
                    "libnvidia-ml.so.1: cannot open",
                    "nvml shared library not found",
                    matching=r"cannot open|not found|could not load|找不到",
                )
            ),
            possible(
                contains(
                    "nvidia driver",
                    matching=(
                        r"(?:can(?:no|')?t|can not|could ?n[o']t|could not|unable to) (?:find|locate|load) "
                        r"(?:the |an? |any )?nvidia drivers?|nvidia drivers? (?:was|were|got|is|are|has been"
                        r"|have been) (?:replaced|removed|uninstalled|overwritten|deleted|gone)"
                    ),
                )
            ),
            hint(
                contains(
                    "no driver",
                    "without driver",
                    "driver is not installed",
                    "drivers are not installed",
                    "no nvidia driver",
                    "driver not installed",
                )
            ),
        ),
        steps=(
            Step(
                text="Install the driver (Ubuntu), then reboot:",
                command="sudo ubuntu-drivers install && sudo reboot",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "On other distributions take the driver from their repository or from "
                    "NVIDIA's; then reboot."
                ),
                where="admin",
                os=("linux",),
            ),
            Step(
                text="Install the newest driver for this GPU from nvidia.com, then reboot.",
                where="admin",
                os=("windows",),
            ),
            Step(
                text=(
                    "Without an NVIDIA GPU, use the build for the GPU that is there, or the CPU "
                    "build: `torchdoctor resolve` names it."
                )
            ),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi` must print a table; `lspci -d 10de:` (Linux) shows whether there is a card.",
    ),
)
