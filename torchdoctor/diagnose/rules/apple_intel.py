"""Apple's and Intel's GPUs: a backend that is built and not available."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

# Asked for of a program, not missed on a machine.
WISH = contains("is it possible", "support in the future", "any plan")

RULES = (
    Rule(
        id="mps-unavailable",
        layer=Layer.SYSTEM,
        severity="error",
        title="MPS is built in, and not available",
        explanation=(
            "The macOS is older than this torch's Metal code needs (14 for current releases), or "
            "the program runs in a virtual machine or a sandbox that hides Metal."
        ),
        signs=(
            certain(
                contains(
                    "mps backend is supported on macos",
                    "mps backend is only supported on macos",
                    "mps device is only available on macos",
                )
            ),
            certain(all_of(fact("mps.built", "true"), fact("mps.available", "false"))),
            likely(
                contains(
                    "mps",
                    matching=(
                        r"mps built\W{0,6}true[^$]{0,80}mps available\W{0,6}false|mps (?:is "
                        r"|backend is |device is )?not available|mps backend out|no "
                        r"mps (?:device|backend|support)|mps[^.]{0,20}is_available\(\)\W{0,20}false"
                        r"|mpsacc\w+ not available"
                    ),
                )
            ),
            likely(fact("mps.available", "false")),
            possible(all_of(fact("told.mps_unused"), no(WISH))),
        ),
        steps=(
            Step(text="Update macOS to 14 or newer, or take a torch that was made for this one."),
            Step(text="Run outside a virtual machine, container or sandbox: these have no Metal."),
        ),
        os=("macos",),
        find="`sw_vers -productVersion`; `sysctl kern.hv_vmm_present` prints 1 in a virtual machine.",
    ),
    Rule(
        id="xpu-unavailable",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="The Intel GPU's driver for computing is missing",
        explanation=(
            "The XPU build needs Intel's Level Zero and compute runtime, and access to the "
            "render nodes. They are missing, or another GPU is in the way."
        ),
        signs=(
            certain(
                contains(
                    "failed to initialize xpu devices",
                    "no xpu devices are available",
                    "no xpu devices",
                    "xpu device is not available",
                    "xpu is not available",
                    "can't detect any xpu",
                    "can not detect any xpu",
                )
            ),
            likely(
                all_of(
                    fact("xpu.available", "false"),
                    any_of(fact("torch.build", "xpu"), fact("intel.gpu"), fact("gpu.vendor", "intel")),
                )
            ),
            likely(
                contains(
                    "xpu",
                    matching=(
                        r"xpu[^.]{0,60}(?:is_available|device_count)\(\)\W{0,20}(?:false|0\b)"
                        r"|(?:level[- ]zero|ze_result_error|libze_)[^.]{0,80}(?:not found|error"
                        r"|missing|fail\w*|uninitialized)|xpu device count is zero"
                    ),
                )
            ),
            likely(
                contains(
                    "libze_loader.so",
                    "ze_result_error",
                    "level zero",
                    "level-zero",
                    "zeinit",
                    matching=(
                        r"libze_loader\S*: cannot open|ze_result_error|level[- ]zero[^.]{0,"
                        r"60}(?:not found|missing|fail|not installed|install)|zeinit[^.]{0,"
                        r"40}fail"
                    ),
                )
            ),
            hint(
                all_of(
                    any_of(fact("gpu.vendor", "intel"), contains("ipex", "xpu")),
                    fact("told.gpu_unused"),
                    contains("xpu", "ipex"),
                )
            ),
            possible(
                all_of(
                    contains("sycl", "oneapi", "ipex", "intel_extension_for_pytorch"),
                    contains(
                        "no device",
                        "not found",
                        "no platform",
                        "device not",
                        "unavailable",
                        "not available",
                        "no available",
                    ),
                )
            ),
        ),
        unless=(contains("_is_compiled", matching=r"_is_compiled\W{0,20}false"),),
        steps=(
            Step(
                text="Install the driver's compute part (Ubuntu), and join the group:",
                command=(
                    "sudo apt install libze1 libze-intel-gpu1 intel-opencl-icd && sudo usermod "
                    '-aG render "$USER"'
                ),
                where="admin",
                os=("linux",),
            ),
            Step(text="Install Intel's newest graphics driver, then reboot.", where="admin", os=("windows",)),
        ),
        os=("linux", "windows"),
        find='`python -c "import torch; print(torch.xpu.device_count())"`, and `clinfo -l` or `sycl-ls`.',
    ),
)
