"""The machine in one line, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.core import NamedFact
    from torchdoctor.detect.model import Machine

__all__ = ["summary"]

_SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


def summary(machine: Machine, facts: Sequence[NamedFact] = ()) -> str:
    """System, interpreter and accelerators; what is unknown about the accelerators, with the reason."""
    return joined([*_system(machine, facts), _python(machine), *_accelerators(machine, facts)])


def _system(machine: Machine, facts: Sequence[NamedFact]) -> Iterator[str]:
    named = next((row.fact.value for row in facts if row.name == "os.name"), None)
    system = named or " ".join(filter(None, (_SYSTEMS[machine.os], machine.os_version)))
    where = ", ".join(filter(None, ("WSL" if machine.wsl else None, machine.container)))
    yield f"{system} {machine.arch}{f' ({where})' if where else ''}"
    if machine.libc:
        yield message(
            "{name} {version}",
            name=machine.libc.name,
            version=machine.libc.version or message("(version unknown)"),
        )


def _python(machine: Machine) -> str:
    names = {"cpython": "Python", "pypy": "PyPy"}
    python = machine.python
    return message(
        "{name} {version}{threads}{narrow}",
        name=names.get(python.implementation, python.implementation),
        version=python.version,
        threads=message(" free-threaded") if python.free_threaded else "",
        narrow=message(" 32-bit") if python.bits == 32 else "",  # noqa: PLR2004
    )


def _accelerators(machine: Machine, facts: Sequence[NamedFact]) -> Iterator[str]:
    names = [gpu.name for gpu in machine.nvidia.gpus] if machine.nvidia else []
    names += [gpu.name or gpu.gfx or "AMD GPU" for gpu in machine.amd.gpus] if machine.amd else []
    names += [gpu.name for gpu in machine.intel.gpus] if machine.intel else []
    names += [machine.apple.chip] if machine.apple else []
    yield from (name if count == 1 else f"{count} x {name}" for name, count in Counter(names).items())
    if machine.nvidia:
        yield (
            message("NVIDIA driver {version}", version=machine.nvidia.driver)
            if machine.nvidia.driver
            else message("NVIDIA driver missing or unknown")
        )
    for row in facts:
        if row.name == "nvidia.gpus" and row.fact.state == "unknown":
            yield message("NVIDIA GPUs unknown: {why}", why=row.fact.why or "")
            return
    if not names and machine.nvidia is None:
        yield message("no GPU")
