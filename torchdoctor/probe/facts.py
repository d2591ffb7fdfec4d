"""Facts of the environment: versions, build and devices. What is absent is null."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from typing import Any

from . import devices

__all__ = ["COMPANIONS", "of_devices", "of_python", "of_torch", "variant", "version_of"]

COMPANIONS = ("torchvision", "torchaudio")


def version_of(distribution: str) -> str | None:
    """Return the version in the environment's metadata, without importing anything; None where there is none."""
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    # A dist-info without METADATA gives None in older Pythons.
    return str(version) if version else None


def of_python() -> dict[str, object]:
    """Return what is known before torch is imported, so that a crash of the import does not hide it."""
    values: dict[str, object] = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "torch": version_of("torch"),
    }
    values.update({name: version_of(name) for name in COMPANIONS})
    return values


def of_torch(torch: Any) -> dict[str, object]:
    """Return what an imported torch reports of its build, before any device is used."""
    return {
        "torch": str(torch.__version__),
        "variant": variant(torch),
        "cuda": getattr(torch.version, "cuda", None),
        "hip": getattr(torch.version, "hip", None),
        "xpu": getattr(torch.version, "xpu", None),
        "threads": torch.get_num_threads(),
    }


def of_devices(torch: Any, there: list[str]) -> dict[str, object]:
    """Return every device, and the architectures for which this build has kernels."""
    described = [devices.describe(torch, device) for device in there]
    architectures = None
    if any(devices.kind(device) == "cuda" for device in there):
        architectures = [str(name) for name in torch.cuda.get_arch_list()]
    return {"devices": described, "arch_list": architectures}


def variant(torch: Any) -> str | None:
    """Return the build's tag as download.pytorch.org names it, from its version or from what it was built with."""
    local = str(torch.__version__).partition("+")[2]
    if re.match(r"(cpu|cu\d+|rocm[\d.]+|xpu)", local):
        return local
    hip, cuda = getattr(torch.version, "hip", None), getattr(torch.version, "cuda", None)
    if hip:
        return "rocm" + ".".join(str(hip).split(".")[:2])
    if cuda:
        return "cu" + "".join(str(cuda).split(".")[:2])
    return "xpu" if getattr(torch.version, "xpu", None) else "cpu"
