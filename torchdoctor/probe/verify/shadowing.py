"""The check for files that have the name of a module: Python finds them before the real one."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from ..message import joined, sentence
from ..step import Outcome, failed, passed, skipped, warned

__all__ = ["STARTED_IN", "shadow"]

# The folder in which the parent was started; the probe runs in another one.
STARTED_IN = "TORCHDOCTOR_STARTED_IN"

_NAMES = ("torch", "torchvision", "torchaudio", "numpy")


def shadow(_torch: Any, _device: str) -> Outcome:
    """Look where the user's programs look first for files that have the name of a module that torch needs."""
    places = [("the current folder", os.environ.get(STARTED_IN) or None)]
    places += [("PYTHONPATH", place) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    known = {name.partition(".")[0] for name in sys.modules} - set(sys.builtin_module_names)
    looked = 0
    odd = []
    for what, place in places:
        if place is None:
            continue
        looked += 1
        for name in _modules_in(Path(place)):
            if name in _NAMES and not _is_home_of_torch(Path(place)):
                text = sentence(
                    "{path}{more} is taken for {name} by every program that is started with {what}; give it "
                    "another name",
                    path=Path(place, name),
                    more="" if Path(place, name).is_dir() else ".py",
                    name=name,
                    what=what,
                )
                # A whole package there is another installation, and no file that somebody named unluckily.
                if what == "PYTHONPATH" and Path(place, name, "__init__.py").is_file():
                    return failed("package-on-pythonpath", text)
                return failed("module-shadowed", text)
            if name in known and _standard(name):
                odd.append(f"{Path(place, name)}.py")
    if odd:
        return warned(
            "module-name-taken",
            sentence(
                "{odd}: named like a module that torch needs, and found before it; rename it",
                odd=joined(odd[:3]),
            ),
        )
    return (
        passed(sentence("no file here takes the name of a module that torch needs"))
        if looked
        else skipped("no-folder", sentence("no folder to look in"))
    )


def _modules_in(place: Path) -> list[str]:
    """The modules and packages that an import finds in this folder."""
    found = []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(place)):  # noqa: PTH208  # names are all that is needed
            if name.endswith(".py"):
                found.append(name[:-3])
            elif (place / name / "__init__.py").is_file():
                found.append(name)
    return found


def _is_home_of_torch(place: Path) -> bool:
    """Whether this is where the environment's own torch lies, as when started in site-packages."""
    home = getattr(sys.modules.get("torch"), "__file__", None)
    return home is not None and Path(home).resolve().parent.parent == place.resolve()


def _standard(name: str) -> bool:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    # Loaded at the interpreter's start from its own archive of frozen code: no file is looked for any more.
    frozen = getattr(getattr(module, "__spec__", None), "origin", None) in ("frozen", "built-in")
    return file is not None and not frozen and "site-packages" not in file and name not in _AT_START


# What every interpreter has imported before the first folder of the user's is looked in.
_AT_START = (
    "abc", "codecs", "encodings", "genericpath", "io", "ntpath", "os", "posixpath", "site", "stat", "types",
    "_collections_abc", "_sitebuiltins",
)  # fmt: skip
