"""The GPU's device nodes: stale, missing, or closed to this account."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import (
    CUDA_UNKNOWN_ERROR,
    IN_CONTAINER,
    ON_MACOS,
    ON_WINDOWS,
    SMI_WORKS,
)

__all__ = ["RULES"]

AFTER_SLEEP = contains(
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
                    any_of(
                        CUDA_UNKNOWN_ERROR,
                        contains("is_available"),
                        contains("cuda error", "cuda runtime error"),
                        all_of(fact("told.gpu_unused"), no(ON_MACOS)),
                    ),
                    AFTER_SLEEP,
                )
            ),
            possible(all_of(CUDA_UNKNOWN_ERROR, no(IN_CONTAINER), no(ON_WINDOWS))),
            hint(all_of(CUDA_UNKNOWN_ERROR, SMI_WORKS)),
            certain(
                contains(
                    "nvidia_uvm",
                    "nvidia-uvm",
                    matching=r"(?:rmmod|modprobe -r|reload\w*)(?: the)? [`']?nvidia[_-]uvm",
                )
            ),
        ),
        unless=(contains("forward compatibility was attempted"), contains("system not yet initialized")),
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
        explains=("dev-nodes-missing", "gpu-xid-hardware"),
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
            certain(contains("could not load uvm kernel module", "is nvidia-modprobe installed")),
            certain(
                contains(
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
                    contains(
                        "nvidia-modprobe", "mknod", "nvidia-uvm", "lxc", "proxmox", "headless", "chroot"
                    ),
                )
            ),
            possible(all_of(CUDA_UNKNOWN_ERROR, IN_CONTAINER)),
            hint(CUDA_UNKNOWN_ERROR),
            hint(contains("nvidia-modprobe", "mknod")),
        ),
        unless=(contains("forward compatibility was attempted"), contains("system not yet initialized")),
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
            certain(
                contains(
                    "/dev/nvidia",
                    matching=(
                        r"permission denied[^.]{0,80}/dev/nvidia|/dev/nvidia\S*\W{1,"
                        r"6}(?:permission denied|operation not permitted)|cannot open[^.]{0,"
                        r"30}/dev/nvidia[^.]{0,60}permission"
                    ),
                )
            ),
            certain(
                contains(
                    "crw-rw----",
                    matching=r"crw-rw----\S?\s[^/]{0,60}/dev/nvidia|crw-rw----[^/]{0,60}\bnvidia",
                )
            ),
            likely(
                contains(
                    "insufficient permissions",
                    matching=r"nvml: insufficient permissions|nvml[^.]{0,40}insufficient permission",
                )
            ),
            likely(
                all_of(
                    any_of(
                        contains("as root"),
                        contains("with sudo"),
                        contains("sudo"),
                        contains("for root"),
                        contains("root user"),
                    ),
                    contains("false", "no cuda", "not available", "unavailable"),
                    contains(
                        "root",
                        "sudo",
                        matching=(
                            r"(?:works?|true|available|fine|ok|detect\w*)[^.]{0,40}(?:as root"
                            r"|with sudo|using sudo|for root|under sudo|when root|\bsudo\b)|(?:as "
                            r"root|with sudo|sudo|for root)[^.]{0,50}(?:works?|true|available"
                            r"|fine)"
                        ),
                    ),
                    no(contains("/dev/kfd"), contains("rocm")),
                )
            ),
            # The same question, with and without sudo, and two answers.
            likely(
                all_of(
                    contains(
                        "sudo",
                        matching=r"\bsudo [^\n]{1,200}is_available\(\)\)?[^\w]{1,6}true\b[^$]{0,400}\bfalse\b",
                    ),
                    fact("cuda.available", "false"),
                    no(contains("/dev/kfd"), contains("rocm")),
                )
            ),
            hint(contains("video group", "group video", "nvreg_devicefilemode", "vglusers")),
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
)
