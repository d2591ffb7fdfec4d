"""What a live machine shows of a failure that a paste shows by its words: signs that join those of the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    Sign,
    all_of,
    any_of,
    certain,
    fact,
    hint,
    likely,
    no,
    predicate,
    source,
)
from torchdoctor.diagnose.rules import RULES

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.matchers import Predicate
    from torchdoctor.diagnose.rule import Rule

__all__ = ["LIVE", "live_rules"]

# Xids that NVIDIA's table calls the hardware's: https://docs.nvidia.com/deploy/xid-errors/
_HARDWARE_XIDS = (48, 62, 63, 64, 74, 79, 92, 94, 95, 119, 120)


def _several(name: str) -> Sign:
    """More than one value of that name."""

    def look(case: Evidence) -> Match | None:
        rows = case.observations(name)
        return Match(evidence=tuple(source(row) for row in rows)) if len(rows) > 1 else None

    return certain(predicate(look))


def _positive(name: str) -> Sign:
    return certain(fact(name, lambda value: value.isdecimal() and int(value) > 0))


def _hardware_xid(value: str) -> bool:
    return value.rpartition(" ")[2] in map(str, _HARDWARE_XIDS)


def _throttled(value: str) -> bool:
    """A reason that is a limit reached, not an idle GPU or a setting."""
    return any(word in value for word in ("thermal", "brake", "hardware-slowdown"))


_NO_DRIVER = no(fact("nvidia.driver"))
_IN_CONTAINER = fact("container")
_IN_WSL = fact("wsl")
_FAILED = fact("live.check.import", "fail")
# NVIDIA's library alone says nothing: a CUDA build on a machine without a GPU works, on its processors.
_NOT_LOADED = all_of(fact("live.nvidia.not_loaded"), fact("torch.build", "cu.*"))
_FOR_AMD = no(fact("nvidia.gpu"), fact("torch.build", "cpu|xpu|cu.*"))
# MiB that Docker gives where nobody asks for more: https://docs.docker.com/engine/containers/run/
_DOCKERS_SHM = 64

# The failure's id -> what shows it on the machine itself.
LIVE: dict[str, tuple[Sign, ...]] = {
    "driver-library-mismatch": (certain(fact("live.nvidia.mismatch", "true")),),
    "nouveau-or-other-driver-bound": (
        certain(all_of(_NO_DRIVER, fact("live.nvidia.kernel_driver", "nouveau|vfio-pci"))),
        likely(all_of(_NO_DRIVER, fact("live.nvidia.nouveau", "true"))),
    ),
    "dev-nodes-missing": (
        certain(all_of(fact("live.nvidia.no_nodes", "refused"), no(_IN_CONTAINER), no(_IN_WSL))),
    ),
    "container-without-gpu": (
        certain(all_of(_IN_CONTAINER, fact("live.nvidia.no_nodes"), no(_IN_WSL))),
        likely(all_of(_IN_CONTAINER, any_of(fact("live.nvidia.pci"), _NOT_LOADED), _NO_DRIVER)),
    ),
    "container-capabilities-missing": (likely(all_of(_IN_CONTAINER, fact("live.nvidia.no_libcuda"))),),
    "driver-installed-inside-container": (
        certain(all_of(_IN_CONTAINER, fact("live.nvidia.mismatch", "true"))),
    ),
    "wsl-linux-driver-inside": (
        likely(all_of(_IN_WSL, fact("live.nvidia.libcuda", lambda value: "/wsl/" not in value))),
    ),
    "mig-not-selected": (likely(fact("live.nvidia.no_slice")),),
    "cuda-visible-devices-wrong": (certain(fact("live.nvidia.hidden")),),
    "gpu-memory-held-by-others": (likely(fact("live.nvidia.full")),),
    "pcie-link-degraded": (hint(fact("live.nvidia.narrow")),),
    "driver-missing": (
        likely(all_of(_NO_DRIVER, fact("live.nvidia.pci"), no(_IN_CONTAINER))),
        likely(all_of(_NOT_LOADED, no(_IN_CONTAINER))),
    ),
    "nvidia-device-permission": (
        certain(fact("live.nvidia.devices_denied")),
        likely(fact("live.nvidia.no_permission")),
    ),
    "fabric-manager-not-running": (
        certain(fact("live.nvidia.fabric_manager", "inactive|failed")),
        likely(fact("live.nvidia.fabric", "not-started|failed")),
    ),
    "gpu-xid-hardware": (certain(fact("live.nvidia.lost")), likely(fact("live.nvidia.xid", _hardware_xid))),
    "gpu-ecc-errors": (
        _positive("live.nvidia.ecc_errors"),
        certain(fact("live.nvidia.row_remap", "pending|failed")),
    ),
    "thermal-or-power-throttling": (likely(fact("live.nvidia.throttle", _throttled)),),
    "exclusive-compute-mode": (
        certain(fact("live.nvidia.compute_mode", "prohibited")),
        likely(all_of(fact("live.nvidia.compute_mode", "exclusive-.*"), fact("cuda.available", "false"))),
    ),
    "ld-library-path-pollution": (
        certain(all_of(fact("live.nvidia.shadowing_libraries"), _FAILED)),
        likely(all_of(fact("live.nvidia.shadowing_libraries"), fact("cuda.available", "false"))),
    ),
    # Graphics inside a processor are AMD's too, and no concern of a CUDA build.
    "rocm-permission": (
        certain(all_of(fact("live.amd.kfd", "denied|read"), _FOR_AMD)),
        likely(all_of(fact("live.amd.render_denied"), fact("live.amd.pci"), _FOR_AMD)),
    ),
    "rocm-driver-missing": (
        likely(all_of(fact("live.amd.pci"), no(fact("live.amd.kfd")), fact("torch.build", "rocm.*"))),
    ),
    "xpu-unavailable": (
        likely(all_of(fact("xpu.available", "false"), no(fact("live.intel.level_zero")))),
        likely(all_of(fact("torch.build", "xpu"), fact("live.intel.render_denied"))),
    ),
    "shm-too-small": (likely(fact("live.system.shm", lambda value: int(value) <= _DOCKERS_SHM)),),
    "nvidia-wheels-missing": (certain(fact("live.unmet", r"(?:nvidia|cuda)-\S+ missing")),),
    "nvidia-wheels-mixed": (certain(fact("live.unmet", r"(?:nvidia|cuda)-\S+ \d.*")),),
    "triton-missing": (certain(fact("live.unmet", r"\S*triton\S* .*")),),
    "torch-dependency-missing": (certain(fact("live.required.missing")),),
    "torch-dependency-version": (certain(fact("live.required.version")),),
    "env-moved-or-copied": (certain(fact("live.moved")),),
    "conda-pip-mix": (certain(fact("live.conda_and_pip")),),
    "pythonpath-pollution": (certain(fact("live.python_path")),),
    "user-site-shadowing": (certain(fact("live.user_site")),),
    "duplicate-openmp": (likely(fact("live.openmp")),),
    "wsl-host-too-old": (certain(fact("live.os.wsl_version", "1")),),
    "local-file-shadows-torch": (certain(fact("live.shadow")),),
    "duplicate-torch-copies": (_several("live.torch.copy"),),
    "torch-replaced-by-other-package": (certain(fact("live.replaced")),),
    "partial-install": (
        certain(fact("live.record", "torch|torchvision|torchaudio|triton|nvidia-.*")),
        certain(fact("live.truncated")),
        likely(fact("live.unrecorded")),
        hint(fact("live.leftover")),
    ),
    "torchvision-mismatch": (likely(fact("live.companion", "torchvision")),),
    "torchaudio-mismatch": (likely(fact("live.companion", "torchaudio")),),
    "numpy2-abi": (likely(fact("live.numpy", r"2\..*")),),
    "jupyter-kernel-python-missing": (certain(fact("live.kernel.gone")),),
    "jupyter-kernel-without-ipykernel": (certain(fact("live.kernel.without_ipykernel")),),
    "jupyter-kernel-spec-broken": (certain(fact("live.kernel.corrupt")),),
    "jupyter-kernel-other-env": (likely(all_of(fact("live.kernel.without_torch"), fact("torch.version"))),),
}


# What forbids a failure on a live machine, of which more is known than of a paste.
_NOT_HERE: dict[str, tuple[Predicate, ...]] = {
    # The CPU build is right where none for the GPU fits; what is in its way is told by itself.
    "cpu-only-wheel": (fact("live.plan", "cpu"),),
    "aarch64-cpu-wheel": (fact("live.plan", "cpu"),),
    "conda-solver-chose-cpu": (fact("live.plan", "cpu"), no(fact("torch.build", "cpu"))),
    "cuda-visible-devices-wrong": (no(fact("nvidia.gpu"), fact("amd.gpu"), fact("amd.gfx")),),
    "wsl-linux-driver-inside": (no(_IN_WSL), fact("live.os.wsl_version", "1")),
    "wsl-host-too-old": (no(_IN_WSL),),
    # A module that is missing or cut short makes the same tracebacks; a file in front of it would have been seen.
    "local-file-shadows-torch": (
        all_of(any_of(fact("live.record", "torch"), fact("live.truncated")), no(fact("live.shadow"))),
    ),
    **{
        name: (no(_IN_CONTAINER),)
        for name in (
            "container-without-gpu",
            "container-toolkit-missing",
            "container-capabilities-missing",
            "driver-installed-inside-container",
        )
    },
}


def live_rules() -> tuple[Rule, ...]:
    """Every rule, with what a live machine shows among its signs, and what speaks against it."""
    return tuple(
        replace(
            rule,
            signs=(*rule.signs, *LIVE.get(rule.id, ())),
            unless=(*rule.unless, *_NOT_HERE.get(rule.id, ())),
        )
        for rule in RULES
    )
