"""What a machine supports of the properties of wheel variants, as the vendors' own providers decide it.

https://github.com/wheelnext/nvidia-variant-provider: a lower bound is met where the driver's CUDA is not older, and
`90_real` is code for one GPU and later ones of its major. AMD: `gfx_arch`, in TheRock's packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.gpu_capability import capability_of
from wheels_index import toolkit_drivers
from wheels_index.wheel_variants import parse_property

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.detect import Machine
    from wheels_index.wheel_variants import Property

__all__ = ["driver_cuda", "judge_properties", "rank_property", "why_not_supported"]

_FEATURES = {
    ("nvidia", "cuda_version_lower_bound"): 0,
    ("nvidia", "cuda_version_upper_bound"): 1,
    ("nvidia", "sm_arch"): 2,
    ("amd", "gfx_arch"): 0,
}


def driver_cuda(machine: Machine) -> tuple[int, ...] | None:
    """Return the newest CUDA that the machine's NVIDIA driver came with or after; None where that is not known."""
    driver = parse_numeric_version(machine.nvidia.driver) if machine.nvidia is not None else None
    if driver is None:
        return None
    column: Literal["linux", "windows"] = "windows" if machine.os == "windows" or machine.wsl else "linux"
    drivers = ((toolkit, parse_numeric_version(least)) for toolkit, least in toolkit_drivers(column))
    return max((toolkit for toolkit, least in drivers if least is not None and driver >= least), default=None)


def rank_property(machine: Machine, wanted: Property) -> tuple[int, int] | None:
    """Return the places of a property's feature and value among those of the machine; None where it has it not."""
    namespace, feature, value = wanted
    place = _FEATURES.get((namespace, feature))
    if place is None:
        return None
    if (namespace, feature) == ("amd", "gfx_arch"):
        targets = [card.gfx for card in machine.amd.gpus] if machine.amd is not None else []
        return (place, targets.index(value)) if value in targets else None
    if feature == "sm_arch":
        rank = _rank_of_code(machine, value)
        return (place, rank) if rank is not None else None
    cuda, bound = driver_cuda(machine), parse_numeric_version(value)
    if cuda is None or bound is None:
        return None
    if feature == "cuda_version_lower_bound":
        minor = bound[1] if len(bound) > 1 else 0
        return (place, 1000 * (cuda[0] - bound[0]) + cuda[1] - minor) if cuda >= bound else None
    return (place, 0) if cuda < bound else None


def _rank_of_code(machine: Machine, value: str) -> int | None:
    """The place of `90_real` or `90_virtual` for the most capable GPU, 0 for its own code."""
    number, _, kind = value.partition("_")
    best = max(_capabilities(machine), default=None)
    if best is None or not number.isdecimal() or len(number) < 2:  # noqa: PLR2004
        return None
    code = int(number[:-1]), int(number[-1])
    if kind == "real" and code[0] == best[0] and code <= best:
        return best[1] - code[1]
    return 99 if kind == "virtual" and code == (best[0], 0) else None


def _capabilities(machine: Machine) -> list[tuple[int, int]]:
    cards = machine.nvidia.gpus if machine.nvidia is not None else ()
    return [found for card in cards if (found := capability_of(card)) is not None]


def judge_properties(machine: Machine, properties: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return why the machine does not support a wheel of these properties (None: it does), and those that it has."""
    parsed = [(text, parse_property(text)) for text in properties]
    reason = why_not_supported(machine, [each for _, each in parsed])
    return reason, tuple(text for text, each in parsed if rank_property(machine, each) is not None)


def why_not_supported(machine: Machine, properties: Iterable[Property]) -> str | None:
    """Return which feature of a label the machine does not meet; None where it meets all."""
    by_feature: dict[tuple[str, str], list[str]] = {}
    for namespace, feature, value in properties:
        by_feature.setdefault((namespace, feature), []).append(value)
    for (namespace, feature), values in by_feature.items():
        if any(rank_property(machine, (namespace, feature, value)) is not None for value in values):
            continue
        text = f"{namespace} :: {feature} :: {joined(values, ' | ')}"
        if (namespace, feature) not in _FEATURES:
            return message("{property} is not understood", property=text)
        if feature == "cuda_version_lower_bound" and (cuda := driver_cuda(machine)) is not None:
            return message(
                "{property} needs a driver of that CUDA, and this machine's is of {cuda}",
                property=text,
                cuda=".".join(map(str, cuda)),
            )
        return message("this machine does not meet {property}", property=text)
    return None
