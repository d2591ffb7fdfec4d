"""What is offered for AMD GPUs besides PyTorch's own builds, and whether their driver goes with a ROCm release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from wheels_index import variant

if TYPE_CHECKING:
    from torchdoctor.detect import AmdGpu, Machine

__all__ = ["amd_cards", "amd_driver_warnings", "amd_offers"]


def amd_cards(machine: Machine) -> tuple[AmdGpu, ...]:
    """Return the machine's AMD GPUs."""
    return machine.amd.gpus if machine.amd is not None else ()


def amd_offers(machine: Machine) -> list[str]:
    """Return what can be tried where PyTorch's builds have no code for the machine's AMD GPUs."""
    if not amd_cards(machine):
        return []
    return [*_own_builds(machine), *_overrides(machine), *_failed_overrides(machine)]


def _own_builds(machine: Machine) -> list[str]:
    from wheels_index import amd_build  # few machines have AMD GPUs

    cards = amd_cards(machine)
    build = amd_build(machine.platform or "", sorted({card.gfx for card in cards if card.gfx}))
    if build is None:
        return []
    wanted = " ".join(f'"{requirement}"' for requirement in build.requirements)
    return [
        message(
            "AMD's own index has torch {torch} with ROCm {rocm} for {names}: torchdoctor takes it with `--vendor amd`, "
            "and pip with `pip install --index-url {url} {wanted}`; without the part in brackets the first operation "
            "on the GPU fails",
            torch=build.torch,
            rocm=build.rocm,
            names=joined(card.name or card.gfx or "AMD GPU" for card in cards),
            url=build.index_url,
            wanted=wanted,
        )
    ]


def _overrides(machine: Machine) -> list[str]:
    """Offer to run the code of another target, where that was seen to work; nothing chooses it by itself."""
    if machine.os != "linux":
        return []
    from wheels_index.amd import stand_in

    return [
        message(
            "PyTorch's ROCm builds were seen to run on {name} with HSA_OVERRIDE_GFX_VERSION={version}, which uses the "
            "code of {target}: `--variant` takes one; AMD does not support it, and results can be wrong, so run "
            "`torchdoctor verify` first",
            version=found.version,
            target=found.target,
            name=card.name or card.gfx,
        )
        for card in amd_cards(machine)
        if card.gfx is not None and (found := stand_in(card.gfx)) is not None
    ]


def _failed_overrides(machine: Machine) -> list[str]:
    """Warn of the override where it was seen to fail: forums name it for every GPU."""
    if machine.os != "linux":
        return []
    from wheels_index.amd import failed_stand_in

    how = {
        "wrong": message("it computes wrong results"),
        "hangs": message("the GPU or the whole machine hangs"),
        "refused": message("the first operation fails"),
    }
    return [
        message(
            "do not set HSA_OVERRIDE_GFX_VERSION for {name} ({gfx}): {how}",
            name=card.name or "AMD GPU",
            gfx=card.gfx,
            how=how[failure],
        )
        for card in amd_cards(machine)
        if card.gfx is not None and (failure := failed_stand_in(card.gfx)) is not None
    ]


def amd_driver_warnings(machine: Machine, build: str) -> list[str]:
    """Warn of an amdgpu driver package that AMD did not test with the ROCm of a build; none where that is not known."""
    from wheels_index.amd import rocm_tested_with

    driver = machine.amd.driver if machine.amd is not None else None
    tested = rocm_tested_with(driver) if driver is not None else None
    toolkit = variant(build).toolkit
    if tested is None or toolkit is None or ".".join(map(str, toolkit[:2])) in tested:
        return []
    return [
        message(
            "AMD tested amdgpu driver {driver} with ROCm {tested}, and {build} has ROCm {rocm}: update the driver "
            "where the GPU is not found or fails",
            driver=driver,
            tested=joined(tested),
            build=build,
            rocm=".".join(map(str, toolkit)),
        )
    ]
