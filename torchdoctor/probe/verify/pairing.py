"""The check that torch, its companions and the libraries it pins belong together, by their metadata alone."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from .. import facts
from ..message import joined, sentence
from ..requirements import required_packages
from ..step import Outcome, failed, passed, skipped, warned

__all__ = ["installed_build", "pairing"]

_KNOWN_BUILD = re.compile(r"(cpu|cu\d+|rocm|xpu)")
_TWO_CUDA_BUILDS = re.compile(r"cu(\d+)\d,cu(\d+)\d$")
# Of several problems the outcome carries the first of these codes.
_CODES = (
    "cuda-library-missing",
    "cuda-library-mismatch",
    "torchvision-mismatch",
    "torchaudio-mismatch",
    "triton-missing",
    "triton-mismatch",
    "dependency-missing",
    "dependency-mismatch",
)
# The kind of a package that torch requires, by the beginning of its name.
_KINDS = (("cuda-library", ("nvidia-", "cuda-")), ("triton", ("triton", "pytorch-triton")))


class _Problem(NamedTuple):
    code: str
    text: str


def pairing(_torch: Any, _device: str) -> Outcome:
    """Compare releases and builds of torch and what is compiled against it, and the libraries that torch pins."""
    torch = installed_build("torch")
    if torch is None:
        return skipped("torch-not-installed", sentence("torch is not installed"))
    wrong: list[_Problem] = []
    # A warning only: a torch that finds the system's libraries works without the wheels, and the import will tell.
    odd = list(_unmet_pins())
    names = [sentence("torch {torch}", torch=torch)]
    for name in facts.COMPANIONS:
        version = installed_build(name)
        if version is None:
            continue
        names.append("%s %s" % (name, version))  # noqa: UP031
        wrong += _wrong_release(name, version, torch)
        difference = _difference_of_builds(torch, version)
        if difference:
            # torchaudio's compiled part has become small; whether it works is for its own check to say.
            grave = difference == "kind" and name == "torchvision"
            (wrong if grave else odd).append(_wrong_build(name, version, torch))
    if wrong:
        again = "".join(" --with " + name for name in facts.COMPANIONS if installed_build(name))
        fix = sentence("; run: torchdoctor install{names}", names=again)
        return failed(_first_code(wrong + odd), joined([_texts(wrong + odd), fix], ""))
    if odd:
        return warned(_first_code(odd), _texts(odd))
    if len(names) == 1:
        return passed(sentence("torch {torch} stands alone", torch=torch))
    return passed(sentence("{names} belong together", names=joined(names)))


def _first_code(problems: list[_Problem]) -> str:
    return min((problem.code for problem in problems), key=_CODES.index)


def _texts(problems: list[_Problem]) -> str:
    return joined([problem.text for problem in problems], "; ")


def _wrong_release(name: str, version: str, torch: str) -> list[_Problem]:
    wanted = _torch_wanted_by(name)
    if not wanted or wanted == torch.partition("+")[0]:
        return []
    text = sentence(
        "{name} {version} is made for torch {wanted}, and torch {torch} is here",
        name=name,
        version=version,
        wanted=wanted,
        torch=torch,
    )
    return [_Problem(name + "-mismatch", text)]


def _wrong_build(name: str, version: str, torch: str) -> _Problem:
    text = sentence(
        "{name} {version} and torch {torch} are different builds", name=name, version=version, torch=torch
    )
    return _Problem(name + "-mismatch", text)


def installed_build(name: str) -> str | None:
    """Return the version with its build tag, which may stand in the files only; None where it is not installed.

    torchvision+cu130's metadata says 0.28.0, its version.py 0.28.0+cu130.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    for folder in (spec.submodule_search_locations if spec else None) or ():
        try:
            text = Path(folder, "version.py").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found = re.search(r"__version__\s*(?::\s*\w+\s*)?=\s*['\"]([^'\"]+)", text)
        if found:
            return found.group(1)
    return facts.version_of(name)


def _torch_wanted_by(name: str) -> str | None:
    for each in required_packages(name):
        exact = re.match(r"==\s*([\d.]+)$", each.specifier)
        if each.by == name and each.name == "torch" and exact:
            return exact.group(1)
    return None


def _unmet_pins() -> Iterator[_Problem]:
    """What torch requires, extras and markers followed, and that is missing or of another version."""
    told = set()
    for each in required_packages("torch"):
        # Whether a companion goes with this torch is judged by more than its metadata.
        if each.is_met or each.name in ("torch", *facts.COMPANIONS) or each.name in told:
            continue
        told.add(each.name)
        kind = next((kind for kind, prefixes in _KINDS if each.name.startswith(prefixes)), "dependency")
        wanted = re.sub(r"^==\s*(?=[\w.]+$)", "", each.specifier)
        if each.version is None:
            group = " %s" % wanted if wanted else ""  # noqa: UP031
            text = sentence("{name}{group} is not installed, and torch needs it", name=each.name, group=group)
            yield _Problem(kind + "-missing", text)
        else:
            text = sentence(
                "{name} is {here}, and torch needs {group}", name=each.name, here=each.version, group=wanted
            )
            yield _Problem(kind + "-mismatch", text)


def _difference_of_builds(torch: str, companion: str) -> str | None:
    """None when the tags agree or one has none; `minor` for two CUDA builds of one major version; else `kind`."""
    one, two = torch.partition("+")[2], companion.partition("+")[2]
    if one == two or not _KNOWN_BUILD.match(one) or not _KNOWN_BUILD.match(two):
        return None
    both = _TWO_CUDA_BUILDS.match("%s,%s" % (one, two))  # noqa: UP031
    return "minor" if both and both.group(1) == both.group(2) else "kind"
