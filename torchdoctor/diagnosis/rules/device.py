"""The GPU as a program meets it: device nodes, permissions, visibility, slices, compute modes, NVSwitch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import (
    CUDA_UNKNOWN_ERROR,
    IN_CONTAINER,
    IN_WSL,
    NO_CUDA_DEVICE,
    ON_WINDOWS,
    SMI_WORKS,
)
from torchdoctor.diagnosis.signs import (
    Seen,
    all_of,
    any_of,
    fact,
    hint,
    likely,
    no,
    possible,
    says,
    source,
    sure,
    test,
)

if TYPE_CHECKING:
    from torchdoctor.diagnosis.case_file import CaseFile
    from torchdoctor.diagnosis.signs import Test

__all__ = ["RULES"]

AFTER_SLEEP = says(
    "suspend",
    "hibernat",
    "resume",
    "sleep",
    "wake",
    "woke",
    "closing the lid",
    "closed the lid",
    matching=(
        r"\b(?:after|from|since|when|following|every|upon|until|into|on|to)\b[^.]{0,60}(?:suspend"
        r"|hibernat|resum|sleep|wak|woke)|suspend|hibernat|wak(?:e|ing) ?up|pm: (?:suspend"
        r"|resume)|lid\b"
    ),
)
HIDDEN_BY_CODE = says(
    "cuda_visible_devices",
    matching=(
        r"cuda_visible_devices['\"\]]{0,3}\s?[=:]\s?(?:['\"](?:-1|\d+(?:,\d+)*|nodevfiles|)['\"]"
        r"|-1\b|[1-9]\d?\b|$)|(?:set|export|unset|wrong|empty|remove|removing|because of|due to) "
        r"(?:the )?cuda_visible_devices"
    ),
)


def _hidden(case: CaseFile) -> Seen | None:
    """The variable is empty, -1, or names an index that no GPU has."""
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"):
        for row in case.of(f"env.{name}"):
            if row.value.strip("'\" ") in ("", "-1", "NoDevFiles", "none", "void"):
                return Seen(evidence=(source(row),))
            count = len(
                [
                    line
                    for line in case.text.lines
                    if re.match(r"\s*(?:GPU \d+: |\|\s+\d+\s+(?:NVIDIA|Tesla|GeForce))", line)
                ]
            )
            wanted = (
                [int(text) for text in re.findall(r"\d+", row.value)]
                if re.fullmatch(r"[\d, ]+", row.value)
                else []
            )
            if count and wanted and max(wanted) >= count:
                return Seen(evidence=(source(row),))
    return None


def _memory_used(share: float) -> Test:
    """A test: more than this share of a GPU's memory is used according to nvidia-smi."""

    def look(case: CaseFile) -> Seen | None:
        for row in case.of("nvidia.memory"):
            used, _, total = row.value.partition("/")
            if int(total) and int(used) / int(total) > share:
                return Seen(evidence=(source(row),))
        return None

    return look


