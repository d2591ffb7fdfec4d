"""Containers that have the GPU, and not all that computing on it needs, or not any more."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.container import IN_KUBERNETES, NO_LIBCUDA, SMI_WORKS_INSIDE
from torchdoctor.diagnose.rules.symptoms import (
    CUDA_UNAVAILABLE,
    IN_CONTAINER,
    IN_WSL,
    NO_CUDA_DEVICE,
    NO_DRIVER,
    NVML_UNKNOWN,
    SMI_FAILED,
)

__all__ = ["RULES"]


RULES = (
    Rule(
        id="container-capabilities-missing",
        layer=Layer.CONTAINER,
        severity="error",
        title="The container was given the GPU, but not the capability to compute",
        explanation=(
            "NVIDIA_DRIVER_CAPABILITIES says which of the driver's libraries are put into the "
            "container. Without `compute` there is no libcuda.so.1, while nvidia-smi works."
        ),
        signs=(
            certain(
                fact(
                    "env.NVIDIA_DRIVER_CAPABILITIES",
                    lambda value: bool(value) and "compute" not in value and "all" not in value,
                )
            ),
            likely(
                contains(
                    "nvidia_driver_capabilities",
                    matching=(
                        r"nvidia_driver_capabilities\W{1,4}(?!\S*compute|\S*all\b)[a-z]"
                        r"|(?:without|missing|lacks?|needs?|add\w*|set\w*)[^.]{0,"
                        r"40}nvidia_driver_capabilities|compute capability (?:is )?(?:not mounted"
                        r"|missing)"
                    ),
                )
            ),
            likely(
                all_of(
                    IN_CONTAINER,
                    NO_LIBCUDA,
                    no(IN_KUBERNETES),
                    contains(
                        "libcuda",
                        matching=(
                            r"cannot (?:open|found)|not found|no such|missing|cannot find|could "
                            r"not load"
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    NO_LIBCUDA,
                    contains(
                        "/dev/nvidia0",
                        "libnvidia-ml",
                        "nvidia-smi works",
                        "--device",
                        matching=(
                            r"/dev/nvidia0[^.]{0,20}(?:exists|is there|present)|nvidia-smi "
                            r"(?:works|is fine)|libnvidia-ml[^.]{0,30}(?:present|there|found)"
                            r"|--device[= ]/dev/nvidia"
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    fact("cuda.available", "false"),
                    contains("/dev/nvidia0", matching=r"/dev/nvidia0 (?:exists|is there|is present)"),
                )
            ),
            likely(
                all_of(
                    NO_DRIVER,
                    SMI_WORKS_INSIDE,
                )
            ),
            hint(all_of(NO_LIBCUDA, fact("nvidia.driver"))),
        ),
        unless=(NVML_UNKNOWN,),
        steps=(
            Step(
                text="Start the container with:",
                command="docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility IMAGE",
                where="host",
            ),
            Step(
                text="Device nodes passed by `--device` alone bring no libraries: use `--gpus` or CDI.",
                where="host",
            ),
        ),
        explains=("driver-missing", "container-without-gpu"),
        os=("linux",),
        find="Inside, `ldconfig -p | grep libcuda.so.1` must find the library.",
    ),
    Rule(
        id="container-lost-gpu-cgroup",
        layer=Layer.CONTAINER,
        severity="error",
        title="A running container lost its GPUs",
        explanation=(
            "The container worked, and then systemd reloaded its units (daemon-reload, an "
            "update) and with them the container's list of permitted devices, on which the GPUs "
            "were not. The nodes stay and cannot be opened."
        ),
        signs=(
            likely(NVML_UNKNOWN),
            hint(all_of(IN_CONTAINER, NVML_UNKNOWN)),
            likely(
                contains(
                    "daemon-reload",
                    "daemon reload",
                    "cgroup",
                    matching=(
                        r"daemon[- ]reload[^.]{0,160}(?:container|gpu|nvml)|(?:container|gpu"
                        r"|nvml)[^.]{0,160}daemon[- ]reload|cgroup(?:s|fs|driver| driver| "
                        r"v2)?[^.]{0,120}(?:nvml|lost|lose|gpu)|no-cgroups"
                    ),
                )
            ),
            likely(
                all_of(
                    IN_CONTAINER,
                    contains(
                        "gpu",
                        "nvidia-smi",
                        matching=(
                            r"(?:los(?:es|t|ing)|disappear\w*|stops? working|suddenly|after (?:a "
                            r"while|some time|a few (?:hours|days)|\d+ (?:hours|days)|hours"
                            r"|days))[^.]{0,60}(?:gpu|nvidia|cuda)|(?:gpu|nvidia|cuda)[^.]{0,"
                            r"60}(?:lost|disappear\w*|stop\w* working|after (?:a while|some time"
                            r"|a few (?:hours|days)|hours|days))"
                        ),
                    ),
                    any_of(NVML_UNKNOWN, CUDA_UNAVAILABLE, NO_CUDA_DEVICE, contains("nvml")),
                )
            ),
            possible(
                all_of(
                    contains("gpu", "cuda"),
                    contains(
                        "restart",
                        matching=(
                            r"restart\w*(?: \w+){0,3} container[^.]{0,80}\b(?:again|works?|fine|normal\w*|back|ok)\b"
                            r"|\b(?:must|have to|need to|until i|unless i) restart(?: \w+){0,3} container"
                        ),
                    ),
                    contains(
                        "after",
                        "suddenly",
                        "overnight",
                        matching=(
                            r"after (?:an? |some |several |a few |a long |\d+ )?(?:\w+ )?(?:period|while"
                            r"|time|hours?|days?|weeks?|night)\b|suddenly|overnight"
                        ),
                    ),
                )
            ),
        ),
        unless=(contains("driver/library version mismatch"),),
        steps=(
            Step(text="Restart the container: it gets the GPUs again.", where="host"),
            Step(
                text="To keep them, make the character devices' links and use CDI:",
                command="sudo nvidia-ctk system create-dev-char-symlinks --create-all",
                where="host",
            ),
            Step(
                text=(
                    'Or set `"exec-opts": ["native.cgroupdriver=cgroupfs"]` in '
                    "/etc/docker/daemon.json and restart Docker."
                ),
                where="host",
            ),
        ),
        explains=(
            "dev-nodes-missing",
            "driver-missing",
            "container-without-gpu",
            "nvidia-uvm-stale-after-suspend",
        ),
        os=("linux",),
        find=(
            "On the host nvidia-smi works; in a fresh container as well; in this one open() of "
            "/dev/nvidiactl is refused."
        ),
    ),
    Rule(
        id="cuda-compat-on-unsupported-gpu",
        layer=Layer.CONTAINER,
        severity="error",
        title="A forward-compatibility libcuda is used where it may not be",
        explanation=(
            "The image carries a libcuda (cuda-compat) that is newer than the host's driver. "
            "Only data-centre GPUs may use it; a GeForce says 804."
        ),
        signs=(
            certain(
                contains(
                    "forward compatibility was attempted",
                    "compatnotsupportedondevice",
                    "compat_not_supported_on_device",
                )
            ),
            likely(contains("error 804", "error (804)", "804: forward", "returned 804")),
            possible(contains("cuda/compat", "cuda-compat", matching=r"cuda[-/]compat")),
        ),
        steps=(
            Step(text="Update the host's driver to one that carries the image's CUDA.", where="host"),
            Step(
                text=(
                    "Or take an image of an older CUDA, or keep the compat folder out of the "
                    "loader's way in the container:"
                ),
                command=(
                    'export LD_LIBRARY_PATH="$(printf %s "$LD_LIBRARY_PATH" | tr : \'\\n\' | '
                    'grep -v compat | paste -sd:)"'
                ),
            ),
        ),
        explains=(
            "driver-too-old",
            "driver-missing",
            "dev-nodes-missing",
            "cuda-visible-devices-wrong",
            "driver-library-mismatch",
        ),
        os=("linux",),
        find=(
            "`ldconfig -p | grep libcuda.so.1` and LD_LIBRARY_PATH show whether a compat folder comes first."
        ),
    ),
    Rule(
        id="driver-installed-inside-container",
        layer=Layer.CONTAINER,
        severity="error",
        title="Driver packages were installed inside the container",
        explanation=(
            "The driver's libraries in a container come from the host at its start. A package "
            "installed inside (cuda, nvidia-utils, libnvidia-compute) puts libraries of another "
            "version over them."
        ),
        signs=(
            certain(
                contains(
                    "file exists",
                    matching=(
                        r"(?:libnvidia-ml|libcuda)\.so[^ ]{0,20}:? ?file exists|mount error: file "
                        r"creation failed"
                    ),
                )
            ),
            likely(
                all_of(
                    IN_CONTAINER,
                    any_of(
                        contains("driver/library version mismatch"),
                        SMI_FAILED,
                        CUDA_UNAVAILABLE,
                        NO_CUDA_DEVICE,
                    ),
                    contains(
                        "apt install",
                        "apt-get install",
                        "dnf install",
                        "yum install",
                        "installed",
                        "dockerfile",
                        "run apt",
                        "驱动",
                        matching=(
                            r"(?:install(?:ed|ing)?|run apt)[^.]{0,120}(?:nvidia-(?:driver|utils"
                            r"|cuda-toolkit)|libnvidia|cuda-drivers"
                            r"|nvidia driver)[^.]{0,60}|(?:apt|apt-get|dnf|yum) install[^.\n]{0,120}"
                            r"\bcuda(?:-\d+)?\b(?!-toolkit)|install(?:ed|ing)? cuda\b(?![^.]{0,40}on (?:my|the) "
                            r"(?:machine|host))|(?:安装|更新|升级)[^。\n]{0,12}(?:nvidia|显卡) ?驱动"
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    IN_CONTAINER,
                    contains(
                        "libnvidia-compute",
                        "nvidia-driver-",
                        "cuda-drivers",
                        "libnvidia-ml.so",
                        matching=(
                            r"(?:inside|in|into) (?:the |a |my )?(?:container|image|docker)[^.]{0,"
                            r"120}(?:libnvidia|nvidia-driver|cuda-drivers)|(?:libnvidia"
                            r"|nvidia-driver|cuda-drivers)[^.]{0,120}(?:inside|in|into) (?:the |a "
                            r"|my )?(?:container|image|docker)"
                        ),
                    ),
                    any_of(
                        contains("mismatch"),
                        SMI_FAILED,
                        CUDA_UNAVAILABLE,
                        contains("failed to initialize nvml"),
                    ),
                )
            ),
        ),
        unless=(IN_WSL,),
        steps=(
            Step(
                text=(
                    "In the image install cuda-toolkit alone, never `cuda`, `cuda-drivers`, "
                    "`nvidia-driver-*` or `nvidia-utils-*`."
                )
            ),
            Step(
                text="Take the packages out of the container, then start it anew:",
                command="apt purge 'libnvidia-*' 'nvidia-*' 'cuda-drivers*'",
            ),
        ),
        explains=(
            "driver-library-mismatch",
            "driver-missing",
            "kernel-module-not-built",
            "container-without-gpu",
        ),
        os=("linux",),
        find="In the container `dpkg -S libcuda.so.1` must name no package.",
    ),
)
