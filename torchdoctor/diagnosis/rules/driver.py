"""The NVIDIA driver on the machine itself: not there, too old, not loaded, not the one that is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnosis.knowledge import driver_of, parts, system_of, torch_build
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.rules.symptoms import IN_WSL, NO_DRIVER, SMI_FAILED
from torchdoctor.diagnosis.signs import Seen, all_of, hint, likely, no, possible, says, source, sure, test

if TYPE_CHECKING:
    from torchdoctor.diagnosis.case_file import CaseFile

__all__ = ["RULES"]


def _build_needs_more(case: CaseFile) -> Seen | None:
    """The driver's version is below the least that the installed build needs."""
    from wheels_index import UnknownVariant, variant

    driver, build = driver_of(case), torch_build(case)
    if (
        driver is None
        or build is None
        or not build.startswith("cu")
        or case.value("cuda.available") == "true"
    ):
        return None
    try:
        known = variant(build)
    except UnknownVariant:
        return None
    column = "windows" if system_of(case) == "windows" or case.value("wsl") else "linux"
    least = parts(known.minimum_driver.get(column))
    if least is None or driver >= least:
        return None
    rows = (*case.of("nvidia.driver")[:1], *case.of("torch.version")[:1])
    return Seen(evidence=tuple(source(row) for row in rows))


