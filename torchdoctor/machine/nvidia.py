"""NVIDIA's driver and GPUs, from the surest witness to the weakest.

1. NVML, the driver's own library, in a process that is given up after 5 s.
2. /sys/module/nvidia/version and /proc/driver/nvidia/version, for the driver alone.
3. nvidia-smi, on PATH and where WSL keeps it; not asked when NVML hung, since it asks the same library.
4. PCI, when there is no driver to ask: that a GPU is there, and its name where the system knows it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from torchdoctor.machine.fact import Fact, absent, found, unknown
from torchdoctor.machine.model import Nvidia, NvidiaGpu
from torchdoctor.machine.nvidia_text import (
    parse_kernel_module,
    parse_nvml,
    parse_proc_version,
    parse_smi,
    parse_smi_refusal,
)
from torchdoctor.machine.pci import NVIDIA, display_devices, named

if TYPE_CHECKING:
    from torchdoctor.machine.seam import World

__all__ = ["NvidiaFacts", "probe_nvidia"]

_CHILD = Path(__file__).with_name("nvml_child.py")
_SMI = ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")
_FIELDS = "name,compute_cap,memory.total,driver_version"
_OLD_FIELDS = "name,memory.total,driver_version"

Gpus = tuple[NvidiaGpu, ...]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class NvidiaFacts:
    """What the witnesses said of the driver and of the GPUs; `hung` when one had to be given up."""

    driver: Fact[str]
    gpus: Fact[Gpus]
    hung: bool = False

    @property
    def machine(self) -> Nvidia | None:
        """What the machine has; None when no GPU is there, whatever driver is loaded.

        A container sees its host's driver without being given a GPU; a GPU whose driver is missing counts.
        """
        if self.gpus.state == "absent" or "found" not in (self.gpus.state, self.driver.state):
            return None
        return Nvidia(driver=self.driver.value, gpus=self.gpus.value or ())


def probe_nvidia(world: World) -> NvidiaFacts:
    """Ask the witnesses in order until the driver and the GPUs are known."""
    nvml = _ask_nvml(world)
    loaded = _ask_kernel(world)
    # A driver that answers and has no GPU is sure of it.
    if nvml.gpus.state == "found" or (nvml.gpus.state, nvml.driver.state) == ("absent", "found"):
        return NvidiaFacts(driver=_first(nvml.driver, loaded), gpus=nvml.gpus)
    if nvml.hung:
        return NvidiaFacts(driver=_first(loaded, nvml.driver), gpus=nvml.gpus, hung=True)
    smi = _ask_smi(world)
    gpus = _first(nvml.gpus, smi.gpus)
    driver = _first(nvml.driver, loaded, smi.driver)
    if gpus.state == "found":
        return NvidiaFacts(driver=driver, gpus=gpus)
    return NvidiaFacts(driver=driver, gpus=_ask_bus(world, gpus, loaded))


def _first(*facts: Fact[T]) -> Fact[T]:
    """The first that was found, else the first that is unknown, else the first."""
    for state in ("found", "unknown"):
        for fact in facts:
            if fact.state == state:
                return fact
    return facts[0]


def _ask_nvml(world: World) -> NvidiaFacts:
    source = "NVML"
    spec = find_spec("pynvml")
    if spec is None or spec.origin is None or not sys.executable:
        return _both(unknown("nvidia-ml-py is not installed", source))
    module = Path(spec.origin)
    # A package instead of a module is the forerunner of nvidia-ml-py, of the same interface.
    folder = str(module.parents[1] if module.name == "__init__.py" else module.parent)
    # -S: site-packages is not needed, and its .pth files cost time.
    answer = world.run([sys.executable, "-I", "-S", str(_CHILD), folder])
    if not answer.ok:
        why = answer.cause.replace(Path(sys.executable).name, "NVML", 1)
        return _both(unknown(why, source), hung=answer.failure == "time-limit")
    try:
        said = parse_nvml(answer.stdout)
    except ValueError as error:
        return _both(unknown(f"its answer makes no sense: {error}", source))
    if said.error is not None:
        gone = said.error in ("library-not-found", "driver-not-loaded")
        return _both(absent(source, why=said.detail) if gone else unknown(said.detail, source))
    gpus: Fact[Gpus] = (
        found(said.gpus, source) if said.gpus else absent(source, why=said.detail or "no device")
    )
    if said.detail and not said.gpus:
        gpus = unknown(said.detail, source)
    return NvidiaFacts(
        driver=found(said.driver, source) if said.driver else unknown("none said", source), gpus=gpus
    )


def _both(fact: Fact[NoReturn], *, hung: bool = False) -> NvidiaFacts:
    return NvidiaFacts(driver=fact, gpus=fact, hung=hung)


def _ask_kernel(world: World) -> Fact[str]:
    """The version of the module that is loaded; WSL has none, its driver is in Windows."""
    places = (
        ("/sys/module/nvidia/version", parse_kernel_module),
        ("/proc/driver/nvidia/version", parse_proc_version),
    )
    odd: Fact[str] | None = None
    for path, parse in places:
        text = world.read_text(path)
        if text is None:
            continue
        version = parse(text)
        if version is not None:
            return found(version, path)
        odd = unknown(f"it says {text.strip()[:60]!r}", path)
    return odd or absent(" and ".join(path for path, _ in places))


def _ask_smi(world: World) -> NvidiaFacts:
    last = _both(absent("nvidia-smi", why="it is not there"))
    for program in _SMI:
        for fields in (_FIELDS, _OLD_FIELDS):
            answer = world.run([program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"])
            if answer.failure == "missing":
                break
            if not answer.ok and answer.failure != "status":
                return _both(unknown(answer.cause, program))
            try:
                rows = parse_smi(answer.stdout, fields.split(","))
            except ValueError as error:
                why = parse_smi_refusal(f"{answer.stdout}\n{answer.stderr}")
                if why is not None and why.startswith("No devices were found"):
                    return _both(absent(program, why=why))
                odd = f"its answer makes no sense: {error}" if answer.ok else answer.cause
                last = _both(unknown(why or odd, program))
                if why is not None:
                    return last
                continue
            return NvidiaFacts(driver=found(rows.driver, program), gpus=found(rows.gpus, program))
    return last


def _ask_bus(world: World, gpus: Fact[Gpus], loaded: Fact[str]) -> Fact[Gpus]:
    """No library or tool answered: say whether a GPU is there all the same."""
    nodes = world.glob("/dev/nvidia[0-9]*")
    if not nodes and loaded.state == "found" and _contained(world):
        return absent(
            "/dev/nvidia*", why="the host's driver is loaded, but no GPU is passed into this container"
        )
    cards = tuple(NvidiaGpu(name=named(world, device)) for device in display_devices(world, NVIDIA))
    if cards:
        return found(cards, "PCI")
    if loaded.state == "found" and gpus.state == "absent":
        return unknown(
            "the driver is loaded, and neither NVML nor nvidia-smi is there to list its GPUs", gpus.source
        )
    return gpus


def _contained(world: World) -> bool:
    from torchdoctor.machine.system import probe_container

    return probe_container(world).state == "found"
