"""Containers to which no GPU was given."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import (
    all_of,
    any_of,
    background,
    certain,
    contains,
    fact,
    likely,
    no,
    possible,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import (
    CUDA_UNAVAILABLE,
    GPU_UNUSED,
    IN_CONTAINER,
    NO_CUDA_DEVICE,
    NO_DRIVER,
    NOT_COMPILED,
    NVML_UNKNOWN,
    ON_AMD,
    SMI_ANSWERS,
)

__all__ = ["RULES"]


NO_LIBCUDA = contains(
    "libcuda.so.1: cannot open",
    "libcuda.so.1: no such",
    "libcuda.so: cannot open",
    "could not load dynamic library 'libcuda.so",
    "libcuda.so not found",
    "libcuda.so.1 not found",
    "cannot find libcuda",
    "libcuda.so cannot found",
    "libcuda.so.1 is missing",
    "find libcuda",
    "libcuda.so",
)


WITHOUT_GPUS = contains(
    "docker run",
    "docker-compose",
    "docker compose",
    "podman run",
    "dev container",
    "devcontainer",
    matching=(
        r"(?:without|forgot|missing|no|didn't (?:pass|use|add)|adding|added|lacked|not (?:pass"
        r"|use|given|set|start\w*)[^.]{0,20}) (?:the )?[`'\"]?-?-?(?:--gpus|gpus? (?:flag|option)"
        r"|deploy|runtime)|docker run (?!.{0,200}--gpus)(?!.{0,200}--runtime)(?!.{0,"
        r"200}nvidia-docker)"
    ),
)


IN_KUBERNETES = contains(
    "kubernetes",
    "k8s",
    "kubectl",
    "kind: pod",
    "pod",
    matching=r"kubernetes|\bk8s\b|\bkubectl\b|kind: pod\b|\b(?:in|inside|within) (?:an? |the |my )?pods?\b",
)


SUGGESTS_TOOLKIT = contains(
    "nvidia driver was not detected",
    "use the nvidia container toolkit to start this container with gpu support",
    "use 'nvidia-docker run' to start this container",
    "driver was not detected.  gpu functionality",
)


SMI_WORKS_INSIDE = contains(
    "nvidia-smi",
    matching=(
        r"nvidia-smi[^.]{0,20} (?:inside|in|within) (?:the |my )?container,? (?:which|shows"
        r"|displays|works|is fine|prints|will|does|can|sees)|nvidia-smi (?:works|is fine|runs)[^.]{0,30}"
        r"(?:inside|in|within) (?:the |my )?container"
    ),
)


RULES = (
    Rule(
        id="container-toolkit-missing",
        layer=Layer.CONTAINER,
        severity="error",
        title="The host lacks the NVIDIA Container Toolkit, or Docker does not know it",
        explanation=(
            "Docker hands GPUs to containers through NVIDIA's runtime or through CDI, and finds "
            "neither on the host."
        ),
        signs=(
            certain(
                contains(
                    "could not select device driver",
                    matching=(
                        r"could not select device driver\W{0,8}(?:nvidia|cdi)?\W{0,8} with "
                        r"capabilities"
                    ),
                )
            ),
            certain(
                contains(
                    "nvidia-container-runtime",
                    "nvidia-container-cli",
                    "nvidia-container-toolkit",
                    "nvidia-docker",
                    "nvidia-ctk",
                    matching=(
                        r"(?:nvidia-container-\w+(?:-hook)?|nvidia-docker\w*|nvidia-ctk)\W{0,"
                        r"6}(?:: )?(?:executable file not found|command not found|no such file"
                        r"|not found|is not installed|not installed|missing)|(?:install|missing"
                        r"|without|lacks?|needs?)(?:ed|ing)? (?:the )?nvidia[- ](?:container"
                        r"|docker)[- ]?(?:toolkit|runtime|2)?"
                    ),
                )
            ),
            certain(
                contains(
                    "runtime",
                    matching=(
                        r"(?:unknown|invalid)[^.]{0,30}runtime (?:name|specified)\W{0,4} "
                        r"?\W?nvidia|unknown runtime specified nvidia|runtime \"?nvidia\"? (?:is "
                        r")?not (?:found|registered)|\"nvidia\": runtime not found"
                    ),
                )
            ),
            certain(
                contains(
                    "cdi",
                    matching=(
                        r"unresolvable cdi devices|no known gpu vendor|failed to discover gpu "
                        r"vendor|cdi[^.]{0,60}(?:not found|unresolvable|no such)|failed to inject "
                        r"cdi devices"
                    ),
                )
            ),
            likely(contains("insufficient nvidia.com/gpu", "nvidia-device-plugin")),
            likely(
                contains(
                    "nvidia container toolkit",
                    "nvidia-container-toolkit",
                    matching=(
                        r"(?:not installed|wasn't installed|was missing|missing|install(?:ed"
                        r"|ing)?|fixed by)[^.]{0,40}nvidia[- ]container[- ]toolkit|nvidia[- "
                        r"]container[- ]toolkit[^.]{0,40}(?:not installed|missing|was not)"
                    ),
                )
            ),
        ),
        unless=(SUGGESTS_TOOLKIT,),
        steps=(
            Step(
                text=(
                    "Install the NVIDIA Container Toolkit, tell Docker, and restart it (Debian, "
                    "Ubuntu, with NVIDIA's package source set up):"
                ),
                command=(
                    "sudo apt install nvidia-container-toolkit && sudo nvidia-ctk runtime "
                    "configure --runtime=docker && sudo systemctl restart docker"
                ),
                where="host",
            ),
            Step(
                text="For podman make the CDI description:",
                command="sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
                where="host",
            ),
        ),
        explains=("container-without-gpu", "driver-missing", "dev-nodes-missing"),
        os=("linux",),
        find="On the host: `nvidia-ctk --version`, and `docker info` must list the runtime nvidia.",
    ),
    Rule(
        id="container-without-gpu",
        layer=Layer.CONTAINER,
        severity="error",
        title="The container was started without GPUs",
        explanation=(
            "A container sees a GPU only when it is given one at its start. Inside there is no "
            "/dev/nvidia0 and no libcuda.so.1, whatever the host has."
        ),
        signs=(
            certain(SUGGESTS_TOOLKIT),
            likely(
                all_of(
                    IN_CONTAINER,
                    any_of(
                        NO_DRIVER,
                        NO_CUDA_DEVICE,
                        contains(
                            "nvidia-smi: command not found",
                            "nvidia-smi: not found",
                            'exec: "nvidia-smi"',
                            "no nvidia driver",
                            "nvidia-smi not found",
                        ),
                    ),
                )
            ),
            likely(
                all_of(
                    IN_CONTAINER,
                    WITHOUT_GPUS,
                    any_of(
                        CUDA_UNAVAILABLE,
                        contains(
                            "no gpu", "not see", "not detect", "cannot find gpu", "can't see", "gpu", "cuda"
                        ),
                    ),
                )
            ),
            possible(
                all_of(
                    IN_CONTAINER,
                    GPU_UNUSED,
                    no(fact("torch.build", "cpu")),
                    no(fact("nvidia.driver")),
                    no(SMI_WORKS_INSIDE),
                    no(all_of(SMI_ANSWERS, contains("--gpus"))),
                    no(NOT_COMPILED),
                )
            ),
            likely(
                all_of(
                    IN_KUBERNETES,
                    any_of(
                        all_of(NO_LIBCUDA, contains("cannot open", "not found", "no such", "unavailable")),
                        contains(
                            "nvidia-smi",
                            matching=(
                                r"(?:\bcan'?t\b|cannot|unable|not)[^.\n]{0,30}nvidia-smi[^.\n]{0,30}\bpods?\b"
                                r"|\bpods?\b[^.\n]{0,60}nvidia-smi[^.\n]{0,20}not found"
                            ),
                        ),
                        NO_DRIVER,
                        NO_CUDA_DEVICE,
                    ),
                )
            ),
            background(
                contains("--gpus all", "--runtime=nvidia", "--runtime nvidia", "device nvidia.com/gpu")
            ),
        ),
        unless=(
            all_of(NO_DRIVER, SMI_WORKS_INSIDE),
            contains("could not load uvm kernel module"),
            contains("could not select device driver"),
            contains("driver on your system is too old"),
            contains("forward compatibility was attempted"),
            NVML_UNKNOWN,
            ON_AMD,
        ),
        steps=(
            Step(text="Start it with the GPUs:", command="docker run --gpus all IMAGE", where="host"),
            Step(
                text=(
                    "In Kubernetes the pod asks for `nvidia.com/gpu: 1` among its limits, and for "
                    "`runtimeClassName: nvidia` where that is not the node's default runtime."
                ),
                where="host",
            ),
            Step(
                text=(
                    "In a compose file give the service `deploy.resources.reservations.devices` "
                    "with driver nvidia and capabilities [gpu]; with podman `--device "
                    "nvidia.com/gpu=all`."
                ),
                where="host",
            ),
        ),
        explains=(
            "driver-missing",
            "dev-nodes-missing",
            "cuda-visible-devices-wrong",
            "wrong-vendor-build",
            "container-capabilities-missing",
        ),
        os=("linux",),
        find="Inside, `ls /dev/nvidia*` must list nodes, and `nvidia-smi` print a table.",
    ),
)
