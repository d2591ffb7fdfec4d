"""A machine described by a few words instead of detected: platform, Python, driver, GPUs, C library."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.detect.model import (
    Amd,
    AmdGpu,
    Apple,
    Intel,
    IntelGpu,
    Libc,
    Machine,
    Nvidia,
    NvidiaGpu,
    Python,
)
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheels_index import Product

__all__ = ["machine_from_options"]

_INTEL = re.compile(r"\b(Intel|Arc|Iris|UHD|Data Center GPU|Flex 1[47]0)\b", re.IGNORECASE)
_WRITTEN_CAPABILITY = re.compile(r"\d{1,2}\.\d|sm_?\d{2,3}")
_Gpus: TypeAlias = "tuple[Nvidia | None, Amd | None, Intel | None, Apple | None]"
# glibc of a machine that is only called `linux`: what today's wheels need, so that it decides nothing.
_USUAL_GLIBC = "2.28"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Platform:
    os: Literal["linux", "windows", "macos"]
    arch: str
    bits: int = 64
    libc: Libc | None = None
    os_version: str | None = None


_GPU_FORMS = message(
    "write its name as nvidia-smi prints it, its compute capability (8.9), its gfx target (gfx1100) or its PCI id "
    "(10de:2684)"
)
_NAMED = {
    "win_amd64": _Platform(os="windows", arch="x86_64"),
    "win_arm64": _Platform(os="windows", arch="arm64"),
    "win32": _Platform(os="windows", arch="x86_64", bits=32),
    "windows": _Platform(os="windows", arch="x86_64"),
    "linux": _Platform(os="linux", arch="x86_64", libc=Libc(name="glibc", version=_USUAL_GLIBC)),
    # A Mac whose system is not said: today's wheels need macOS 14.
    "macos": _Platform(os="macos", arch="arm64", os_version="14.0"),
}
# The architectures of PEP 600 and 656: torch has no build for most, which is an answer and not wrong usage.
_ARCHS = "x86_64|aarch64|i686|armv7l|loongarch64|ppc64|ppc64le|riscv64|s390x"
_32_BIT_ARCHS = ("i686", "armv7l")
_PATTERNS = (
    (re.compile(rf"(manylinux)_(\d{{1,3}})_(\d{{1,3}})_({_ARCHS})"), "glibc"),
    (re.compile(rf"(musllinux)_(\d{{1,3}})_(\d{{1,3}})_({_ARCHS})"), "musl"),
    (re.compile(r"(macosx)_(\d{1,3})_(\d{1,3})_(x86_64|arm64)"), None),
)
_LEGACY = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17", "linux": _USUAL_GLIBC}


def machine_from_options(
    *, platform: str, python_version: str, driver: str | None, gpus: Sequence[str], libc: str | None
) -> Machine:
    """The machine that the options describe; `UsageError` names the option that cannot be read.

    `platform` is a platform tag (`win_amd64`, `manylinux_2_28_x86_64`, `macosx_14_0_arm64`, `linux_aarch64`),
    `python_version` a version such as `3.12` or `3.13t`, a GPU a name, a compute capability or a gfx target.
    """
    place = _platform(platform)
    chosen = _libc(libc) if libc is not None else place.libc
    nvidia, amd, intel, apple = _gpus(gpus, driver)
    return Machine(
        os=place.os,
        arch=place.arch,
        os_version=place.os_version,
        libc=chosen if place.os == "linux" else None,
        python=_python(python_version, place.bits),
        nvidia=nvidia,
        amd=amd,
        intel=intel,
        apple=apple,
    )


def _platform(text: str) -> _Platform:
    if text in _NAMED:
        return _NAMED[text]
    for pattern, libc in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        bits = 32 if match[4] in _32_BIT_ARCHS else 64
        version = f"{match[2]}.{match[3]}"
        if libc is None:
            return _Platform(os="macos", arch=match[4], os_version=version)
        name: Literal["glibc", "musl"] = "glibc" if libc == "glibc" else "musl"
        return _Platform(os="linux", arch=match[4], bits=bits, libc=Libc(name=name, version=version))
    legacy = re.fullmatch(rf"(manylinux1|manylinux2010|manylinux2014|linux)_({_ARCHS})", text)
    if legacy is None:
        raise UsageError(
            message("--platform {text!r} is not a platform tag", text=text[:60]),
            fix=message(
                "write win_amd64, win_arm64, linux_x86_64, linux_aarch64, manylinux_2_28_x86_64, "
                "macosx_14_0_arm64 or the like"
            ),
        )
    bits = 32 if legacy[2] in _32_BIT_ARCHS else 64
    return _Platform(
        os="linux", arch=legacy[2], bits=bits, libc=Libc(name="glibc", version=_LEGACY[legacy[1]])
    )


def _python(text: str, bits: int) -> Python:
    match = re.fullmatch(r"(?:cp|python)?(\d{1,2}\.\d{1,3}(?:\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?)?)(t?)", text)
    if match is None:
        raise UsageError(
            message("--python-version {text!r} is not a Python version", text=text[:60]),
            fix=message("write 3.12, 3.12.4 or 3.13t"),
        )
    return Python(version=match[1], free_threaded=bool(match[2]), bits=bits)


def _libc(text: str) -> Libc:
    match = re.fullmatch(r"(glibc|musl)[ =_-]?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)?", text)
    if match is None:
        raise UsageError(
            message("--libc {text!r} is not a C library", text=text[:60]),
            fix=message("write glibc2.28 or musl1.2"),
        )
    return Libc(name="glibc" if match[1] == "glibc" else "musl", version=match[2])


def _gpus(gpus: Sequence[str], driver: str | None) -> _Gpus:
    # A machine from a file names no device, and the table of products is not made for it.
    from torchdoctor.detect.pci import product_of_id
    from wheels_index import meanings, product

    if driver is not None and parse_numeric_version(driver) is None:
        raise UsageError(
            message("--driver {driver!r} is not a driver version", driver=driver[:40]),
            fix=message("write it as nvidia-smi does, such as 551.61"),
        )
    nvidia: list[NvidiaGpu] = []
    amd: list[AmdGpu] = []
    intel: list[IntelGpu] = []
    apple: list[str] = []
    for asked in gpus:
        text = product_of_id(asked) or asked
        if not text.strip():
            raise UsageError(
                message("--gpu names nothing"), fix=message("write its name as nvidia-smi prints it")
            )
        if re.fullmatch(r"gfx[0-9a-f]{3,5}", text):
            amd.append(AmdGpu(gfx=text))
            continue
        # 8.9 is no name: the table of products is not made for it. 290 may be one.
        known = None if _WRITTEN_CAPABILITY.fullmatch(text) else product(text)
        if known is not None and known.vendor == "amd":
            amd.append(AmdGpu(name=text, gfx=known.gfx))
        elif known is not None and known.vendor == "apple":
            apple.append(f"Apple {text.strip().removeprefix('Apple ')}")
        elif known is not None and known.vendor == "intel":
            intel.append(IntelGpu(name=text if "Arc" in text else meanings(text)[0].name))
        elif _INTEL.search(text):
            intel.append(IntelGpu(name=text))
        else:
            nvidia.append(_nvidia(text))
    return (
        Nvidia(driver=driver, gpus=tuple(nvidia)) if nvidia or (driver and not gpus) else None,
        Amd(driver=None if nvidia else driver, gpus=tuple(amd)) if amd else None,
        Intel(gpus=tuple(intel)) if intel else None,
        Apple(chip=apple[0]) if apple else None,
    )


def _nvidia(text: str) -> NvidiaGpu:
    if re.fullmatch(r"(sm_?)?\d{1,2}\.?\d", text):
        digits = text.removeprefix("sm").lstrip("_").replace(".", "")
        capability = f"{digits[:-1]}.{digits[-1]}"
        return NvidiaGpu(
            name=message("a GPU of compute capability {capability}", capability=capability),
            compute_capability=capability,
        )
    from wheels_index import gpu

    known = gpu(text)
    if known is None:
        raise _not_one_gpu(text)
    return NvidiaGpu(name=text, compute_capability=".".join(map(str, known.compute_capability)))


def _not_one_gpu(text: str) -> UsageError:
    from wheels_index import meanings, similar_names

    several = meanings(text)
    if several:
        by_name: dict[str, set[str]] = {}
        for each in several:
            by_name.setdefault(each.name, set()).add(_what_decides(each))
        choices = [f"{name} ({', '.join(sorted(decides))})" for name, decides in sorted(by_name.items())]
        return UsageError(
            message(
                "--gpu {text!r} stands for several GPUs: {choices}", text=text[:60], choices=joined(choices)
            ),
            fix=_GPU_FORMS,
        )
    near = similar_names(text)
    return UsageError(
        message("--gpu {text!r} is not a GPU that is known", text=text[:60]),
        fix=message("did you mean {names}?", names=joined(near, " or ")) if near else _GPU_FORMS,
    )


def _what_decides(each: Product) -> str:
    """What tells the GPUs of one name apart, as `--gpu` takes it."""
    if each.compute_capability is not None:
        return ".".join(map(str, each.compute_capability))
    return each.gfx or each.vendor.capitalize()
