"""What a live machine shows of a failure that a paste shows by its words: signs that join those of the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rules import RULES
from torchdoctor.diagnosis.signs import Seen, Sign, all_of, fact, hint, likely, no, source, sure, test

if TYPE_CHECKING:
    from torchdoctor.diagnosis.case_file import CaseFile
    from torchdoctor.diagnosis.rule import Rule

__all__ = ["LIVE", "live_rules"]

# Xids that NVIDIA's table calls the hardware's: https://docs.nvidia.com/deploy/xid-errors/
_HARDWARE_XIDS = (48, 62, 63, 64, 74, 79, 92, 94, 95, 119, 120)


def _several(name: str) -> Sign:
    """More than one value of that name."""

    def look(case: CaseFile) -> Seen | None:
        rows = case.of(name)
        return Seen(evidence=tuple(source(row) for row in rows)) if len(rows) > 1 else None

    return sure(test(look))


def _positive(name: str) -> Sign:
    return sure(fact(name, lambda value: value.isdecimal() and int(value) > 0))


def _hardware_xid(value: str) -> bool:
    return value.rpartition(" ")[2] in map(str, _HARDWARE_XIDS)


def _throttled(value: str) -> bool:
    """A reason that is a limit reached, not an idle GPU or a setting."""
    return any(word in value for word in ("thermal", "brake", "hardware-slowdown"))


_NO_DRIVER = no(fact("nvidia.driver"))
_IN_CONTAINER = fact("container")

# The failure's id -> what shows it on the machine itself.
LIVE: dict[str, tuple[Sign, ...]] = {
    "driver-library-mismatch": (sure(fact("live.nvidia.mismatch", "true")),),
    "nouveau-or-other-driver-bound": (
        sure(all_of(_NO_DRIVER, fact("live.nvidia.kernel_driver", "nouveau|vfio-pci"))),
        likely(all_of(_NO_DRIVER, fact("live.nvidia.nouveau", "true"))),
    ),
    "driver-missing": (likely(all_of(_NO_DRIVER, fact("live.nvidia.pci"), no(_IN_CONTAINER))),),
    "nvidia-device-permission": (sure(fact("live.nvidia.devices_denied")),),
    "fabric-manager-not-running": (
        sure(fact("live.nvidia.fabric_manager", "inactive|failed")),
        likely(fact("live.nvidia.fabric", "not-started|failed")),
    ),
    "gpu-xid-hardware": (sure(fact("live.nvidia.lost")), likely(fact("live.nvidia.xid", _hardware_xid))),
    "gpu-ecc-errors": (
        _positive("live.nvidia.ecc_errors"),
        sure(fact("live.nvidia.row_remap", "pending|failed")),
    ),
    "thermal-or-power-throttling": (likely(fact("live.nvidia.throttle", _throttled)),),
    "exclusive-compute-mode": (
        sure(fact("live.nvidia.compute_mode", "prohibited")),
        likely(all_of(fact("live.nvidia.compute_mode", "exclusive-.*"), fact("cuda.available", "false"))),
    ),
    "ld-library-path-pollution": (hint(fact("live.nvidia.shadowing_libraries")),),
    "rocm-permission": (
        sure(fact("live.amd.kfd", "denied|read")),
        likely(all_of(fact("live.amd.render_denied"), fact("live.amd.pci"))),
    ),
    "wsl-host-too-old": (sure(fact("live.os.wsl_version", "1")),),
    "local-file-shadows-torch": (sure(fact("live.shadow", "torch|torchvision|torchaudio")),),
    "duplicate-torch-copies": (_several("live.torch.copy"),),
    "torch-replaced-by-other-package": (sure(fact("live.replaced")),),
    "partial-install": (
        sure(fact("live.record", "torch|torchvision|torchaudio|triton|nvidia-.*")),
        sure(fact("live.truncated")),
        hint(fact("live.leftover")),
    ),
    "torchvision-mismatch": (likely(fact("live.companion", "torchvision")),),
    "torchaudio-mismatch": (likely(fact("live.companion", "torchaudio")),),
    "numpy2-abi": (likely(fact("live.numpy", r"2\..*")),),
    "jupyter-kernel-python-missing": (sure(fact("live.kernel.broken")),),
    "jupyter-kernel-other-env": (likely(all_of(fact("live.kernel.without_torch"), fact("torch.version"))),),
}


def live_rules() -> tuple[Rule, ...]:
    """Every rule, with what a live machine shows among its signs."""
    return tuple(replace(rule, signs=(*rule.signs, *LIVE.get(rule.id, ()))) for rule in RULES)
