"""Whether one build fits one machine: its C library, then its GPUs and their driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.amd_intel import check_rocm, check_xpu
from torchdoctor.resolve.model import Compatibility
from torchdoctor.resolve.nvidia import check_cuda
from wheels_index import variant

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from wheels_index import Release

__all__ = ["check_compatibility"]

_CHECKS = {"cuda": check_cuda, "rocm": check_rocm, "xpu": check_xpu}


def check_compatibility(machine: Machine, release: Release, name: str) -> Compatibility:
    """Return how the variant `name` of `release` fits the machine; the release has builds for its platform."""
    refused = _check_glibc(machine, release, name)
    if refused is not None:
        return refused
    build = variant(name)
    check = _CHECKS.get(build.kind)
    if check is None:
        return Compatibility(coverage="all", code="cpu", reason=message("the CPU build runs on any machine"))
    return check(machine, release, build)


def _check_glibc(machine: Machine, release: Release, name: str) -> Compatibility | None:
    floor = release.platforms[machine.platform or ""].glibc_floor(name)
    is_glibc = machine.libc is not None and machine.libc.name == "glibc"
    version = parse_numeric_version(machine.libc.version) if machine.libc is not None and is_glibc else None
    if floor is None or version is None or version >= floor:
        return None
    need, have = (".".join(map(str, part)) for part in (floor, version))
    reason = message(
        "torch {version}+{name} needs glibc ≥ {need}; this machine has {have}",
        version=release.version,
        name=name,
        need=need,
        have=have,
    )
    return Compatibility(coverage="none", code="glibc-too-old", reason=reason, installable=False)
