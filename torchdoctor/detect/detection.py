"""This computer and an interpreter -> Detection: the machine, and the evidence for each part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core import Fact, NamedFact
from torchdoctor.detect.host.operating_system import name_of_system, normal_arch
from torchdoctor.detect.model import Amd, Intel, Machine, Python
from torchdoctor.detect.nvidia.facts import machine_part
from torchdoctor.detect.python.facts import python_facts
from torchdoctor.detect.registry import probes
from torchdoctor.detect.runner import LIMIT_SECONDS, run_probes
from torchdoctor.detect.summary import summary

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["Detection", "detect"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """The machine, and each fact with where it was read; docs/facts.md lists them."""

    machine: Machine
    facts: tuple[NamedFact, ...]

    def fact(self, name: str) -> Fact[Any]:
        """The fact of that name; `KeyError` when there is none."""
        for named in self.facts:
            if named.name == name:
                return named.fact
        raise KeyError(name)

    def summary(self) -> str:
        """The machine in one line."""
        return summary(self.machine, self.facts)


def detect(
    system: System,
    *,
    python: PythonInfo,
    environment: Path | None = None,
    cache: Path | None = None,
    seconds: float = LIMIT_SECONDS,
) -> Detection:
    """Look at everything that decides; all probes side by side, none longer than `seconds`, and none raises.

    `environment` and `cache` are where free disk is asked for; the environment is else the interpreter's.
    Raises `EnvironmentUnusable` for an interpreter of a system that PyTorch has no builds for.
    """
    os_name = name_of_system(python)
    places = {
        "environment": f"{environment or python.prefix}",
        "cache": f"{cache}" if cache else "",
        "temporary": _temporary(system, python),
    }
    seen: dict[str, Fact[Any]] = run_probes(system, python, probes(places), seconds=seconds)
    machine = Machine(
        os=os_name,
        os_version=seen["os.version"].value,
        arch=normal_arch(python),
        libc=seen["os.libc"].value,
        wsl=bool(seen["os.wsl"].value),
        container=seen["os.container"].value,
        python=Python(
            version=python.version,
            implementation=python.implementation,
            free_threaded=python.free_threaded,
            bits=python.bits,
        ),
        nvidia=machine_part(seen["nvidia.driver"], seen["nvidia.gpus"]),
        amd=Amd(driver=seen["amd.driver"].value, gpus=gpus) if (gpus := seen["amd.gpus"].value) else None,
        intel=Intel(gpus=gpus) if (gpus := seen["intel.gpus"].value) else None,
        apple=seen["apple.chip"].value,
    )
    rows = {**seen, **python_facts(python, system)}
    return Detection(
        machine=machine, facts=tuple(NamedFact(name=name, fact=fact) for name, fact in rows.items())
    )


def _temporary(system: System, python: PythonInfo) -> str:
    """Python's own order: https://docs.python.org/3/library/tempfile.html#tempfile.gettempdir."""
    given = next(filter(None, (system.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))), None)
    return given or ("C:\\TEMP" if python.sys_platform == "win32" else "/tmp")  # noqa: S108
