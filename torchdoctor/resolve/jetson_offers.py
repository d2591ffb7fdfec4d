"""What is said for a Jetson whose GPU no build of PyTorch's reaches: NVIDIA's own builds, by name, and of its driver.

The driver of a Jetson is part of Jetson Linux, and not updated by itself:
https://developer.nvidia.com/blog/simplifying-cuda-upgrades-for-nvidia-jetson-users/ (read 2026-12-01)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.gpu_capability import capability_of
from wheels_index import gpus, variant

if TYPE_CHECKING:
    from torchdoctor.detect import Machine, NvidiaGpu
    from wheels_index import Vendor

__all__ = ["is_jetson", "jetson_offers"]


def is_jetson(machine: Machine) -> bool:
    """Return whether the machine's NVIDIA GPU is that of a Jetson, by its name or its compute capability."""
    cards = _cards(machine)
    if not cards:
        return False
    own = {each.compute_capability for each in gpus() if each.market == "jetson"}
    return all("Jetson" in card.name or capability_of(card) in own for card in cards)


def jetson_offers(machine: Machine) -> list[str]:
    """Return a sentence for each vendor that has builds for all NVIDIA GPUs of the machine and for its driver.

    Without a known driver there is none: what an offer names would be refused.
    """
    cards = _cards(machine)
    if machine.nvidia is None or not cards:
        return []
    driver = machine.nvidia.driver
    from wheels_index import vendor, vendor_names  # few machines need them

    return [
        message(
            "{title} has builds of CUDA {cuda} for {name}: `--vendor {vendor}` takes them",
            title=found.title,
            cuda=".".join(map(str, variant(found.variant or "").toolkit or ())),
            name=cards[0].name,
            vendor=found.name,
        )
        for found in map(vendor, vendor_names())
        if found.platform == machine.platform and _serves(found, cards, driver)
    ]


def _cards(machine: Machine) -> tuple[NvidiaGpu, ...]:
    """The NVIDIA GPUs of a machine that may be a Jetson."""
    if machine.nvidia is None or machine.platform != "linux_aarch64":
        return ()
    return machine.nvidia.gpus


def _serves(found: Vendor, cards: tuple[NvidiaGpu, ...], driver: str | None) -> bool:
    minimum = variant(found.variant or "").minimum_driver["linux"]
    enough = (parse_numeric_version(driver or "") or ()) >= (parse_numeric_version(minimum) or ())
    return driver is not None and enough and all(_capability(card) in (found.gpus or ()) for card in cards)


def _capability(card: NvidiaGpu) -> str:
    return ".".join(map(str, capability_of(card) or ()))
