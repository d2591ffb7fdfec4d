"""This computer and an interpreter -> Detection: the machine, and the evidence for each part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.machine.amd import probe_amd, probe_amd_driver
from torchdoctor.machine.apple import probe_apple
from torchdoctor.machine.beside import Beside
from torchdoctor.machine.fact import Fact, NamedFact, absent, found
from torchdoctor.machine.intel import probe_intel
from torchdoctor.machine.model import Amd, Apple, Intel, Machine, Python
from torchdoctor.machine.nvidia import NvidiaFacts, probe_nvidia
from torchdoctor.machine.summary import summary
from torchdoctor.machine.system import (
    name_of_system,
    normal_arch,
    probe_container,
    probe_libc,
    probe_os_name,
    probe_os_version,
    probe_wsl,
)

if TYPE_CHECKING:
    from torchdoctor.machine.model import AmdGpu, IntelGpu, Libc
    from torchdoctor.machine.python import PythonInfo
    from torchdoctor.machine.seam import World

__all__ = ["Detection", "detect"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """The machine, and each fact with where it was read."""

    machine: Machine
    facts: tuple[NamedFact, ...]

    def summary(self) -> str:
        """The machine in one line."""
        return summary(self.machine, self.facts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    os_name: Fact[str]
    os_version: Fact[str]
    libc: Fact[Libc]
    wsl: Fact[bool]
    container: Fact[str]
    nvidia: NvidiaFacts
    amd: Fact[tuple[AmdGpu, ...]]
    amd_driver: Fact[str]
    intel: Fact[tuple[IntelGpu, ...]]
    apple: Fact[Apple]


def detect(world: World, *, python: PythonInfo) -> Detection:
    """Look at everything that decides which build fits; no probe takes longer than 5 s, and none raises.

    Raises `EnvironmentUnusable` for an interpreter of a system that PyTorch has no builds for.
    """
    system = name_of_system(python)
    seen = _look(world, python)
    machine = Machine(
        os=system,
        os_version=seen.os_version.value,
        arch=normal_arch(python),
        libc=seen.libc.value,
        wsl=bool(seen.wsl.value),
        container=seen.container.value,
        python=Python(
            version=python.version,
            implementation=python.implementation,
            free_threaded=python.free_threaded,
            bits=python.bits,
        ),
        nvidia=seen.nvidia.machine,
        amd=Amd(driver=seen.amd_driver.value, gpus=seen.amd.value) if seen.amd.value else None,
        intel=Intel(gpus=seen.intel.value) if seen.intel.value else None,
        apple=seen.apple.value,
    )
    return Detection(machine=machine, facts=_facts(seen, python))


def _look(world: World, python: PythonInfo) -> _Seen:
    """The one slow witness, NVIDIA's, is asked while the files are read."""
    linux, mac = python.sys_platform == "linux", python.sys_platform == "darwin"
    elsewhere = f"{python.sys_platform} has none"
    nvidia = Beside(lambda: probe_nvidia(world))
    return _Seen(
        os_name=probe_os_name(world, python),
        os_version=probe_os_version(world, python),
        libc=probe_libc(world, python),
        wsl=probe_wsl(world) if linux else found(False, elsewhere),
        container=probe_container(world) if linux else absent(elsewhere),
        amd=probe_amd(world) if linux else absent(elsewhere),
        amd_driver=probe_amd_driver(world) if linux else absent(elsewhere),
        intel=probe_intel(world) if linux else absent(elsewhere),
        apple=probe_apple(world) if mac else absent(elsewhere),
        nvidia=nvidia.result(),
    )


def _facts(seen: _Seen, python: PythonInfo) -> tuple[NamedFact, ...]:
    by_python = f"{python.executable}"
    rows: dict[str, Fact[object]] = {
        "os.name": seen.os_name,
        "os.version": seen.os_version,
        "os.libc": seen.libc,
        "os.wsl": seen.wsl,
        "os.container": seen.container,
        "python.version": found(python.version, by_python),
        "python.implementation": found(python.implementation, by_python),
        "python.free_threaded": found(python.free_threaded, by_python),
        "python.bits": found(python.bits, by_python),
        "python.virtual_environment": found(python.is_venv, by_python),
        "python.externally_managed": found(python.externally_managed, by_python),
        "nvidia.driver": seen.nvidia.driver,
        "nvidia.gpus": seen.nvidia.gpus,
        "amd.driver": seen.amd_driver,
        "amd.gpus": seen.amd,
        "intel.gpus": seen.intel,
        "apple.chip": seen.apple,
    }
    return tuple(NamedFact(name=name, fact=fact) for name, fact in rows.items())