RULES = (
    Rule(
        id="driver-too-old",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="The NVIDIA driver is older than this torch's CUDA",
        explanation=(
            "A build of a CUDA major version needs a driver of at least that major: CUDA 11 "
            "needs 450.80, CUDA 12 needs "
            "525.60, CUDA 13 needs 580. `found version 11040` means that the driver speaks CUDA 11.4."
        ),
        details=("torch {torch}+{build} needs driver {minimum_driver} or newer; this machine has {driver}.",),
        signs=(
            sure(
                says("driver on your system is too old", "gpu driver is too old", "nvidia driver is too old")
            ),
            sure(says("cuda driver version is insufficient", "cudaerrorinsufficientdriver")),
            sure(says("unsatisfied condition: cuda", "unsatisfied condition: driver")),
            sure(says("unsupported toolchain", matching=r"ptx was compiled with an unsupported toolchain")),
            sure(says("驱动程序", matching=r"驱动程序.{0,12}(?:过旧|太旧|版本过低)")),
            likely(test(_build_needs_more)),
            possible(
                says(
                    "unsupportedptxversion",
                    "unsupported_ptx_version",
                    "api call is not supported in the installed cuda driver",
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "Update the NVIDIA driver to {minimum_driver} or newer, from your "
                    "distribution or nvidia.com."
                ),
                where="admin",
                otherwise=Step(
                    text="Update the NVIDIA driver: 580 or newer runs every build there is.", where="admin"
                ),
            ),
            Step(
                text="Or keep the driver and install a build of an older CUDA that it can run:",
                command="{right_install}",
                otherwise=Step(
                    text="Or keep the driver and let the resolver choose a build that it can run:",
                    command="torchdoctor resolve --format pip",
                ),
            ),
        ),
        explains=("gpu-arch-too-new", "driver-missing"),
        os=("linux", "windows"),
        find="Compare the driver's version in `nvidia-smi` with the least one of the installed build.",
    ),
    Rule(
        id="driver-library-mismatch",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="The loaded NVIDIA module and the driver's libraries are of two versions",
        explanation=(
            "The driver packages were upgraded, often by an automatic update, while the old "
            "kernel module stayed loaded. "
            "Module and libraries must be of exactly one version."
        ),
        signs=(
            sure(
                says(
                    "driver/library version mismatch",
                    "driver/library mismatch",
                    "driver_library_version_mismatch",
                    "lib_rm_version_mismatch",
                )
            ),
            sure(
                says(
                    "unsupported display driver / cuda driver combination",
                    "systemdrivermismatch",
                    "system_driver_mismatch",
                )
            ),
            sure(says("api mismatch", matching=r"nvrm: api mismatch|api mismatch: the (?:client|kernel)")),
        ),
        steps=(
            Step(
                text="Reboot: the module that fits the libraries is loaded then.",
                command="sudo reboot",
                where="admin",
            ),
            Step(
                text="Or, with no program on the GPU, load the module anew:",
                command="sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe nvidia",
                where="admin",
            ),
            Step(
                text=(
                    "To keep it from coming back, hold the driver packages or plan their updates "
                    "with a reboot."
                )
            ),
        ),
        explains=(
            "driver-missing",
            "dev-nodes-missing",
            "nvidia-uvm-stale-after-suspend",
            "kernel-module-not-built",
        ),
        os=("linux",),
        find=(
            "`cat /proc/driver/nvidia/version` shows the loaded module; `ls "
            "/usr/lib/*/libnvidia-ml.so.*` the library."
        ),
    ),
    Rule(
        id="kernel-module-not-built",
        layer=Layer.KERNEL_MODULE,
        severity="error",
        title="The NVIDIA kernel module is not there for the running kernel",
        explanation=(
            "The driver's programs are installed and no module answers them. Most often the "
            "kernel was updated and the "
            "module was not built for it: DKMS or the kernel's headers are missing."
        ),
        signs=(
            likely(all_of(SMI_FAILED, no(IN_WSL))),
            sure(
                says(
                    "module nvidia not found",
                    "nvidia.ko",
                    matching=(
                        r"modprobe: fatal: module nvidia\S* not found|could not find module "
                        r"nvidia|nvidia\.ko.{0,60}(?:no such|not found)"
                    ),
                )
            ),
            sure(
                says(
                    "dkms",
                    matching=(
                        r"nvidia[^.]{0,80}(?:bad exit status|error!|: added\b|build failed)"
                        r"|error! bad return status|kernel headers for (?:kernel|this)[^.]{0,"
                        r"60}cannot be found|dkms[^.]{0,60}(?:failed|did not build)"
                    ),
                )
            ),
            sure(
                says(
                    "unable to load the 'nvidia",
                    "unable to load the kernel module",
                    "unable to build the nvidia kernel module",
                    "unable to find the kernel source tree",
                )
            ),
            hint(
                says(
                    "kernel",
                    matching=(
                        r"(?:after|since) (?:a |the |an )?(?:automatic )?(?:kernel|ubuntu|system"
                        r"|apt|os|dist)[ -]?(?:update|upgrade)|(?:updated|upgraded|new) (?:the "
                        r")?kernel|kernel (?:was )?(?:updated|upgraded)|linux-headers"
                    ),
                )
            ),
        ),
        unless=(
            says("driver/library version mismatch"),
            says("key was rejected"),
        ),
        steps=(
            Step(
                text="Install the headers of the running kernel and build the module (Debian, Ubuntu):",
                command=(
                    'sudo apt install dkms "linux-headers-$(uname -r)" && sudo dkms autoinstall '
                    "&& sudo modprobe nvidia"
                ),
                where="admin",
            ),
            Step(
                text=(
                    "On Fedora, RHEL and SUSE, install kernel-devel for the running kernel and "
                    "reinstall the driver package."
                ),
                where="admin",
            ),
            Step(
                text=(
                    "If modprobe then says `Key was rejected`, Secure Boot refuses the module: "
                    "see secure-boot-unsigned-module."
                )
            ),
        ),
        explains=("driver-missing", "dev-nodes-missing"),
        os=("linux",),
        find=(
            "`dkms status`, `uname -r` and `sudo modprobe nvidia` tell whether the module exists "
            "for this kernel."
        ),
    ),
    Rule(
        id="secure-boot-unsigned-module",
        layer=Layer.KERNEL_MODULE,
        severity="error",
        title="Secure Boot refuses the NVIDIA kernel module",
        explanation=(
            "With Secure Boot on, the kernel loads signed modules only, and no enrolled key signed this one."
        ),
        signs=(
            sure(says("key was rejected by service", "required key not available")),
            sure(
                says(
                    "unsigned module",
                    matching=r"loading of unsigned module|unsigned module is (?:restricted|rejected)",
                )
            ),
            likely(
                says(
                    "module verification failed",
                    matching=r"nvidia: module verification failed|module verification failed: signature",
                )
            ),
            likely(
                all_of(
                    SMI_FAILED,
                    says("secure boot", "secureboot"),
                    no(says("secureboot disabled", "secure boot is disabled", "secure boot disabled")),
                )
            ),
            hint(says("secureboot enabled", "mokutil", "enroll mok", "mok")),
        ),
        steps=(
            Step(
                text=(
                    "Enrol the key that signs the module, then reboot and confirm it in the blue "
                    "screen (Ubuntu):"
                ),
                command="sudo update-secureboot-policy --enroll-key",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "Or install the distribution's signed module packages "
                    "(linux-modules-nvidia-*), or turn Secure Boot off in the firmware."
                ),
                where="admin",
            ),
        ),
        explains=("kernel-module-not-built", "driver-missing", "dev-nodes-missing"),
        os=("linux",),
        find="`mokutil --sb-state` and `sudo modprobe nvidia` tell; `dmesg` names the refused module.",
    ),
    Rule(
        id="nouveau-or-other-driver-bound",
        layer=Layer.KERNEL_MODULE,
        severity="error",
        title="Another kernel driver holds the GPU",
        explanation=(
            "nouveau, or vfio-pci for a virtual machine, is bound to the card, so NVIDIA's "
            "module cannot take it."
        ),
        signs=(
            sure(
                says(
                    "nouveau, rivafb",
                    "obtained ownership of the nvidia device",
                    "probe routine was not called",
                    "nvidia probe routine",
                )
            ),
            sure(
                says(
                    "driver in use: nouveau",
                    "driver in use: vfio",
                    "driver in use: nova",
                    "kernel driver in use: nouveau",
                )
            ),
            likely(
                says(
                    "nouveau",
                    matching=(
                        r"nouveau (?:kernel )?driver is currently in use|nouveau[^.]{0,"
                        r"40}(?:loaded|in use|bound|conflict|blacklist)|blacklist(?:ing|ed)? "
                        r"nouveau|lsmod[^.]{0,60}nouveau"
                    ),
                )
            ),
            likely(says("vfio-pci", matching=r"vfio-pci")),
            hint(says("nouveau")),
        ),
        steps=(
            Step(
                text="Keep nouveau from loading, then reboot (Debian, Ubuntu):",
                command=(
                    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
                    "/etc/modprobe.d/blacklist-nouveau.conf "
                    "&& sudo update-initramfs -u && sudo reboot"
                ),
                where="admin",
            ),
            Step(
                text=(
                    "A card that vfio-pci holds is given to a virtual machine: install the "
                    "driver in that machine, or take the card out of vfio's list."
                ),
                where="admin",
            ),
        ),
        explains=("kernel-module-not-built", "driver-missing", "dev-nodes-missing"),
        os=("linux",),
        find="`lspci -k` names the driver that is bound to the NVIDIA device.",
    ),
    Rule(
        id="driver-missing",
        layer=Layer.DRIVER_LIBRARY,
        severity="error",
        title="No NVIDIA driver is installed",
        explanation=(
            "torch looks for the driver's library and finds none. A CUDA toolkit or a wheel does "
            "not bring it: the driver is the system's."
        ),
        signs=(
            likely(NO_DRIVER),
            possible(
                says(
                    "nvidia-smi",
                    matching=(
                        r"nvidia-smi\W{0,4}(?:: )?(?:command )?not found|'nvidia-smi' is not "
                        r"recognized|'nvidia-smi' 不是内部或外部命令|term 'nvidia-smi' is not "
                        r"recognized|command 'nvidia-smi' not found|nvidia-smi: 未找到命令|no "
                        r"such file[^.]{0,20}nvidia-smi"
                    ),
                )
            ),
            possible(
                says(
                    "libcuda.so.1: cannot open",
                    "libcuda.so: cannot open",
                    "nvcuda.dll",
                    "libnvidia-ml.so.1: cannot open",
                    "nvml shared library not found",
                    matching=r"cannot open|not found|could not load|找不到",
                )
            ),
            hint(
                says(
                    "no driver",
                    "without driver",
                    "driver is not installed",
                    "drivers are not installed",
                    "no nvidia driver",
                    "driver not installed",
                )
            ),
        ),
        steps=(
            Step(
                text="Install the driver (Ubuntu), then reboot:",
                command="sudo ubuntu-drivers install && sudo reboot",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "On other distributions take the driver from their repository or from "
                    "NVIDIA's; then reboot."
                ),
                where="admin",
                os=("linux",),
            ),
            Step(
                text="Install the newest driver for this GPU from nvidia.com, then reboot.",
                where="admin",
                os=("windows",),
            ),
            Step(
                text=(
                    "Without an NVIDIA GPU, use the build for the GPU that is there, or the CPU "
                    "build: `torchdoctor resolve` names it."
                )
            ),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi` must print a table; `lspci -d 10de:` (Linux) shows whether there is a card.",
    ),
)
