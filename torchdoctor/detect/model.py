"""The machine as later stages see it: operating system, Python and accelerators. Unknown is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from torchdoctor.core.i18n import message
from torchdoctor.core.serde import FieldError, MaxItems, Pattern, ShortText, WholeNumber, from_json, to_json
from torchdoctor.errors import UsageError

__all__ = [
    "GPU_LIMIT_COUNT",
    "SCHEMA",
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

SCHEMA = 1
GPU_LIMIT_COUNT = 1024

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


_NumericVersion = Annotated[str, Pattern(r"\d{1,5}(\.\d{1,6}){0,4}", "550.54.15")]
_LibcVersion = Annotated[str, Pattern(r"\d{1,5}(\.\d{1,6}){0,4}", "2.35")]
_PythonVersion = Annotated[str, Pattern(r"[23]\.\d{1,3}(\.\d{1,3})?((a|b|rc)\d{1,3})?\+?", "3.12.4")]
_Implementation = Annotated[str, Pattern(r"[a-z][a-z0-9_]{0,31}", "cpython")]
_Bits = Annotated[int, WholeNumber((32, 64))]
_Arch = Annotated[str, Pattern(r"[a-z0-9_]{1,32}", "x86_64")]
_ComputeCapability = Annotated[str, Pattern(r"\d{1,2}\.\d", "8.9")]
_MemoryMib = Annotated[int, WholeNumber(range(1, 1 << 30))]
_Gfx = Annotated[str, Pattern(r"gfx[0-9a-f]{3,6}", "gfx1100")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Libc:
    """The C library that the target interpreter is linked with."""

    name: Literal["glibc", "musl"]
    version: _LibcVersion | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Python:
    """The target interpreter, as far as it decides which wheels fit."""

    implementation: _Implementation = "cpython"
    version: _PythonVersion  # such as "3.12.4"
    free_threaded: bool = False
    bits: _Bits = 64  # of its pointers


@dataclass(frozen=True, kw_only=True, slots=True)
class NvidiaGpu:
    """One NVIDIA GPU."""

    name: ShortText  # its marketing name
    compute_capability: _ComputeCapability | None = None  # such as "8.9"
    memory_mib: _MemoryMib | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Nvidia:
    """The NVIDIA driver (under WSL, the Windows one) and its GPUs; `gpus` is empty when they are unknown."""

    driver: _NumericVersion | None = None
    gpus: Annotated[tuple[NvidiaGpu, ...], MaxItems(GPU_LIMIT_COUNT)] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AmdGpu:
    """One AMD GPU: its marketing name and its target, such as gfx1100."""

    name: ShortText | None = None
    gfx: _Gfx | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amd:
    """The amdgpu driver (None for the kernel's own, which has no version) and its compute GPUs."""

    driver: Annotated[str, Pattern(r"\d{1,5}(\.\d{1,6}){0,4}", "6.10.5")] | None = None
    gpus: Annotated[tuple[AmdGpu, ...], MaxItems(GPU_LIMIT_COUNT)] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class IntelGpu:
    """One Intel GPU by its marketing name."""

    name: ShortText


@dataclass(frozen=True, kw_only=True, slots=True)
class Intel:
    """Intel's GPUs, integrated ones too."""

    gpus: Annotated[tuple[IntelGpu, ...], MaxItems(GPU_LIMIT_COUNT)] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Apple:
    """The chip of a Mac, such as Apple M2."""

    chip: ShortText


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What was found. `arch` is that of the interpreter: x86_64 for an Intel Python under Rosetta."""

    os: OperatingSystem
    os_version: ShortText | None = None
    arch: _Arch
    libc: Libc | None = None
    wsl: bool = False
    container: ShortText | None = None
    python: Python
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
        """Return the machine as JSON: every field in the order of the contract, unknown ones null."""
        return cast("dict[str, Any]", to_json(self))

    @staticmethod
    def from_json(document: Any) -> Machine:
        """Return the machine that `to_json` wrote; missing fields are unknown, fields of later versions are ignored.

        Of a document that holds a machine under `machine`, such as a whole report, that one is read. A `schema`, where
        there is one, must be known. Raises `UsageError` with the path of the field that is wrong.
        """
        try:
            return _read_machine(document)
        except FieldError as error:
            raise UsageError(
                message("the machine's description cannot be used: {error}", error=error.args[0]),
                fix=message(
                    "correct that field, or write the description anew with `torchdoctor report --format json`"
                ),
                code="bad-machine",
            ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class _Report:
    """A document that may hold a machine."""

    schema: Annotated[int, WholeNumber((SCHEMA,))] = SCHEMA
    machine: dict[str, Any] | None = None


def _read_machine(document: Any) -> Machine:
    report = from_json(document, _Report, whole="the machine")
    if report.machine is not None:
        return from_json(report.machine, Machine, path="machine")
    return from_json(document, Machine)
