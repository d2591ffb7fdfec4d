"""An extension that does not go with the torch chosen, or has no build for the machine: what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution
from wheels_index import variant
from wheels_index.extension import extension

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.workflows.stack_model import StackChoice
    from wheels_index.extension import Extension, Fit, OutsidePip

__all__ = [
    "Misfit",
    "below_newest",
    "goes_without",
    "needs_besides",
    "no_build_error",
    "no_pair_error",
    "ways_out_of",
]

_MAX_NAMED = 4
_NAMES = {
    "cuda11": "CUDA 11", "cuda12": "CUDA 12", "cuda13": "CUDA 13", "rocm": "ROCm", "xpu": "XPU", "cpu": "CPU"
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """An extension of a choice that does not go with its torch."""

    known: Extension
    version: str
    torch: OfferedBuild
    fit: Fit

    @property
    def built_for(self) -> str:
        """What its build is for, in words."""
        return message(
            "{name} {version} is built for {needs}",
            name=self.known.project,
            version=self.version,
            needs=_in_words(self.fit),
        )


def below_newest(misfit: Misfit, choice: StackChoice) -> str:
    """Return why a version below the newest is taken."""
    name = misfit.known.project
    return message(
        "{name} is below {newest}: {why}, not for torch {torch}",
        name=name,
        newest=choice.newest.get(name, misfit.version),
        why=misfit.built_for,
        torch=misfit.torch.package.version,
    )


def goes_without(misfit: Misfit, machine: Machine) -> str:
    """Return what is said of an extension that is taken although its GPU part does not go with torch."""
    way = misfit.known.way_out(machine.platform or "", variant(misfit.torch.variant).kind)
    torch = misfit.torch.package.version
    if misfit.known.on_mismatch == "no-gpu":
        text = message(
            "{why}, not for torch {torch}: it does not use the GPU", why=misfit.built_for, torch=torch
        )
    else:
        text = message(
            "{why}, not for torch {torch}: its compiled kernels are left out",
            why=misfit.built_for,
            torch=torch,
        )
    return message("{text}; {way}", text=text, way=message(way)) if way is not None else text


def needs_besides(known: Extension, row: OutsidePip) -> str:
    """Return what an extension needs on the machine that no index has."""
    return message("{name} needs besides: {what}", name=known.project, what=message(row.text))


def no_pair_error(misfit: Misfit, machine: Machine, limits: Sequence[str]) -> NoSolution:
    """Return the error of an extension of which no build goes with any torch for the machine.

    `limits` say which other extensions have limited the choice of torch.
    """
    name = misfit.known.project
    way = _way_out(misfit.known, machine.platform or "", variant(misfit.torch.variant).kind)
    return NoSolution(
        message(
            "no build of {name} goes with a torch for this machine: {why}",
            name=name,
            why=joined([misfit.built_for, *(limit for limit in limits if limit != misfit.built_for)], "; "),
        ),
        fix=way or message("ask for another version of {name}, or leave it out", name=name),
        code="no-build-of-extension",
    )


def no_build_error(known: Extension, platform: str, kinds: Iterable[str]) -> NoSolution:
    """Return the error of an extension that has no build for a system, with the way out."""
    way = next((found for kind in sorted(kinds) if (found := _way_out(known, platform, kind))), None)
    return NoSolution(
        message("{name} has no build for this machine", name=known.project),
        fix=way or message("leave {name} out", name=known.project),
        code="no-build-of-extension",
    )


def _way_out(known: Extension, platform: str, kind: str | None = None) -> str | None:
    """What to do instead, in words, with the options where another project has the same module."""
    text, instead = known.way_out(platform, kind), known.stands_in(platform, kind)
    if text is None or instead is None:
        return message(text) if text is not None else None
    return message(
        "{way}: --without {name} --with {instead}", way=message(text), name=known.project, instead=instead
    )


def ways_out_of(names: Iterable[str], machine: Machine | None) -> list[str]:
    """Return what to do about extensions that have no file for the machine, in words; nothing for other packages."""
    platform = machine.platform if machine is not None else None
    known = [found for name in names if (found := extension(name)) is not None]
    ways = [_way_out(each, platform) for each in known if platform]
    return [way for way in ways if way]


def _in_words(fit: Fit) -> str:
    if fit.because == "torch":
        each = [need.removeprefix("==").removesuffix(".*") for need in fit.needs[:_MAX_NAMED]]
        return message("torch {versions}", versions=joined(each, message(" or ")))
    return joined([_NAMES.get(need, need) for need in fit.needs[:_MAX_NAMED]], message(" or "))
