"""Packages that were compiled for another Python, by the tags in their WHEEL file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.detect.python.facts import abi_of
from torchdoctor.doctor.stack.model import StackProblem
from torchdoctor.inventory import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["problems_of_tags", "runs_on"]

_TAG = re.compile(r"^Tag:\s*(\S{1,200})\s*$", re.MULTILINE)
_CPYTHON = re.compile(r"cp(\d)(\d{1,2})")
_MAX_TAGS = 50
_MAX_SHOWN = 3


def problems_of_tags(packages: Iterable[Distribution], python: PythonInfo) -> Iterator[StackProblem]:
    """Yield each package all of whose tags are for other Pythons than this one."""
    if python.implementation != "cpython":
        return
    for package in packages:
        text = files.read_text(f"{package.metadata}/WHEEL") if package.kind == "wheel" else None
        tags = _TAG.findall(text or "")[:_MAX_TAGS]
        if not tags or any(runs_on(tag, python) for tag in tags):
            continue
        pythons = list(dict.fromkeys("-".join(tag.split("-")[:2]) for tag in tags))
        description = message(
            "{name} {version} is compiled for {pythons}, and this is Python {python}",
            name=package.name,
            version=package.version,
            pythons=joined(pythons[:_MAX_SHOWN]),
            python=python.version,
        )
        yield StackProblem(
            kind="python",
            package=package.name,
            requirement=f"{package.name}=={package.version}",
            description=description,
        )


def runs_on(tag: str, python: PythonInfo) -> bool:
    """Return whether a tag such as `cp310-cp310-linux_x86_64` is for this CPython; one that is not known is.

    https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    """
    pythons, _, rest = tag.partition("-")
    abis = rest.partition("-")[0].split(".")
    here = tuple(int(part) for part in python.version.split(".")[:2])
    for name in pythons.split("."):
        match = _CPYTHON.fullmatch(name)
        if match is None:
            return True
        built = (int(match[1]), int(match[2]))
        if "abi3" in abis and built <= here and not python.free_threaded:
            return True
        if "none" in abis and built <= here:
            return True
        if abi_of(python) in abis:
            return True
    return False
