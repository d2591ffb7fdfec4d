"""AMD GPUs: no driver for computing, no permission."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, certain, contains, likely, no
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import ON_NVIDIA, ON_ROCM

__all__ = ["RULES"]


RULES = (
    Rule(
        id="rocm-driver-missing",
        layer=Layer.KERNEL_MODULE,
        severity="error",
        title="The amdgpu driver for computing (KFD) is not there",
        explanation=(
            "ROCm talks to the GPU through /dev/kfd, which the amdgpu kernel module makes. The "
            "module is not loaded, the kernel has no KFD, or the driver's build failed."
        ),
        signs=(
            certain(
                contains(
                    "rock module is not loaded",
                    "no amd gpu",
                    "no rocm-capable device",
                    "hiperrornodevice",
                    "no hip gpus are available",
                    "no rocm gpu",
                    "hip error: no rocm",
                    matching=(
                        r"rock module is not loaded|hiperrornodevice|no rocm-capable device|no "
                        r"(?:amd|rocm|hip) gpus?(?: are| is)? (?:available|detected|found)"
                    ),
                )
            ),
            certain(
                contains(
                    "/dev/kfd",
                    matching=(
                        r"/dev/kfd(?: read-write)?\W{0,4}(?:: )?(?:no such file|does not exist|not found|missing"
                        r"|is not there|doesn't exist)|(?:no|missing|cannot access|without"
                        r"|lacks?)[^.]{0,20}/dev/kfd"
                    ),
                )
            ),
            likely(
                all_of(
                    contains("amdgpu"),
                    contains(
                        "dkms",
                        "modprobe",
                        "blacklist",
                        "not loaded",
                        "failed to load",
                        "amdgpu-dkms",
                        "amdgpu-install",
                        "failed to build",
                        matching=(
                            r"amdgpu[^.]{0,100}(?:dkms|not loaded|failed|missing|blacklist|not "
                            r"found)|(?:dkms|modprobe)[^.]{0,60}amdgpu"
                        ),
                    ),
                )
            ),
        ),
        unless=(
            contains("permission denied", matching=r"kfd[^\n]{0,60}permission denied"),
            all_of(ON_NVIDIA, no(contains("/dev/kfd"))),
        ),
        steps=(
            Step(
                text="Load the module, and look for what it says:",
                command="sudo modprobe amdgpu && sudo dmesg | grep -i -E 'amdgpu|kfd'",
                where="admin",
            ),
            Step(text="Install a recent kernel, or AMD's amdgpu-dkms package, then reboot.", where="admin"),
            Step(
                text="In a container give it the devices:",
                command=(
                    "docker run --device=/dev/kfd --device=/dev/dri --group-add video "
                    "--group-add render IMAGE"
                ),
                where="host",
            ),
        ),
        explains=("driver-missing", "cuda-visible-devices-wrong", "wrong-vendor-build"),
        os=("linux",),
        find="`ls -l /dev/kfd`, `lsmod | grep amdgpu`, and `rocminfo`.",
    ),
    Rule(
        id="rocm-permission",
        layer=Layer.DEVICE_NODES,
        severity="error",
        title="This account may not open /dev/kfd or /dev/dri",
        explanation=(
            "The nodes belong to the groups render and video. The account is not in them, or the "
            "container was started without the devices and groups."
        ),
        signs=(
            certain(
                contains(
                    "/dev/kfd",
                    "/dev/dri",
                    "renderd1",
                    " kfd",
                    matching=(
                        r"(?:/dev/kfd|/dev/dri\S*|renderd\d+)[^\n]{0,80}(?:permission denied|not "
                        r"permitted|read-write(?!: no such file))|(?:permission denied|not permitted"
                        r"|unable to open|failed to open)[^\n]{0,80}(?:/dev/kfd|/dev/dri|renderd)"
                        r"(?! read-write: no such file)"
                        r"|\bcrw-------[^\n]{0,80}\bkfd\b"
                    ),
                )
            ),
            likely(
                all_of(
                    ON_ROCM,
                    contains(
                        "render group",
                        "group render",
                        "video group",
                        "usermod",
                        "group-add",
                        "render,video",
                        "video,render",
                        "groups",
                        "in the render",
                        "not in the",
                    ),
                    contains(
                        "render",
                        "video",
                        matching=(
                            r"(?:usermod|group)[^.]{0,60}(?:render|video)|(?:render|video)[^.]{0,"
                            r"30}group"
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    ON_ROCM,
                    contains("as root", "with sudo", "sudo"),
                    contains("false", "not available", "no gpu", "permission"),
                    contains(
                        "root",
                        "sudo",
                        matching=(
                            r"(?:works?|true|available|fine|sees?)[^.]{0,40}(?:root|sudo)|(?:root"
                            r"|sudo)[^.]{0,50}(?:works?|true|available|fine)"
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    ON_ROCM,
                    contains(
                        "account",
                        "user",
                        matching=(
                            r"\b(?:accounts?|users?)\b[^\n]{0,160}\b(?:true|works?|fine)\b[^.\n]{0,60}"
                            r"\b(?:doesn't|does not|not|false|fails?)\b"
                        ),
                    ),
                )
            ),
            likely(
                contains(
                    "user is not a member",
                    'is not member of "render"',
                    "not a member of",
                    matching=r"not (?:a )?member of \W?(?:render|video|the default dri group)|not member of",
                )
            ),
        ),
        unless=(
            all_of(
                contains("rock module is not loaded"),
                contains("/dev/kfd read-write: no such file"),
            ),
        ),
        steps=(
            Step(
                text="Add the account to the groups, then log in again:",
                command='sudo usermod -aG render,video "$USER"',
                where="admin",
            ),
            Step(
                text="Start a container with the devices and groups:",
                command=(
                    "docker run --device=/dev/kfd --device=/dev/dri --group-add video "
                    "--group-add render IMAGE"
                ),
                where="host",
            ),
        ),
        explains=(
            "rocm-driver-missing",
            "nvidia-device-permission",
            "driver-missing",
            "cuda-visible-devices-wrong",
            "container-without-gpu",
            "xpu-unavailable",
        ),
        os=("linux",),
        find="`id` must list render and video; `ls -l /dev/kfd /dev/dri`.",
    ),
)
