"""The NVIDIA kernel module: not built, refused, or kept out by another driver."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, no
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import GPU_UNUSED, IN_WSL, ON_WINDOWS, SMI_FAILED

__all__ = ["RULES"]


RULES = (
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
            likely(all_of(fact("told.driver_gone"), no(IN_WSL), no(ON_WINDOWS))),
            certain(
                contains(
                    "module nvidia not found",
                    "nvidia.ko",
                    matching=(
                        r"modprobe: fatal: module nvidia\S* not found|could not find module "
                        r"nvidia|nvidia\.ko.{0,60}(?:no such|not found)"
                    ),
                )
            ),
            certain(
                contains(
                    "dkms",
                    matching=(
                        r"nvidia[^.]{0,80}(?:bad exit status|error!|: added\b|build failed)"
                        r"|error! bad return status|kernel headers for (?:kernel|this)[^.]{0,"
                        r"60}cannot be found|dkms[^.]{0,60}(?:failed|did not build)"
                    ),
                )
            ),
            certain(
                contains(
                    "unable to load the 'nvidia",
                    "unable to load the kernel module",
                    "unable to build the nvidia kernel module",
                    "unable to find the kernel source tree",
                )
            ),
            hint(
                contains(
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
            contains("driver/library version mismatch"),
            contains("key was rejected"),
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
            certain(contains("key was rejected by service", "required key not available")),
            certain(
                contains(
                    "unsigned module",
                    matching=r"loading of unsigned module|unsigned module is (?:restricted|rejected)",
                )
            ),
            likely(
                contains(
                    "module verification failed",
                    matching=r"nvidia: module verification failed|module verification failed: signature",
                )
            ),
            likely(
                all_of(
                    any_of(
                        SMI_FAILED, contains("unable to load the kernel module", "unable to load the 'nvidia")
                    ),
                    contains("secure boot", "secureboot"),
                    no(contains("secureboot disabled", "secure boot is disabled", "secure boot disabled")),
                )
            ),
            likely(
                all_of(
                    fact("told.secure_boot"),
                    contains("nvidia", "driver"),
                    any_of(
                        SMI_FAILED,
                        fact("told.driver_gone"),
                        GPU_UNUSED,
                        contains(
                            "driver",
                            "module",
                            matching=(
                                r"\b(?:driver|module)s?\b[^.\n]{0,24}\b(?:not|no longer|isn't|won't|doesn't|never)\b"
                                r"[^.\n]{0,12}\bload"
                            ),
                        ),
                    ),
                )
            ),
            hint(contains("secureboot enabled", "mokutil", "enroll mok", "mok")),
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
        explains=(
            "kernel-module-not-built",
            "driver-missing",
            "dev-nodes-missing",
            "nouveau-or-other-driver-bound",
        ),
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
            certain(
                contains(
                    "nouveau, rivafb",
                    "obtained ownership of the nvidia device",
                    "probe routine was not called",
                    "nvidia probe routine",
                    "is already bound to",
                )
            ),
            certain(
                contains(
                    "driver in use: nouveau",
                    "driver in use: vfio",
                    "driver in use: nova",
                    "kernel driver in use: nouveau",
                )
            ),
            likely(
                contains(
                    "nouveau",
                    matching=(
                        r"nouveau (?:kernel )?driver is currently in use|nouveau[^.]{0,"
                        r"40}(?:loaded|in use|bound|conflict|blacklist)|blacklist(?:ing|ed)? "
                        r"nouveau|lsmod[^.]{0,60}nouveau"
                    ),
                )
            ),
            likely(contains("vfio-pci", matching=r"vfio-pci")),
            hint(contains("nouveau")),
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
)
