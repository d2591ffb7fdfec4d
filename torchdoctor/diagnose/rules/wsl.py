"""WSL: a Linux driver inside, or a Windows that is too old."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    certain,
    contains,
    fact,
    hint,
    likely,
    possible,
    predicate,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import IN_WSL, NO_CUDA_DEVICE, NO_DRIVER, SMI_FAILED

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


_FIRST_WINDOWS = 19044


def _windows_before_21h2(case: Evidence) -> Match | None:
    """WSL on a Windows 10 before 21H2, the first that gives it the GPU.

    https://docs.nvidia.com/cuda/wsl-user-guide/index.html
    """
    if IN_WSL(case) is None:
        return None
    for position in case.text.find("version 10.0."):
        match = re.match(r"version 10\.0\.(\d{5})", case.text.lower[position : position + 24])
        if match and int(match[1]) < _FIRST_WINDOWS:
            return Match(evidence=(case.text.line_at(position)[1].strip()[:300],))
    return None


RULES = (
    Rule(
        id="wsl-linux-driver-inside",
        layer=Layer.CONTAINER,
        severity="error",
        title="A Linux driver was installed inside WSL",
        explanation=(
            "In WSL the driver is that of Windows, put in as /usr/lib/wsl/lib/libcuda.so. A "
            "Linux driver package inside hides it."
        ),
        signs=(
            likely(
                all_of(
                    IN_WSL,
                    contains(
                        "libnvidia-compute",
                        "nvidia-driver-",
                        "nvidia-utils",
                        "cuda-drivers",
                        "apt install cuda",
                        "apt-get install cuda",
                        "apt-get -y install cuda",
                        "install -y cuda",
                        "nvidia-driver",
                        "linux driver",
                        "gpu driver",
                        "nvidia driver",
                        "linux nvidia driver",
                        "libcuda.so",
                        matching=(
                            r"libnvidia-compute|nvidia-driver-\d|nvidia-utils|cuda-drivers"
                            r"|apt(?:-get)?(?: -y)? install(?: -y)? (?:nvidia-driver"
                            r"|cuda)\b(?!-toolkit)|install\w*[^.]{0,60}(?:linux|nvidia|gpu)[^.]{0,"
                            r"20} driver(?:(?!windows|host)[^.]){0,40} (?:inside|in|within|on|under) (?:wsl|the wsl"
                            r"|ubuntu)|(?:linux|nvidia) drivers? (?:inside|in|within) (?:of "
                            r")?(?:the )?wsl|/usr/lib/x86_64-linux-gnu/libcuda\.so"
                        ),
                    ),
                )
            ),
            possible(all_of(IN_WSL, NO_CUDA_DEVICE)),
            hint(all_of(IN_WSL, SMI_FAILED)),
        ),
        unless=(contains("gpu access blocked"),),
        steps=(
            Step(
                text="Take the Linux driver out of the WSL system:",
                command="sudo apt purge 'nvidia-*' 'libnvidia-*' 'cuda-drivers*' && sudo ldconfig",
            ),
            Step(text="Restart WSL, from Windows:", command="wsl --shutdown", where="host"),
            Step(
                text=(
                    "A toolkit, where one is needed at all, is the package cuda-toolkit alone "
                    "from NVIDIA's WSL-Ubuntu source."
                )
            ),
        ),
        explains=(
            "driver-missing",
            "driver-library-mismatch",
            "kernel-module-not-built",
            "cuda-visible-devices-wrong",
        ),
        os=("linux",),
        find=(
            "`ldconfig -p | grep libcuda` must show /usr/lib/wsl/lib alone; `dpkg -l "
            "'libnvidia-compute-*'` nothing."
        ),
    ),
    Rule(
        id="wsl-host-too-old",
        layer=Layer.CONTAINER,
        severity="error",
        title="WSL 1, an old WSL kernel, or an old Windows driver",
        explanation=(
            "GPUs reach WSL 2 only, with a kernel of 5.10.43 or newer and a recent driver on Windows."
        ),
        signs=(
            certain(contains("gpu access blocked by the operating system")),
            certain(
                all_of(
                    IN_WSL,
                    contains("driver not loaded", matching=r"nvml: driver not loaded|driver not loaded"),
                )
            ),
            certain(
                contains(
                    "/dev/dxg",
                    matching=(
                        r"/dev/dxg\S*\W{0,4}(?:no such|not found|missing|does not exist)|(?:no"
                        r"|missing|cannot access|without)[^.]{0,20}/dev/dxg|dxg[^.]{0,60}(?:ioctl "
                        r"failed|failed)"
                    ),
                )
            ),
            likely(
                contains(
                    "wsl 1",
                    "wsl1",
                    "wsl version 1",
                    "version: 1",
                    matching=r"\bwsl ?1\b|wsl version[: ]+1\b|running wsl1",
                )
            ),
            likely(fact("nvidia.cuda", "ERR!")),
            likely(all_of(IN_WSL, SMI_FAILED)),
            likely(all_of(IN_WSL, NO_DRIVER)),
            likely(predicate(_windows_before_21h2)),
            likely(
                all_of(IN_WSL, contains("cuda driver version is insufficient", "cudaerrorinsufficientdriver"))
            ),
            possible(
                all_of(
                    IN_WSL,
                    contains(
                        "4.4.0-",
                        "4.19.",
                        "5.4.72",
                        "5.4.51",
                        "wsl --update",
                        "wsl.exe --update",
                        "insider",
                        matching=(
                            r"4\.4\.0-\d+-microsoft|4\.19\.\d+-microsoft|5\.4\.\d+|wsl(?:\.exe)? "
                            r"--update|insider"
                        ),
                    ),
                )
            ),
        ),
        steps=(
            Step(text="Update WSL, from Windows:", command="wsl --update", where="host"),
            Step(
                text="Make the distribution a WSL 2 one, from Windows (its name is in `wsl -l -v`):",
                command="wsl --set-version Ubuntu 2",
                where="host",
            ),
            Step(text="Install the newest NVIDIA driver on Windows, and none inside WSL.", where="host"),
        ),
        explains=(
            "driver-missing",
            "driver-too-old",
            "kernel-module-not-built",
            "dev-nodes-missing",
            "driver-library-mismatch",
        ),
        os=("linux",),
        find="`wsl -l -v` and `wsl --version` on Windows; inside, `ls /dev/dxg` and `uname -r`.",
    ),
)
