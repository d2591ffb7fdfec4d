"""The card itself: faults, memory errors, heat and power, the PCIe link."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, certain, contains, hint, likely, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

XID_ECC = contains("xid", matching=r"xid[^.\n]{0,60}?[:, ](?:48|63|64|92|94|95)\b")
ECC = contains(
    "uncorrectable ecc",
    "ecc error",
    "uncorrectable memory error",
    "eccuncorrectable",
    "row remap",
    "double bit ecc",
    "dbe ",
    "retired page",
    "page retirement",
    "pending page",
)

RULES = (
    Rule(
        id="gpu-ecc-errors",
        layer=Layer.HARDWARE,
        severity="error",
        title="The GPU's memory has errors that cannot be corrected",
        explanation=(
            "Cells of the GPU's memory fail. A page retirement or a row remap may be pending and "
            "takes hold after a reset."
        ),
        signs=(
            certain(
                contains(
                    "uncorrectable ecc error encountered", "eccuncorrectable", "cuda_error_ecc_uncorrectable"
                )
            ),
            certain(XID_ECC),
            likely(ECC),
        ),
        steps=(
            Step(
                text="Reset the GPU, or reboot, to apply a pending remap:",
                command="sudo nvidia-smi --gpu-reset -i 0",
                where="admin",
            ),
            Step(
                text=(
                    "If errors come back, or `nvidia-smi -q -d ROW_REMAPPER` shows a remapping "
                    "failure, the card has to be replaced."
                ),
                where="admin",
            ),
        ),
        explains=("gpu-xid-hardware",),
        os=("linux",),
        find="`nvidia-smi -q -d ECC,ROW_REMAPPER,PAGE_RETIREMENT` shows counters and what is pending.",
    ),
    Rule(
        id="gpu-xid-hardware",
        layer=Layer.HARDWARE,
        severity="error",
        title="The GPU or its connection fails (Xid)",
        explanation=(
            "The driver reported a fault of the device. Power supply, heat, a riser, the PCIe "
            "slot or a failing board are behind it. Xid 13, 31 and 43 may also be a bug of a "
            "program."
        ),
        signs=(
            certain(contains("fallen off the bus", "gpu is lost", "gpu_is_lost", "gpu has fallen")),
            certain(
                contains(
                    "xid",
                    matching=(
                        r"nvrm: xid|xid \(pci|\bxid[ :#]{1,3}(?:error )?(?:7[49]|62|61|119|120|38"
                        r"|45|8|32|56|57|109|145|149)\b"
                    ),
                )
            ),
            likely(
                contains(
                    "unable to determine the device handle",
                    "rminitadapter failed",
                    "rm_init_adapter failed",
                    "gsp_init_done",
                    "gpu recovery action",
                    "reboot the system to recover this gpu",
                )
            ),
            possible(
                contains(
                    "unspecified launch failure",
                    "cuda error: hardware",
                    "bus error encountered",
                    "cuda_error_hardware_stack",
                    "cudaerrorlaunchfailure",
                    "the launch timed out",
                )
            ),
            hint(contains("xid")),
        ),
        steps=(
            Step(
                text="Read the kernel's log for Xid numbers:",
                command="sudo dmesg | grep -i -E 'nvrm|xid'",
                where="admin",
                os=("linux",),
            ),
            Step(
                text=(
                    "Reboot, or switch the machine fully off for a minute: a card that has "
                    "fallen off the bus comes back only so."
                )
            ),
            Step(
                text=(
                    "Check the power cables and the slot or riser, the temperature under load, "
                    "and the firmware; try lower clocks. If it stays, return the card."
                )
            ),
        ),
        explains=("kernel-module-not-built", "hybrid-gpu-off", "driver-missing"),
        os=("linux", "windows"),
        find=(
            "`dmesg` (Linux) or the system's event log (Windows, source nvlddmkm) shows the "
            "fault at the moment of the failure."
        ),
    ),
    Rule(
        id="thermal-or-power-throttling",
        layer=Layer.HARDWARE,
        severity="warning",
        title="The GPU lowers its clocks because of heat or power",
        explanation=(
            "At a limit of temperature or power, on battery or with a low power cap the GPU runs "
            "slower than it can."
        ),
        signs=(
            likely(
                contains(
                    "thermal slowdown",
                    "power brake slowdown",
                    "sw power cap",
                    "hw slowdown",
                    "sw thermal",
                    matching=r"(?:thermal slowdown|power cap|hw slowdown|brake slowdown)\s?:\s?active",
                )
            ),
            likely(
                contains(
                    "throttl",
                    matching=(
                        r"(?:thermal|power|heat|gpu|clock)\w*[^.]{0,30}throttl|throttl\w*[^.]{0,"
                        r"40}(?:reason|therm|power|heat|temperature|\bgpu\b)"
                    ),
                )
            ),
            possible(
                all_of(
                    contains("slow", "performance", "drops", "half"),
                    contains("power limit", "temperature", "overheat", "on battery", "clocks_throttle"),
                )
            ),
        ),
        steps=(
            Step(
                text="See the reasons while it runs:",
                command="nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER",
            ),
            Step(text="Better cooling, the charger plugged in, or the card's default power limit again."),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi -q -d PERFORMANCE` under load: every reason but Idle should be Not Active.",
    ),
    Rule(
        id="pcie-link-degraded",
        layer=Layer.HARDWARE,
        severity="warning",
        title="The PCIe link is slower than card and slot can be",
        explanation=(
            "A riser, a badly seated card, a slot with fewer lanes or a firmware setting limits "
            "the link. At rest a low generation is normal: it saves energy."
        ),
        signs=(
            likely(
                contains(
                    "pcie",
                    "pci-e",
                    "link width",
                    "link gen",
                    "lnksta",
                    matching=(
                        r"(?:pcie|link)[^.]{0,40}(?:gen|width|speed)[^.]{0,60}(?:current|max|1x"
                        r"|x1\b|x4\b|x8\b|downgraded|degraded|instead)|lnksta:[^\n]{0,"
                        r"80}downgraded|only (?:\w+ )?(?:x[1248]|at x[1248]|registered at "
                        r"(?:2\.5|5)gt)\b|limited by pcie|available pcie bandwidth|pcie gen "
                        r"?[1-3]\b"
                    ),
                )
            ),
            possible(
                contains(
                    "host to device",
                    "host-to-device",
                    "h2d bandwidth",
                    matching=(
                        r"(?:slow|low|only)[^.]{0,60}(?:gb/s|bandwidth)|bandwidth[^.]{0,"
                        r"40}(?:slow|low|only)"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Compare the link under load with its maximum:",
                command=(
                    "nvidia-smi --query-gpu=pcie.link.gen.current,pcie.link.gen.max,"
                    "pcie.link.width.current,pcie.link.width.max --format=csv"
                ),
            ),
            Step(
                text=(
                    "Reseat the card, leave out the riser, use the slot next to the processor, "
                    "set the slot's generation in the firmware."
                ),
                where="admin",
            ),
        ),
        os=("linux", "windows"),
        find="Generation and width while a copy to the GPU runs; at rest they say nothing.",
    ),
)
