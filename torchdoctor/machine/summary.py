"""The machine in one line, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.machine.fact import NamedFact
    from torchdoctor.machine.model import Machine

__all__ = ["summary"]

_SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


def summary(machine: Machine, facts: Sequence[NamedFact] = ()) -> str:
    """System, interpreter and accelerators; what is unknown about the accelerators, with the reason."""
    parts = [*_system(machine, facts), f"{_python(machine)}", *_accelerators(machine, facts)]
    return ", ".join(parts)


def _system(machine: Machine, facts: Sequence[NamedFact]) -> Iterator[str]:
    named = next((row.fact.value for row in facts if row.name == "os.name"), None)
    system = named or " ".join(filter(None, (_SYSTEMS[machine.os], machine.os_version)))
    where = ", ".join(filter(None, ("WSL" if machine.wsl else None, machine.container)))
    yield f"{system} {machine.arch}{f' ({where})' if where else ''}"
    if machine.libc:
        yield f"{machine.libc.name} {machine.libc.version or '(version unknown)'}"


def _python(machine: Machine) -> str:
    names = {"cpython": "Python", "pypy": "PyPy"}
    python = machine.python
    threads = " free-threaded" if python.free_threaded else ""
    narrow = " 32-bit" if python.bits == 32 else ""  # noqa: PLR2004
    return f"{names.get(python.implementation, python.implementation)} {python.version}{threads}{narrow}"


def _accelerators(machine: Machine, facts: Sequence[NamedFact]) -> Iterator[str]:
    names = [gpu.name for gpu in machine.nvidia.gpus] if machine.nvidia else []
    names += [gpu.name or gpu.gfx or "AMD GPU" for gpu in machine.amd.gpus] if machine.amd else []
    names += [gpu.name for gpu in machine.intel.gpus] if machine.intel else []
    names += [machine.apple.chip] if machine.apple else []
    yield from (name if count == 1 else f"{count} x {name}" for name, count in Counter(names).items())
    if machine.nvidia:
        yield f"NVIDIA driver {machine.nvidia.driver or 'missing or unknown'}"
    for row in facts:
        if row.name == "nvidia.gpus" and row.fact.state == "unknown":
            yield f"NVIDIA GPUs unknown: {row.fact.why}"
            return
    if not names and machine.nvidia is None:
        yield "no GPU"
