"""Wheels that are asked for by URL: whether they are for the machine, and for which torch their names say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from torchdoctor.requirements.model import AskedRequirement

__all__ = ["WheelTie", "refuse_wheels_of_other_machines", "wheel_tie"]

_SHOWN_TAGS = 3
# `torch2.9.0`, and PyG's `pt29` and `pt210`.
_TORCH = re.compile(r"(?<![a-z])(?:torch(\d+)\.(\d+)|pt(\d)\.?(\d{1,2})(?![0-9]))")
_CUDA = re.compile(r"(?<![a-z])cu(\d{2})\d?(?![0-9])")
_OTHERS = re.compile(r"(?<![a-z])(rocm|xpu|cpu)(?![a-z])")


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelTie:
    """What a wheel's file name says that it was built against."""

    filename: str
    torch: SpecifierSet
    accelerator: str | None  # such as `cuda12`, as `wheels_index.extension.accelerator_of` has it

    @property
    def text(self) -> str:
        """The file and what it is for, in words."""
        return message(
            "{filename} is built for {built_for}", filename=self.filename, built_for=self._built_for
        )

    @property
    def _built_for(self) -> str:
        torch = message("torch {wanted}", wanted=str(self.torch).removeprefix("==").removesuffix(".*"))
        if self.accelerator is None:
            return torch
        name = self.accelerator.upper().replace("CUDA", "CUDA ").replace("ROCM", "ROCm")
        return message("{torch} and {accelerator}", torch=torch, accelerator=name)


def wheel_tie(line: str) -> WheelTie | None:
    """Return what a requirement that names a wheel by URL is built against; None where its name does not say.

    >>> tie = wheel_tie("a @ https://x.example/a-1.0%2Bcu128torch2.9.0cxx11abiTRUE-cp312-cp312-win_amd64.whl")
    >>> str(tie.torch), tie.accelerator
    ('==2.9.*', 'cuda12')
    """
    filename = unquote(PurePosixPath(urlsplit(Requirement(line).url or "").path).name)
    try:
        local = parse_wheel_filename(filename)[1].local or ""
    except InvalidWheelFilename:
        return None
    found = _TORCH.search(local)
    if found is None:
        return None
    cuda, other = _CUDA.search(local), _OTHERS.search(local)
    accelerator = f"cuda{cuda[1]}" if cuda is not None else other[1] if other is not None else None
    release = f"=={int(found[1] or found[3])}.{int(found[2] or found[4])}.*"
    return WheelTie(
        filename=sanitize_line(filename, limit=120), torch=SpecifierSet(release), accelerator=accelerator
    )


def refuse_wheels_of_other_machines(requirements: Iterable[AskedRequirement], tags: Iterable[Tag]) -> None:
    """Raise `NoSolution` for a wheel by URL whose tags are not among those of the machine."""
    supported = frozenset(tags)
    for asked in requirements:
        url = Requirement(asked.line).url
        filename = unquote(PurePosixPath(urlsplit(url or "").path).name)
        try:
            wheel_tags = parse_wheel_filename(filename)[3]
        except InvalidWheelFilename:
            continue
        if supported.isdisjoint(wheel_tags):
            names = sorted(map(str, wheel_tags))
            raise NoSolution(
                message(
                    "{origin}: {filename} is a wheel for {tags}, and cannot be installed on this machine",
                    origin=asked.origin,
                    filename=sanitize_line(filename, limit=120),
                    tags=joined(names[:_SHOWN_TAGS], " / "),
                ),
                fix=message(
                    "name the file for this machine and Python, or ask for {name} without a URL",
                    name=asked.name,
                ),
                code="wheel-of-other-machine",
            )
