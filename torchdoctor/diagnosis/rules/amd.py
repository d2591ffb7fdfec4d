"""AMD GPUs: targets that a build lacks, no permission, no driver, an integrated GPU in front."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import ON_AMD, ON_NVIDIA
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

__all__ = ["RULES"]

# Graphics inside Ryzen processors: Cezanne and Renoir, Rembrandt, Raphael, Phoenix.
INTEGRATED = re.compile(r"gfx(?:90c|902|909|1035|1036|1033|1037|1103)")
INVALID = says(
    "invalid device function",
    "hsa_status_error_invalid_isa",
    "instruction set architecture is invalid",
    "hiperrornobinaryforgpu",
    "unable to find code object",
    "no kernel image is available",
    "tensilelibrary",
    "hip error: shared object initialization failed",
    "could not initialize tensile",
    "rocblas error",
)
ON_ROCM = any_of(
    # collect_env's line "ROCM used to build PyTorch: N/A" is in every report.
    says(
        "hip error",
        "rocm",
        "hsa_",
        "rocblas",
        "amdgpu",
        "radeon",
        "hiperror",
        matching=r"hip error|rocm(?! used to build pytorch\s*:\s*n/a)|hsa_|rocblas|amdgpu|radeon|hiperror",
    ),
    fact("amd.gfx"),
    fact("torch.hip", r"\d.*"),
    fact("torch.build", "rocm.*"),
)


def _integrated_beside(case: CaseFile) -> Seen | None:
    """Two AMD targets, one of them integrated graphics."""
    rows = case.of("amd.gfx")
    inside = [row for row in rows if INTEGRATED.fullmatch(row.value)]
    return Seen(evidence=(source(inside[0]),)) if inside and len(rows) > len(inside) else None


def _not_in_build(case: CaseFile) -> Seen | None:
    """The GPU's target is not among those of the ROCm build."""
    from wheels_index import UnknownVariant, nearest_gfx, variant

    build = case.value("torch.build") or ""
    if not build.startswith("rocm") or case.value("cuda.available") == "false":
        return None
    try:
        targets = nearest_gfx(build)
        unusable = variant(build).blas_unusable_gfx
    except UnknownVariant:
        return None
    if targets is None or targets[1] is not None:
        return None
    return next(
        (
            Seen(evidence=(source(row),))
            for row in case.of("amd.gfx")
            if row.value not in targets[0] or row.value in unusable
        ),
        None,
    )


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
            sure(
                says(
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
            sure(
                says(
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
                    says("amdgpu"),
                    says(
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
            says("permission denied", matching=r"kfd[^\n]{0,60}permission denied"),
            all_of(ON_NVIDIA, no(says("/dev/kfd"))),
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
            sure(
                says(
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
                    says(
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
                    says(
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
                    says("as root", "with sudo", "sudo"),
                    says("false", "not available", "no gpu", "permission"),
                    says(
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
                    says(
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
                says(
                    "user is not a member",
                    'is not member of "render"',
                    "not a member of",
                    matching=r"not (?:a )?member of \W?(?:render|video|the default dri group)|not member of",
                )
            ),
        ),
        unless=(
            all_of(
                says("rock module is not loaded"),
                says("/dev/kfd read-write: no such file"),
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
    Rule(
        id="rocm-igpu-first",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="The processor's integrated AMD GPU is taken first",
        explanation=(
            "The graphics inside a Ryzen are a GPU too. They become device 0, or break the start,"
            " because no build has code for them."
        ),
        signs=(
            likely(test(_integrated_beside)),
            likely(
                all_of(
                    ON_ROCM,
                    no(all_of(ON_NVIDIA, no(all_of(ON_AMD, says("rocm", "hip"))))),
                    says(
                        "igpu",
                        "integrated gpu",
                        "integrated graphics",
                        "apu",
                        "integrated radeon",
                        "internal gpu",
                        "onboard",
                        matching=(
                            r"\bigpu\b|integrated (?:gpu|graphics|radeon)|\bapu\b|internal gpu"
                            r"|(?<!models )onboard"
                        ),
                    ),
                )
            ),
            hint(says("memory access fault by gpu node")),
            likely(
                says(
                    "hip_visible_devices",
                    "rocr_visible_devices",
                    matching=(
                        r"(?:hip|rocr)_visible_devices\s?=\s?\d[^.]{0,120}(?:fix|solv|work|help)"
                        r"|(?:fix|solv|work|help)\w*[^.]{0,120}(?:hip|rocr)_visible_devices"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Leave only the card (its number is in `rocminfo`, without the processor):",
                command="export HIP_VISIBLE_DEVICES=0",
                os=("linux",),
            ),
            Step(
                text=(
                    "If 0 is the integrated one, take 1; or turn the integrated graphics off in the firmware."
                )
            ),
        ),
        explains=(
            "rocm-gfx-unsupported",
            "cuda-visible-devices-wrong",
            "gpu-arch-too-new",
            "gpu-arch-too-old",
        ),
        os=("linux",),
        find=(
            '`python -c "import torch; print([torch.cuda.get_device_name(i) for i in '
            'range(torch.cuda.device_count())])"`.'
        ),
    ),
    Rule(
        id="rocm-gfx-unsupported",
        layer=Layer.WHEEL,
        severity="error",
        title="The ROCm build has no code for this AMD GPU",
        explanation=(
            "A ROCm build holds code for some targets. A neighbour of a supported target can run "
            "its code by an override; others cannot run at all."
        ),
        signs=(
            likely(all_of(INVALID, ON_ROCM)),
            likely(
                says(
                    "hip error: invalid device function",
                    "hsa_status_error_invalid_isa",
                    "hiperrornobinaryforgpu",
                    "instruction set architecture is invalid",
                )
            ),
            likely(says("hsa_override_gfx_version")),
            likely(test(_not_in_build)),
            likely(
                says(
                    "rocblas error",
                    "tensilelibrary",
                    matching=(
                        r"(?:cannot read|could not (?:initialize|load|find))[^\n]{0,60}tensile\w*"
                        r"|tensilelibrary[^\n]{0,80}(?:gfx|no such file)|not in list of gpu "
                        r"architectures|unsupported gpu[^.]{0,20}gfx|gfx\w+ (?:is|are) not "
                        r"(?:officially )?supported"
                    ),
                )
            ),
            possible(
                all_of(
                    says(
                        "segmentation faul",
                        "core dumped",
                        "hang",
                        "memory access fault",
                        "sigsegv",
                        "segfault",
                        "freez",
                        "stuck",
                        matching=(
                            r"segmentation fault?|core dumped|\bhang(?:s|ing|ed)?\b|memory access fault|sigsegv"
                            r"|segfault|\bfreez\w+|\bstuck\b"
                        ),
                    ),
                    ON_ROCM,
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "RDNA 2 cards (gfx1031 to gfx1036) can run the code of gfx1030; set it "
                    "before Python starts:"
                ),
                command="export HSA_OVERRIDE_GFX_VERSION=10.3.0",
                os=("linux",),
            ),
            Step(
                text="RDNA 3 cards (gfx1101 to gfx1103) that of gfx1100:",
                command="export HSA_OVERRIDE_GFX_VERSION=11.0.0",
                os=("linux",),
            ),
            Step(
                text="Else take a ROCm build that lists the target:",
                command="{right_install}",
                otherwise=Step(
                    text=(
                        "Else take a ROCm build that lists the target; old cards (gfx803) have none any more."
                    )
                ),
            ),
        ),
        explains=("gpu-arch-too-new", "gpu-arch-too-old", "extension-built-for-other-arch"),
        os=("linux",),
        find="The target in `rocminfo | grep gfx` against `torch.cuda.get_arch_list()`.",
    ),
)
