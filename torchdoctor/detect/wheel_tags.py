"""Which wheel tags a machine takes, this one or one described, computed from its facts alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

    from torchdoctor.detect.model import Machine

__all__ = ["platform_tags", "supported_tags"]

# https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_X86 = ("x86_64", "i686")
_MANYLINUX = (*_X86, "aarch64", "ppc64le", "s390x", "riscv64", "loongarch64", "armv7l", "ppc64")
_NARROW = {"x86_64": ("i686",), "aarch64": ("armv8l", "armv7l")}
_WIN = {"x86_64": "win_amd64", "arm64": "win_arm64", "i686": "win32"}
_BITS = 32


def supported_tags(machine: Machine) -> tuple[Tag, ...]:
    """Every tag that the machine's interpreter takes, the best first.

    Where a version that decides is unknown (glibc, macOS), the tags that need it are left out.
    """
    from packaging.tags import compatible_tags, cpython_tags, generic_tags

    platforms = list(platform_tags(machine))
    numbers = _numbers(machine.python.version)[:2]
    short = "".join(map(str, numbers))
    if machine.python.implementation != "cpython":
        letters = "pp" if machine.python.implementation == "pypy" else machine.python.implementation
        tags = list(generic_tags(f"{letters}{short}", [], platforms)) if platforms else []
        base = "pp3" if letters == "pp" else None
        return (*tags, *compatible_tags(numbers, base, platforms))
    abi = f"cp{short}{'t' if machine.python.free_threaded else ''}"
    own = cpython_tags(numbers, [abi], platforms) if platforms else ()
    return (*own, *compatible_tags(numbers, f"cp{short}", platforms))


def platform_tags(machine: Machine) -> Iterator[str]:
    """The platform part, the best first."""
    if machine.os == "windows":
        name = "win32" if machine.python.bits == _BITS else _WIN.get(machine.arch)
        yield from (name,) if name else ()
    elif machine.os == "macos":
        yield from _mac(machine)
    else:
        yield from _linux(machine)


def _mac(machine: Machine) -> Iterator[str]:
    from packaging.tags import mac_platforms

    numbers = _numbers(machine.os_version or "")
    if numbers:
        yield from mac_platforms((numbers[0], numbers[1] if len(numbers) > 1 else 0), machine.arch)


def _linux(machine: Machine) -> Iterator[str]:
    narrow = machine.python.bits == _BITS
    archs = _NARROW.get(machine.arch, (machine.arch,)) if narrow else (machine.arch,)
    for arch in archs:
        yield f"linux_{arch}"
    version = _numbers(machine.libc.version or "") if machine.libc else ()
    if machine.libc is None or len(version) < 2:  # noqa: PLR2004  (major and minor)
        return
    for arch in archs:
        yield from _musl(arch, version) if machine.libc.name == "musl" else _glibc(arch, version)


def _glibc(arch: str, version: tuple[int, ...]) -> Iterator[str]:
    """PEP 600: every glibc from the machine's down to 2.5 on x86 and to 2.17 elsewhere."""
    if arch not in _MANYLINUX or version[0] != 2:  # noqa: PLR2004  (there is no other glibc)
        return
    for minor in range(min(version[1], 999), (4 if arch in _X86 else 16), -1):
        yield f"manylinux_2_{minor}_{arch}"
        legacy = _LEGACY.get((2, minor))
        if legacy and (legacy == "manylinux2014" or arch in _X86):
            yield f"{legacy}_{arch}"


def _musl(arch: str, version: tuple[int, ...]) -> Iterator[str]:
    """PEP 656: every musl of the same major up to the machine's."""
    for minor in range(min(version[1], 999), -1, -1):
        yield f"musllinux_{version[0]}_{minor}_{arch}"


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d{1,4}(\.\d{1,4}){0,2}", version)
    return tuple(map(int, match[0].split("."))) if match else ()