RULES = (
    Rule(
        id="nvidia-uvm-stale-after-suspend",
        layer=Layer.DEVICE_NODES,
        severity="error",
        title="The nvidia_uvm module does not work any more since the machine slept",
        explanation=(
            "CUDA needs the module nvidia_uvm besides nvidia. After suspend and resume it may "
            "not come back: nvidia-smi works, and every CUDA program fails with an unknown error "
            "(999)."
        ),
        signs=(
            likely(
                all_of(
                    any_of(CUDA_UNKNOWN_ERROR, says("is_available"), says("cuda error: unknown")), AFTER_SLEEP
                )
            ),
            possible(all_of(CUDA_UNKNOWN_ERROR, no(IN_CONTAINER), no(ON_WINDOWS))),
            hint(all_of(CUDA_UNKNOWN_ERROR, SMI_WORKS)),
            sure(says("nvidia_uvm", "nvidia-uvm", matching=r"(?:rmmod|modprobe -r|reload\w*) nvidia[_-]uvm")),
        ),
        unless=(says("forward compatibility was attempted"), says("system not yet initialized")),
        steps=(
            Step(
                text="Load the module anew, with no CUDA program running:",
                command="sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm",
                where="admin",
            ),
            Step(
                text="To keep it working, let the driver save its memory over suspend:",
                command=(
                    "echo 'options nvidia NVreg_PreserveVideoMemoryAllocations=1' | sudo tee "
                    "/etc/modprobe.d/nvidia-suspend.conf && sudo systemctl enable nvidia-suspend "
                    "nvidia-resume nvidia-hibernate"
                ),
                where="admin",
            ),
            Step(text="If the module is in use and cannot be removed, reboot."),
        ),
        explains=("dev-nodes-missing",),
        os=("linux",),
        find=(
            "`nvidia-smi` works and cuInit returns 999; `journalctl -b | grep 'PM: suspend'` "
            "shows that the machine slept."
        ),
    ),
    Rule(
        id="dev-nodes-missing",
        layer=Layer.DEVICE_NODES,
        severity="error",
        title="The device nodes /dev/nvidia* are missing",
        explanation=(
            "CUDA opens /dev/nvidiactl, /dev/nvidia0 and /dev/nvidia-uvm. On a machine without a "
            "desktop, in podman, LXC or a chroot nobody makes them, or they were not passed in."
        ),
        signs=(
            sure(says("could not load uvm kernel module", "is nvidia-modprobe installed")),
            sure(
                says(
                    "/dev/nvidia",
                    "nvidia-uvm",
                    matching=(
                        r"(?:cannot access|no such (?:file|device)|does not exist|missing|not "
                        r"exist|could not open|no such file or directory)[^.]{0,60}/dev/nvidia"
                        r"|/dev/nvidia[\w*-]*\W{0,4}(?:no such file|(?:is|was|are|were) "
                        r"(?:missing|not)|not found|missing|does not exist)|(?:no|without|missing"
                        r"|not have|lacks?)[^.]{0,16}(?:nvidia-uvm|/dev/nvidia)"
                    ),
                )
            ),
            likely(
                all_of(
                    CUDA_UNKNOWN_ERROR,
                    says("nvidia-modprobe", "mknod", "nvidia-uvm", "lxc", "proxmox", "headless", "chroot"),
                )
            ),
            possible(all_of(CUDA_UNKNOWN_ERROR, IN_CONTAINER)),
            hint(CUDA_UNKNOWN_ERROR),
            hint(says("nvidia-modprobe", "mknod")),
        ),
        unless=(says("forward compatibility was attempted"), says("system not yet initialized")),
        steps=(
            Step(
                text="Make the nodes and load nvidia-uvm:",
                command="sudo nvidia-modprobe -c 0 -u",
                where="admin",
            ),
            Step(
                text="For every start, enable the persistence daemon:",
                command="sudo systemctl enable --now nvidia-persistenced",
                where="admin",
            ),
            Step(
                text=(
                    "In LXC, podman or a container pass all of /dev/nvidia0, /dev/nvidiactl and "
                    "/dev/nvidia-uvm in, best through the NVIDIA Container Toolkit."
                ),
                where="host",
            ),
        ),
        os=("linux",),
        find="`ls -l /dev/nvidia*` must list nvidia0, nvidiactl and nvidia-uvm.",
    ),
    Rule(
        id="nvidia-device-permission",
        layer=Layer.DEVICE_NODES,
        severity="error",
        title="This account may not open the GPU's device nodes",
        explanation=(
            "The nodes belong to a group, or a scheduler's cgroup hides them from processes that "
            "did not ask for a GPU."
        ),
        signs=(
            sure(
                says(
                    "/dev/nvidia",
                    matching=(
                        r"permission denied[^.]{0,80}/dev/nvidia|/dev/nvidia\S*\W{1,"
                        r"6}(?:permission denied|operation not permitted)|cannot open[^.]{0,"
                        r"30}/dev/nvidia[^.]{0,60}permission"
                    ),
                )
            ),
            sure(
                says(
                    "crw-rw----",
                    matching=r"crw-rw----\S?\s[^/]{0,60}/dev/nvidia|crw-rw----[^/]{0,60}\bnvidia",
                )
            ),
            likely(
                says(
                    "insufficient permissions",
                    matching=r"nvml: insufficient permissions|nvml[^.]{0,40}insufficient permission",
                )
            ),
            likely(
                all_of(
                    any_of(
                        says("as root"), says("with sudo"), says("sudo"), says("for root"), says("root user")
                    ),
                    says("false", "no cuda", "not available", "unavailable"),
                    says(
                        "root",
                        "sudo",
                        matching=(
                            r"(?:works?|true|available|fine|ok|detect\w*)[^.]{0,40}(?:as root"
                            r"|with sudo|using sudo|for root|under sudo|when root|\bsudo\b)|(?:as "
                            r"root|with sudo|sudo|for root)[^.]{0,50}(?:works?|true|available"
                            r"|fine)"
                        ),
                    ),
                    no(says("/dev/kfd"), says("rocm")),
                )
            ),
            hint(says("video group", "group video", "nvreg_devicefilemode", "vglusers")),
        ),
        steps=(
            Step(
                text="Add the account to the nodes' group (here video), then log in again:",
                command='sudo usermod -aG video "$USER"',
                where="admin",
            ),
            Step(text="On a cluster ask the scheduler for a GPU, for example `srun --gres=gpu:1`."),
        ),
        os=("linux",),
        find="`ls -l /dev/nvidia*` shows mode and group; `id` the groups of this account.",
    ),
    Rule(
        id="cuda-visible-devices-wrong",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="CUDA_VISIBLE_DEVICES hides the GPU, or an index names one that is not there",
        explanation=(
            "The variable is empty, -1, holds an index that this machine does not have, or code "
            "asks for a device that it leaves no place for. Scripts often carry the index of "
            "their author's machine."
        ),
        signs=(
            sure(test(_hidden)),
            likely(says("no cuda gpus are available", "no hip gpus are available")),
            likely(says("invalid device ordinal", "invalid device id", "cudaerrorinvaliddevice")),
            likely(
                says(
                    "attempting to deserialize object on cuda device",
                    matching=r"on cuda device \d+ but torch\.cuda\.device_count\(\) is \d",
                )
            ),
            likely(
                all_of(
                    HIDDEN_BY_CODE,
                    any_of(
                        fact("cuda.available", "false"),
                        says("is_available"),
                        NO_CUDA_DEVICE,
                        says("no cuda"),
                        says("device_count"),
                    ),
                )
            ),
            possible(all_of(NO_CUDA_DEVICE, HIDDEN_BY_CODE)),
            hint(all_of(NO_CUDA_DEVICE, no(IN_WSL), no(IN_CONTAINER))),
            hint(HIDDEN_BY_CODE),
        ),
        unless=(
            says("system not yet initialized"),
            says("mig-", matching=r"mig-(?:gpu-)?[0-9a-f]{6}"),
            says("gpu access blocked"),
        ),
        steps=(
            Step(
                text="Look at the variable, and start without it:",
                command="unset CUDA_VISIBLE_DEVICES",
                os=("linux",),
            ),
            Step(
                text="Remove the variable, in this PowerShell:",
                command="Remove-Item Env:CUDA_VISIBLE_DEVICES",
                os=("windows",),
            ),
            Step(
                text=(
                    "Look for `os.environ['CUDA_VISIBLE_DEVICES']`, `device_ids` and `cuda:1` in "
                    "the code; indices count from 0 among the visible GPUs."
                )
            ),
        ),
        os=("linux", "windows"),
        find=(
            '`nvidia-smi -L` lists the GPUs; `python -c "import os; '
            "print(os.environ.get('CUDA_VISIBLE_DEVICES'))\"` what is left of them."
        ),
    ),
    Rule(
        id="mig-not-selected",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="The GPU is split (MIG), and no slice is chosen",
        explanation=(
            "With MIG on, a process sees one slice, named by its UUID. Plain indices and several "
            "GPUs at once do not work, and without an instance there is nothing to see."
        ),
        signs=(
            likely(
                all_of(
                    any_of(
                        fact("nvidia.mig"),
                        says("mig-", matching=r"mig-(?:gpu-)?[0-9a-f]{6,}"),
                        says(
                            "mig mode",
                            "mig is enabled",
                            "mig enabled",
                            "mig partition",
                            "mig instance",
                            "mig slice",
                            "mig device",
                            "with mig",
                            "nvidia mig",
                            "1g.5gb",
                            "1g.10gb",
                            "2g.10gb",
                            "3g.20gb",
                            "3g.40gb",
                        ),
                    ),
                    any_of(
                        says("num_gpus", "device_count", "invalid device", "internal assert"),
                        NO_CUDA_DEVICE,
                        fact("cuda.available", "false"),
                        says("no cuda gpus", "is_available", "error"),
                    ),
                )
            ),
            possible(says("device < num_gpus", "device >= 0 && device < num_gpus")),
            likely(says("no mig devices found", "no mig-enabled")),
            hint(says("invalid device ordinal")),
        ),
        steps=(
            Step(
                text="Choose the first slice, before Python starts:",
                command="export CUDA_VISIBLE_DEVICES=\"$(nvidia-smi -L | grep -o 'MIG-[^)]*' | head -n 1)\"",
                os=("linux",),
            ),
            Step(
                text=(
                    "If `nvidia-smi -L` lists no slice, make one, or turn MIG off with `nvidia-smi -mig 0`."
                ),
                where="admin",
            ),
        ),
        explains=("cuda-visible-devices-wrong",),
        os=("linux",),
        find=(
            "`nvidia-smi -L` lists the slices as MIG-…; `nvidia-smi --query-gpu=mig.mode.current "
            "--format=csv` the mode."
        ),
    ),
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
            sure(
                says(
                    "system not yet initialized",
                    "cudaerrorsystemnotready",
                    "system_not_ready",
                    "cuda_error_system_not_ready",
                )
            ),
            likely(says("error 802", "error (802)", "returned 802", "error code 802")),
            likely(
                says(
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
        id="exclusive-compute-mode",
        layer=Layer.DEVICE_NODES,
        severity="error",
        title="The GPU takes one process only, and another one has it",
        explanation=(
            "In the compute mode Exclusive a second process is refused, in Prohibited every one. "
            "Clusters set it."
        ),
        signs=(
            likely(
                says(
                    "devices are busy or unavailable",
                    "device(s) is/are busy",
                    "devicesunavailable",
                    "cudaerrordevicesunavailable",
                    "cudaerrordevicealreadyinuse",
                )
            ),
            sure(
                all_of(
                    fact("nvidia.compute_mode", r"E\. Process|E\. Thread|Exclusive_Process"),
                    says("busy", "unavailable", "error"),
                )
            ),
            sure(fact("nvidia.compute_mode", "Prohibited")),
            likely(
                says(
                    "compute mode",
                    "compute-mode",
                    "exclusive_process",
                    "exclusive process",
                    matching=r"exclusive|prohibited|e\. process",
                )
            ),
            possible(fact("nvidia.compute_mode", r"E\. Process|E\. Thread|Exclusive_Process")),
        ),
        steps=(
            Step(
                text=(
                    "See who has the GPU: `nvidia-smi` lists the processes. Wait for it, or "
                    "choose another GPU."
                )
            ),
            Step(
                text="Let several processes share the GPU again:",
                command="sudo nvidia-smi -c 0",
                where="admin",
            ),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi --query-gpu=compute_mode --format=csv` must say Default.",
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
                says(
                    "prime-select",
                    "envycontrol",
                    "supergfxctl",
                    "optimus-manager",
                    "bumblebee",
                    "optirun",
                    "switcheroo",
                    matching=(
                        r"prime-select (?:intel|query|nvidia|on-demand)|envycontrol|supergfxctl"
                        r"|optimus-manager|bumblebee|optirun|switcheroo"
                    ),
                )
            ),
            likely(
                all_of(
                    says("no devices were found", "no nvidia gpu", "not listed", "no 3d controller"),
                    says("laptop", "notebook", "optimus", "hybrid", "integrated", "d3cold", "prime"),
                )
            ),
            possible(says("d3cold", "unable to change power state from d3cold")),
            possible(
                all_of(says("no devices were found"), no(says("xid", "rm_init_adapter", "rminitadapter")))
            ),
            hint(says("integrated graphics", "optimus", "battery mode", "eco mode", "hybrid graphics")),
        ),
        unless=(says("driver/library version mismatch"),),
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
        id="gpu-memory-held-by-others",
        layer=Layer.RUNTIME,
        severity="warning",
        title="The GPU's memory is taken, by another process or by this one",
        explanation=(
            "CUDA ran out of memory. When the message names little memory in use by this process "
            "while almost none is free, another process, a notebook left open or a worker that "
            "did not end holds it."
        ),
        signs=(
            likely(
                says(
                    "cuda out of memory",
                    "outofmemoryerror",
                    "out of memory. tried to allocate",
                    "cuda error: out of memory",
                    "hip out of memory",
                    "cublas_status_alloc_failed",
                    "cuda_error_out_of_memory",
                    "显存不足",
                )
            ),
            likely(says("process", matching=r"process \d+ has [\d.]+ [gm]ib memory in use")),
            hint(_memory_used(0.9)),
            likely(
                all_of(
                    _memory_used(0.25),
                    says(
                        "no running processes found",
                        "ctrl-c",
                        "ctrl+c",
                        "ctrl c",
                        "keyboardinterrupt",
                        "was stopped",
                        "was killed",
                        "after killing",
                        "zombie",
                        "still occupied",
                        "still held",
                        "still in use",
                        "not released",
                        "not freed",
                        "does not free",
                        "doesn't free",
                        "is not free",
                        "after the script",
                        "after training",
                        "crashed",
                    ),
                )
            ),
            possible(
                says(
                    "memory",
                    matching=(
                        r"(?:gpu|video|cuda)? ?memory (?:is |was )?(?:still|not) (?:\w+ "
                        r")?(?:occupied|held|used|in use|released|freed|free)|(?:zombie|orphan"
                        r"|defunct)\w* (?:python )?process"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="See which process holds the memory, and whose it is:",
                command="nvidia-smi --query-compute-apps=pid,used_memory,name --format=csv",
            ),
            Step(
                text=(
                    "End your own forgotten notebooks and workers in a proper way (shut the "
                    "kernel down); ask the owner about another one's."
                )
            ),
            Step(text="If all of it is yours: a smaller batch, a lower precision, or another GPU."),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi` shows used and free memory before your program starts.",
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
                says(
                    "persistence",
                    matching=(
                        r"persistence[ -]mode[^.]{0,60}(?:off|disabled|not enabled|enable"
                        r"|on)\b[^.]{0,120}(?:slow|second|delay|start)|(?:slow|second"
                        r"|delay)[^.]{0,160}persistence|nvidia-persistenced[^.]{0,80}(?:slow"
                        r"|second|delay|fix|solved|help)"
                    ),
                )
            ),
            likely(
                says(
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
