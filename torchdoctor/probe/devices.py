"""The devices that torch can use here, their properties, and how to wait for one."""

from __future__ import annotations

import ctypes
from functools import partial
from typing import Any, Callable

__all__ = ["best", "chosen", "describe", "kernels_fit", "kind", "older_than_all", "present", "waiter"]


def kind(device: str) -> str:
    """Return `cuda` for `cuda:0`."""
    return device.partition(":")[0]


def present(torch: Any) -> list[str]:
    """Return every device that torch can use, the CPU first. Torch calls ROCm's devices `cuda`."""
    found = ["cpu"]
    for name in ("cuda", "xpu"):
        # torch.xpu came with 2.3.
        module = getattr(torch, name, None)
        if module is not None and module.is_available():
            found += ["%s:%d" % (name, index) for index in range(module.device_count())]  # noqa: UP031
    mps = getattr(torch.backends, "mps", None)
    if mps is not None and mps.is_available():
        found.append("mps")
    return found


def best(there: list[str]) -> str:
    """Return the first accelerator, else the CPU: `present` lists the usually fastest kind first."""
    return next((device for device in there if device != "cpu"), there[0])


def chosen(requested: list[str] | None, there: list[str]) -> tuple[list[str], list[str]]:
    """Return the requested devices that are there and those that are not. `cuda` stands for every `cuda:N`."""
    if requested is None:
        return there, []
    found: list[str] = []
    missing: list[str] = []
    for name in requested:
        fitting = [device for device in there if name in (device, kind(device))]
        found += [device for device in fitting if device not in found]
        if not fitting:
            missing.append(name)
    return found, missing


def waiter(torch: Any, device: str) -> Callable[[], None]:
    """Return a function that waits until the device has finished its work."""
    name = kind(device)
    if name == "cpu":
        return lambda: None
    synchronize: Callable[..., None] = getattr(torch, name).synchronize
    return synchronize if name == "mps" else partial(synchronize, device)


def describe(torch: Any, device: str) -> dict[str, object]:
    """Return name, capability and memory of a device, each null where torch does not know it."""
    facts: dict[str, object] = {"device": device, "name": None, "capability": None, "memory_mib": None}
    name = kind(device)
    if name == "mps":
        facts["name"] = _apple_chip() or "Apple GPU"
    if name not in ("cuda", "xpu"):
        return facts
    properties = getattr(torch, name).get_device_properties(device)
    facts["name"] = str(properties.name)
    facts["memory_mib"] = int(properties.total_memory) // 2**20
    if name == "cuda" and getattr(torch.version, "hip", None):
        facts["capability"] = str(getattr(properties, "gcnArchName", "")).partition(":")[0] or None
    elif name == "cuda":
        facts["capability"] = "%d.%d" % (properties.major, properties.minor)  # noqa: UP031
    return facts


def _apple_chip() -> str | None:
    """Return `Apple M2 Max`, which macOS says and torch does not; None where it cannot be asked.

    https://opensource.apple.com/source/xnu/xnu-7195.81.3/tests/sysctl_hw.c.auto.html
    """
    size = ctypes.c_size_t(64)
    name = ctypes.create_string_buffer(size.value)
    try:
        failed = ctypes.CDLL(None).sysctlbyname(
            b"machdep.cpu.brand_string", name, ctypes.byref(size), None, ctypes.c_size_t(0)
        )
    except (AttributeError, OSError, TypeError):
        return None
    text = name.value.decode("ascii", "replace")
    return text if not failed and text.startswith("Apple ") else None


def kernels_fit(capability: str, architectures: list[str]) -> bool:
    """Return whether a build with kernels for these architectures has kernels for this GPU.

    NVIDIA's rule: machine code (`sm_XY`) runs on the same major version and an equal or later minor one; PTX
    (`compute_XY`) is compiled for any later one; a letter ties it to exactly that version (`sm_90a`) or to its family
    (`sm_100f`).
    """
    if capability.startswith("gfx"):
        return capability in architectures
    major, _, minor = capability.partition(".")
    for architecture in architectures:
        form, _, version = architecture.partition("_")
        digits = version.rstrip("af")
        if not digits.isdigit():
            continue
        built = (int(digits[:-1]), int(digits[-1]))
        here = (int(major), int(minor))
        if version.endswith("a"):
            fits = built == here
        elif form == "compute":
            fits = built <= here
        else:
            fits = built[0] == here[0] and built[1] <= here[1]
        if fits:
            return True
    return False


def older_than_all(capability: str, architectures: list[str]) -> bool:
    """Return whether an NVIDIA GPU is older than every architecture that the build has kernels for."""
    versions = [name.partition("_")[2].rstrip("af") for name in architectures]
    built = [(int(text[:-1]), int(text[-1])) for text in versions if text.isdigit()]
    major, _, minor = capability.partition(".")
    return minor.isdigit() and bool(built) and (int(major), int(minor)) < min(built)
