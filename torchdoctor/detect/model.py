"""The machine as later stages see it: operating system, Python and accelerators. Unknown is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "Amd",
    "AmdGpu",
    "Apple",
    "Intel",
    "IntelGpu",
    "Libc",
    "Machine",
    "Nvidia",
    "NvidiaGpu",
    "OperatingSystem",
    "Platform",
    "Python",
]

OperatingSystem = Literal["linux", "windows", "macos"]
Platform = Literal[
    "linux_x86_64", "linux_aarch64", "windows_x86_64", "windows_arm64", "macos_arm64", "macos_x86_64"
]

_PLATFORMS: dict[tuple[str, str], Platform] = {
    ("linux", "x86_64"): "linux_x86_64",
    ("linux", "aarch64"): "linux_aarch64",
    ("windows", "x86_64"): "windows_x86_64",
    ("windows", "arm64"): "windows_arm64",
    ("macos", "arm64"): "macos_arm64",
    ("macos", "x86_64"): "macos_x86_64",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Libc:
    """The C library that the target interpreter is linked with."""

    name: Literal["glibc", "musl"]
    version: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Python:
    """The target interpreter, as far as it decides which wheels fit."""

    version: str
    implementation: str = "cpython"
    free_threaded: bool = False
    bits: int = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class NvidiaGpu:
    """One GPU: its marketing name, its compute capability as "8.9", its memory."""

    name: str
    compute_capability: str | None = None
    memory_mib: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Nvidia:
    """The NVIDIA driver (under WSL, the Windows one) and its GPUs; `gpus` is empty when they are unknown."""

    driver: str | None = None
    gpus: tuple[NvidiaGpu, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AmdGpu:
    """One GPU: its marketing name and its target, such as gfx1100."""

    name: str | None = None
    gfx: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amd:
    """The amdgpu driver (None for the kernel's own, which has no version) and its compute GPUs."""

    driver: str | None = None
    gpus: tuple[AmdGpu, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class IntelGpu:
    """One GPU by its marketing name."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Intel:
    """Intel's GPUs, integrated ones too."""

    gpus: tuple[IntelGpu, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Apple:
    """The chip of a Mac, such as Apple M2."""

    chip: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What was found. `arch` is that of the interpreter: x86_64 for an Intel Python under Rosetta."""

    os: OperatingSystem
    arch: str
    python: Python
    os_version: str | None = None
    libc: Libc | None = None
    wsl: bool = False
    container: str | None = None
    nvidia: Nvidia | None = None
    amd: Amd | None = None
    intel: Intel | None = None
    apple: Apple | None = None

    @property
    def platform(self) -> Platform | None:
        """The name by which builds are sorted; None where PyTorch has none (32-bit Python, other processors)."""
        return _PLATFORMS.get((self.os, self.arch)) if self.python.bits == 64 else None  # noqa: PLR2004

    @property
    def python_label(self) -> str:
        """Major and minor version, with a t when free-threaded: 3.13t."""
        short = ".".join(self.python.version.split(".")[:2])
        return f"{short}t" if self.python.free_threaded else short

    def to_json(self) -> dict[str, Any]:
        """The machine as contract JSON: every field there, unknown ones null."""
        from torchdoctor.detect.codec import to_json

        return to_json(self)

    @staticmethod
    def from_json(document: Any) -> Machine:
        """Read contract JSON; `UsageError` names the field that is wrong."""
        from torchdoctor.detect.codec import from_json

        return from_json(document)
