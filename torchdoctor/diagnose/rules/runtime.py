"""The running program: shared memory, open files, processor instructions."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

SHM = contains(
    "shared memory",
    "/dev/shm",
    "shm",
    matching=r"shared memory|/dev/shm|\(shm\)|--shm-size|shm_size|--ipc=host",
)
BUS = contains("bus error", "signal: bus", "sigbus")
WORKERS = contains("dataloader worker", "dataloader's workers", "encountered in worker", "num_workers")

RULES = (
    Rule(
        id="shm-too-small",
        layer=Layer.RUNTIME,
        severity="warning",
        title="/dev/shm is too small for the DataLoader's workers",
        explanation=(
            "Workers hand tensors over through shared memory, and Docker gives a container 64 MB of it."
        ),
        signs=(
            certain(all_of(BUS, any_of(SHM, WORKERS))),
            likely(
                contains(
                    "insufficient shared memory",
                    "out of shared memory",
                    "raise your shared memory limit",
                    "unable to write to file </torch_",
                    "unable to open shared memory object",
                    matching=(
                        r"insufficient shared memory|out of shared memory|raise your shared "
                        r"memory|unable to write to file </torch_|no space left on device[^\n]{0,"
                        r"40}torch_|shared memory object[^\n]{0,80}no space"
                    ),
                )
            ),
            certain(
                contains(
                    "/dev/shm",
                    matching=(
                        r"no space left on device[^\n]{0,80}/dev/shm|/dev/shm[^\n]{0,80}no space "
                        r"left|shm\s+64m|64m\s[^\n]{0,40}/dev/shm|nccl[^$]{0,200}/dev/shm[^$]{0,"
                        r"100}(?:no space|error|fail)|error while creating shared memory segment"
                    ),
                )
            ),
            likely(
                contains(
                    "shm-size",
                    "shm_size",
                    "--ipc=host",
                    matching=(
                        r"(?:shm-size|shm_size|--ipc=host)[^.]{0,80}(?:fix|solv|work|help"
                        r"|increas)|(?:fix|solv|work|help|increas|add)\w*[^.]{0,80}(?:shm-size"
                        r"|shm_size|--ipc=host)"
                    ),
                )
            ),
            # NCCL's processes on one machine speak through the same memory.
            likely(
                all_of(
                    contains("nccl"),
                    contains("unhandled system error", "ncclsystemerror"),
                    any_of(fact("container"), contains("shared memory", "--ipc", "/dev/shm")),
                )
            ),
            possible(all_of(WORKERS, contains("killed by signal", "exited unexpectedly"), fact("container"))),
        ),
        unless=(contains("ancdata"), contains("too many open files")),
        steps=(
            Step(
                text="Start the container with more:", command="docker run --shm-size=8g IMAGE", where="host"
            ),
            Step(
                text=(
                    "In a compose file `shm_size: 8gb`; in Kubernetes an emptyDir with medium "
                    "Memory at /dev/shm."
                ),
                where="host",
            ),
            Step(text="Without a way to change it: fewer workers, num_workers=0 at the least."),
        ),
        explains=("disk-full", "pip-killed-oom", "tmp-too-small", "gpu-xid-hardware"),
        os=("linux",),
        find="`df -h /dev/shm`.",
    ),
    Rule(
        id="too-many-open-files",
        layer=Layer.RUNTIME,
        severity="warning",
        title="The limit of open files is reached",
        explanation=(
            "Tensors go from worker to worker as file descriptors; the usual limit is 1024, on macOS 256."
        ),
        signs=(
            certain(
                contains(
                    "items of ancdata",
                    "too many open files",
                    "errno 24",
                    "ulimit -n",
                    "emfile",
                    "打开的文件过多",
                    matching=(
                        r"items of ancdata|too many open files|errno 24\b|ulimit -n|emfile"
                        r"|打开的文件过多"
                    ),
                )
            ),
            likely(contains("set_sharing_strategy")),
            likely(
                contains(
                    "unable to open shared memory object",
                    matching=r"unable to open shared memory object \S+ in read",
                )
            ),
            possible(
                contains(
                    "unable to open shared memory object",
                    matching=(
                        r"unable to open shared memory object[^\n]{0,80}(?:\(24\)|too many"
                        r"|read/write mode)"
                    ),
                )
            ),
        ),
        steps=(
            Step(text="Raise the limit in this shell:", command="ulimit -n 65536"),
            Step(
                text="Or share through files, at the start of the program:",
                command=(
                    "python -c \"import torch.multiprocessing as m; m.set_sharing_strategy('file_system')\""
                ),
            ),
        ),
        explains=("shm-too-small",),
        os=("linux", "macos"),
        find="`ulimit -n`.",
    ),
    Rule(
        id="cpu-without-avx2",
        layer=Layer.HARDWARE,
        severity="error",
        title="The processor lacks instructions that the build uses (AVX, AVX2)",
        explanation=(
            "Builds use AVX or AVX2 in places. Processors before 2013, small Atoms and Celerons "
            "lack them, and a virtual machine's processor model may hide them."
        ),
        signs=(
            likely(
                contains(
                    "illegal instruction",
                    "illegal hardware instruction",
                    "sigill",
                    "0xc000001d",
                    "status_illegal_instruction",
                    "exit code 132",
                    "exit code: 132",
                    "非法指令",
                    "signal 4",
                    matching=(
                        r"illegal (?:hardware )?instruction|sigill|0xc000001d|status_illegal|132\b|非法指令"
                        r"|signal 4\b"
                    ),
                )
            ),
            likely(
                contains(
                    "avx",
                    matching=(
                        r"(?:no|not|without|lacks?|doesn't|does not|missing|old|unsupported"
                        r"|requires?|need)[^.]{0,40}\bavx2?\b|\bavx2?\b[^.]{0,40}(?:not|missing"
                        r"|unsupported|unavailable|required)"
                    ),
                )
            ),
            hint(
                contains(
                    "core 2 duo",
                    "celeron",
                    "pentium",
                    "atom",
                    "kvm64",
                    "qemu virtual cpu",
                    "phenom",
                    "athlon",
                    "sandy bridge",
                    "nehalem",
                    "xeon x5",
                    "e5-26",
                    "common kvm processor",
                )
            ),
        ),
        unless=(
            contains("illegal memory access"),
            contains(
                "an illegal instruction was encountered", matching=r"cuda error: an illegal instruction"
            ),
        ),
        steps=(
            Step(
                text=(
                    "In a virtual machine set the processor type to that of the host (Proxmox, QEMU: host)."
                ),
                where="host",
            ),
            Step(text="On an old processor take an older torch, or a build from source without them."),
        ),
        os=("linux", "windows", "macos"),
        find="`grep -o -w -m1 avx2 /proc/cpuinfo` (Linux) must print avx2.",
    ),
)
