"""A GPU that is there and not ready: NVSwitch, a laptop that switched it off, slow starts."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, background, certain, contains, fact, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import ON_NVIDIA

__all__ = ["RULES"]


RULES = (
    Rule(
        id="fabric-manager-not-running",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="The Fabric Manager is not running (GPUs joined by NVSwitch)",
        explanation=(
            "Boards with NVSwitch (HGX, DGX: A100, H100, H200, B200 SXM) need "
            "nvidia-fabricmanager of exactly the driver's version. Until it runs, CUDA says 802: "
            "system not yet initialized."
        ),
        signs=(
            certain(
                contains(
                    "system not yet initialized",
                    "cudaerrorsystemnotready",
                    "system_not_ready",
                    "cuda_error_system_not_ready",
                )
            ),
            likely(contains("error 802", "error (802)", "returned 802", "error code 802")),
            likely(
                contains(
                    "fabric manager",
                    "fabricmanager",
                    "fabric state",
                    matching=(
                        r"fabric ?manager[^.]{0,60}(?:not running|inactive|failed|mismatch|not "
                        r"installed|dead|is stopped|version)|fabric state : in progress|fabric "
                        r"manager is not"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "Install the Fabric Manager of exactly the driver's version, then start it "
                    "(Ubuntu; put your driver's branch for 570):"
                ),
                command=(
                    "sudo apt install nvidia-fabricmanager-570 && sudo systemctl enable --now "
                    "nvidia-fabricmanager"
                ),
                where="admin",
            ),
            Step(
                text="In a virtual machine the host's Fabric Manager counts: ask whoever runs it.",
                where="host",
            ),
        ),
        explains=(
            "driver-missing",
            "dev-nodes-missing",
            "cuda-visible-devices-wrong",
            "nvidia-uvm-stale-after-suspend",
        ),
        os=("linux",),
        find=(
            "`systemctl status nvidia-fabricmanager`, and `nvidia-smi -q | grep -A2 Fabric`: "
            "State must be Completed."
        ),
    ),
    Rule(
        id="hybrid-gpu-off",
        layer=Layer.HARDWARE,
        severity="error",
        title="The laptop's NVIDIA GPU is switched off",
        explanation=(
            "A laptop with two GPUs can turn the NVIDIA one off: prime-select intel, EnvyControl,"
            " supergfxctl, the energy settings or the firmware."
        ),
        signs=(
            likely(
                contains(
                    "prime-select",
                    "envycontrol",
                    "supergfxctl",
                    "optimus-manager",
                    "bumblebee",
                    "optirun",
                    "switcheroo",
                    "bbswitch",
                    matching=(
                        r"prime-select (?:intel|query|nvidia|on-demand)|envycontrol|supergfxctl"
                        r"|optimus-manager|bumblebee|optirun|switcheroo|bbswitch:? "
                        r"(?:refuses|disabling discrete|failed)|via bbswitch"
                    ),
                )
            ),
            likely(
                all_of(
                    contains("no devices were found", "no nvidia gpu", "not listed", "no 3d controller"),
                    contains("laptop", "notebook", "optimus", "hybrid", "integrated", "d3cold", "prime"),
                )
            ),
            possible(
                all_of(
                    fact("told.gpu_gone"),
                    ON_NVIDIA,
                    contains("laptop", "notebook", "笔记本"),
                    contains("torch", "cuda"),
                )
            ),
            possible(contains("d3cold", "unable to change power state from d3cold")),
            possible(
                all_of(
                    contains("no devices were found"), no(contains("xid", "rm_init_adapter", "rminitadapter"))
                )
            ),
            background(
                contains("integrated graphics", "optimus", "battery mode", "eco mode", "hybrid graphics")
            ),
        ),
        unless=(contains("driver/library version mismatch"),),
        steps=(
            Step(
                text="Switch the NVIDIA GPU on, then reboot (Ubuntu):",
                command="sudo prime-select on-demand",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "Plug in the charger, and choose the discrete or hybrid mode in the maker's "
                    "tool or the firmware, then reboot."
                )
            ),
        ),
        explains=("driver-missing", "kernel-module-not-built"),
        os=("linux", "windows"),
        find=(
            "`lspci -d 10de:` lists the card; `prime-select query` the mode; Windows: Device "
            "Manager, Display adapters."
        ),
    ),
    Rule(
        id="persistence-mode-off",
        layer=Layer.DRIVER_LIBRARY,
        severity="note",
        title="The driver is loaded anew for each program",
        explanation=(
            "Without persistence mode the driver drops its state when no program uses the GPU, "
            "and the next start takes seconds, longer with many GPUs."
        ),
        signs=(
            likely(
                contains(
                    "persistence",
                    matching=(
                        r"persistence[ -]mode[^.]{0,60}(?:off|disabled|not enabled|enable"
                        r"|on)\b[^.]{0,120}(?:slow|second|delay|start)|(?:slow|second"
                        r"|delay)[^.]{0,160}persistence|takes forever[^:]{0,80}:?[^.]{0,"
                        r"60}persistence|nvidia-persistenced[^.]{0,80}(?:slow"
                        r"|second|delay|fix|solved|help)"
                    ),
                )
            ),
            likely(
                contains(
                    "first",
                    "initial",
                    "is_available",
                    matching=(
                        r"(?:first (?:cuda|gpu|call|import|use|tensor)"
                        r"|torch\.cuda\.is_available\(\)|nvidia-smi|cuinit|\.cuda\(\)"
                        r"|initiali[sz]\w+)[^.]{0,60}takes? (?:about |around |over |up to |more "
                        r"than |~)?\d+(?:\.\d+)?\s?(?:-\s?\d+ ?)?(?:s\b|sec|second|minute)"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Keep the driver loaded:",
                command="sudo systemctl enable --now nvidia-persistenced",
                where="admin",
            ),
        ),
        os=("linux",),
        find="`nvidia-smi --query-gpu=persistence_mode --format=csv`.",
    ),
)
