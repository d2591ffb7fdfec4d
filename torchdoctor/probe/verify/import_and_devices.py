"""Checks that come first: torch can be imported, is one version, and sees its devices."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import site
import sys
from pathlib import Path
from typing import Any

from .. import devices as machine
from .. import facts
from ..hardware import has_gpu_of, maker_for
from ..message import joined, sentence
from ..step import Outcome, failed, passed, warned

__all__ = ["devices", "import_torch", "version"]

_OLDEST = (2, 0)


def import_torch(_torch: Any, _device: str) -> Outcome:
    """Import torch, in this fresh interpreter, from the environment and nowhere else."""
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return _not_found()
    # A folder named torch without __init__.py imports as an empty namespace: left by a broken removal.
    if not getattr(torch, "__file__", None) or not hasattr(torch, "Tensor"):
        where = ", ".join(getattr(torch, "__path__", [])) or getattr(torch, "__file__", "?")
        return failed(
            "not-pytorch",
            sentence(
                "{where} is named torch and is not PyTorch; remove it, then run: torchdoctor install",
                where=where,
            ),
        )
    return passed(
        sentence(
            "torch {version} from {parent}",
            version=torch.__version__,
            parent=Path(str(torch.__file__)).parent,
        )
    )


def _not_found() -> Outcome:
    # -I leaves these out, as a venv leaves out the user site. Say so when torch is there, or the answer looks wrong.
    outside = [(sentence("the user site"), site.getusersitepackages())]
    outside += [
        ("PYTHONPATH", folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder
    ]
    for name, folder in outside:
        if Path(folder, "torch", "__init__.py").is_file():
            text = sentence(
                "torch is in {name} ({folder}) only, not in this environment",
                name=name,
                folder=folder,
            )
            return failed("torch-elsewhere", text)
    # The system's Python and conda's base stay as they are: there a new environment is made.
    prefix = Path(sys.prefix)
    is_conda = (prefix / "conda-meta").is_dir() and not (prefix / "condabin").is_dir()
    env = shlex.quote(sys.prefix) if is_conda or sys.prefix != sys.base_prefix else ""
    text = sentence(
        "torch is not installed in this environment; run: {command}",
        command=("torchdoctor install " + env).rstrip(),
    )
    return failed("torch-not-installed", text)


def version(torch: Any, _device: str) -> Outcome:
    """Compare what the files say with what the metadata says: they differ when two installations are mixed."""
    imported, recorded = str(torch.__version__), facts.version_of("torch")
    built = sentence(
        "torch {imported} ({variant}) on Python {split}",
        imported=imported,
        variant=facts.variant(torch),
        split=sys.version.split()[0],
    )
    if recorded is None:
        return warned(
            "metadata-missing",
            sentence("{built}, without metadata: pip and uv do not know about it", built=built),
        )
    if _release(imported) != _release(recorded):
        return warned(
            "versions-mixed",
            sentence(
                "{built}, while the metadata says {recorded}: files of two installations are mixed",
                built=built,
                recorded=recorded,
            ),
        )
    if _release(imported)[:2] < _OLDEST:
        return warned(
            "torch-too-old",
            sentence("{built}: older than 2.0, the oldest that these checks were written for", built=built),
        )
    return passed(built)


def _release(text: str) -> tuple[int, ...]:
    # Only the numbers: vendors' builds spell the rest differently in the two places (nv25.01, nv25.1).
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def devices(torch: Any, _device: str) -> Outcome:
    """Name the devices; warn of an accelerator build that finds none and of a GPU for which there are no kernels."""
    accelerators = machine.present(torch)[1:]
    build = facts.variant(torch) or "cpu"
    if not accelerators and build == "cpu":
        count = torch.get_num_threads()
        return passed(
            sentence("cpu, 1 thread") if count == 1 else sentence("cpu, {count} threads", count=count)
        )
    if not accelerators and not has_gpu_of(maker_for(build)):
        text = sentence(
            "a {built_for} build on a machine without an {maker} GPU: everything runs on the CPU",
            built_for=build,
            maker=maker_for(build),
        )
        return passed(text)
    if not accelerators:
        text = sentence(
            "a {built_for} build that sees no accelerator: everything runs on the CPU{why}",
            built_for=build,
            why=_cuda_error(torch),
        )
        return warned("no-accelerator", text)
    described = [machine.describe(torch, device) for device in accelerators]
    architectures = list(torch.cuda.get_arch_list()) if machine.kind(accelerators[0]) == "cuda" else []
    for gpu in described:
        capability = gpu["capability"]
        if architectures and capability and not machine.kernels_fit(str(capability), architectures):
            # A warning only: whether kernels run is what `tensor` verifies on this device.
            return _without_kernels(gpu, architectures)
    named = (
        f"{gpu['device']} ({gpu['name']}{', ' + str(gpu['capability']) if gpu['capability'] else ''})"
        for gpu in described
    )
    return passed("cpu, " + ", ".join(named))


def _without_kernels(gpu: dict[str, object], architectures: list[str]) -> Outcome:
    too_old = machine.older_than_all(str(gpu["capability"]), architectures)
    text = sentence(
        "{device} ({name}) is {capability}{which} this build has kernels for: {kernels}",
        device=gpu["device"],
        name=gpu["name"],
        capability=gpu["capability"],
        which=sentence(", older than all that") if too_old else ";",
        kernels=joined(architectures),
    )
    return warned("gpu-too-old" if too_old else "gpu-without-kernels", text)


def _cuda_error(torch: Any) -> str:
    """What CUDA answers when it is initialized, in brackets; empty where it does not complain."""
    if not getattr(torch.version, "cuda", None):
        return ""
    try:
        torch.cuda.init()
    except Exception as error:  # noqa: BLE001  # whatever it raises is the reason we look for
        return " (" + " ".join(str(error).split())[:200] + ")"
    return ""
