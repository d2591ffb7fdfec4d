"""What one of NVIDIA's witnesses said: the driver, the GPUs, and each GPU's state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from torchdoctor.detect.model import Nvidia, NvidiaGpu
from torchdoctor.detect.nvidia.gpu_state import STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact

__all__ = ["Gpus", "NvidiaFacts", "first_known", "machine_part", "no_facts"]

Gpus = tuple[NvidiaGpu, ...]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class NvidiaFacts:
    """What was said of the driver and of the GPUs; `hung` when the witness had to be given up.

    `cuda` is the newest CUDA that the driver speaks, whatever toolkit is installed; `lost` are GPUs that
    the driver counts and cannot reach; `nvml_error` is the code of NVML's error, absent where it answered and unknown
    where nobody asked it; `states` has a fact for each of `STATE_NAMES`.
    """

    driver: Fact[str]
    gpus: Fact[Gpus]
    cuda: Fact[str]
    lost: Fact[tuple[str, ...]]
    nvml_error: Fact[str]
    states: Mapping[str, Fact[Any]] = field(default_factory=dict)
    hung: bool = False

    @property
    def machine(self) -> Nvidia | None:
        """What the machine has of NVIDIA's."""
        return machine_part(self.driver, self.gpus)


def machine_part(driver: Fact[str], gpus: Fact[Gpus]) -> Nvidia | None:
    """What the machine has; None when no GPU is there, whatever driver is loaded.

    A container sees its host's driver without being given a GPU; a GPU whose driver is missing counts.
    """
    if gpus.state == "absent" or "found" not in (gpus.state, driver.state):
        return None
    return Nvidia(driver=driver.value, gpus=gpus.value or ())


def no_facts(fact: Fact[NoReturn], *, nvml_error: Fact[str] | None = None, hung: bool = False) -> NvidiaFacts:
    """A witness that could say one thing only, of everything."""
    return NvidiaFacts(
        driver=fact,
        gpus=fact,
        cuda=fact,
        lost=fact,
        nvml_error=nvml_error or fact,
        states=dict.fromkeys(STATE_NAMES, fact),
        hung=hung,
    )


def first_known(*facts: Fact[T]) -> Fact[T]:
    """The first that was found, else the first that is unknown, else the first."""
    for state in ("found", "unknown"):
        for fact in facts:
            if fact.state == state:
                return fact
    return facts[0]
