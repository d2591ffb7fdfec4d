"""Versions of packages wherever they are named: pip list and freeze, conda list, collect_env's lists, wheels' names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_package_lists"]

_PROJECTS = (
    r"torch|torchvision|torchaudio|torchcodec|torchtext|pytorch|pytorch-cuda|pytorch-mutex|cpuonly|numpy"
    r"|mkl|intel-openmp|triton"
    r"|triton-windows|pytorch-triton-rocm|xformers|flash[-_]attn|bitsandbytes|vllm|sglang"
    r"|tensorflow|jax|cupy-cuda1\dx"
    r"|ctranslate2|faster-whisper|onnxruntime(?:-gpu)?|nccl|cudatoolkit|cudnn|cuda-toolkit"
    r"|libtorch|openmp|llvm-openmp"
    r"|nvidia-[a-z]{2,20}(?:-[a-z]{2,20})?(?:-cu\d{2})?|setuptools|pip|ipykernel"
    r"|pytorch-lightning|auto[-_]gptq"
    r"|deepspeed|apex|transformers|torch-(?:scatter|sparse|cluster|geometric)"
    r"|torch_(?:scatter|sparse|cluster)"
)
_VERSION = r"\d{1,4}(?:\.\d{1,6}){1,4}(?:[.-]?(?:dev|post|rc|a|b)\w{0,12})?(?:\+[\w.]{1,40})?"
_PINNED = re.compile(
    rf"(?<![\w.-])(?P<name>{_PROJECTS})\s{{0,2}}===?\s{{0,2}}(?P<version>{_VERSION})", re.IGNORECASE
)
_LISTED = re.compile(
    rf"^[\s>|*-]{{0,8}}(?:\[(?:pip3?|conda)\] )?(?P<name>{_PROJECTS})\s{{1,40}}(?P<version>{_VERSION})"
    r"(?P<rest>\s.{0,200})?$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?<![\w.-])(?P<name>torch|torchvision|torchaudio|numpy|xformers)[- =](?:version )?(?:is |= ?|: ?)?"
    rf"v?(?P<version>{_VERSION})(?![\w.]*\.dist-info)",
    re.IGNORECASE,
)
# A version with its build, some words after the name: "the torch in it is 2.9.1+cu130".
_BUILT = re.compile(
    r"(?<![\w.-])(?:py)?torch(?: (?!torch|xformers|flash|numpy)[a-z]{1,12}){1,5}[ :=]{1,3}"
    r"v?(?P<version>\d\.\d{1,2}\.\d\+(?:cpu|xpu|cu\d{2,3}|rocm\d[\d.]{0,6}\d))\b",
    re.IGNORECASE,
)
# What CI writes before a line: GitHub's time stamp, BuildKit's step and seconds, GitLab's and Jenkins' clock.
_STAMP = re.compile(
    r"^\s{0,4}(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z |#\d{1,4} \d{1,5}\.\d{1,3} |\[?\d\d:\d\d(?::\d\d)?\]? )"
)
# `pip inspect`, `pip list --format json`, `uv pip list --format json`, `conda list --json`.
_JSON = re.compile(
    rf'(?:"build_string": ?"(?P<build>[\w.-]{{1,60}})"[^{{}}]{{0,300}}?)?'
    rf'"name": ?"(?P<name>{_PROJECTS})"[^{{}}]{{0,300}}?"version": ?"(?P<version>{_VERSION})"',
    re.IGNORECASE,
)
_MAX_JSON = 200
_BEFORE_NUMBERS = ("torch", "numpy", "xformers")
_CONDA = re.compile(r"^\s{1,40}(?P<build>\S{1,60})(?:\s{1,20}(?P<channel>\S{1,60}))?\s*$")
_ASKED = re.compile(
    r"\b(?:install|add|collecting|requires?|requirement|depends)\b|can't be installed|cannot be installed"
)


def parse_package_lists(text: Text) -> Iterator[Observation]:
    """Yield `package.NAME` for versions that a list or a pin states, `conda.NAME` for `version build` of conda's list.

    `mention.NAME` is a version that the text only speaks of.
    """
    if '"name":' in text.flat:
        yield from _of_json(text)
    for number, written in zip(text.numbers, text.lines, strict=True):
        seen = False
        line = _STAMP.sub("", written) if written[:12].lstrip(" [#")[:1].isdigit() else written
        if match := _LISTED.match(line):
            seen = True
            yield from _listed(match, line, number)
        # What a pattern cannot do without is looked for first: most lines have none of it.
        kind = ""
        for match in _PINNED.finditer(line) if not seen and "==" in line else ():
            seen = True
            kind = kind or ("asked" if _ASKED.search(line.lower()) else "package")
            yield Observation(
                name=f"{kind}.{_project(match['name'])}", value=match["version"], source=line, line=number
            )
        lower = "" if seen else line.lower()
        for match in _NAMED.finditer(line) if any(name in lower for name in _BEFORE_NUMBERS) else ():
            yield Observation(
                name=f"mention.{_project(match['name'])}",
                value=match["version"].partition(".dist")[0],  # torch-2.6.0.dist-info
                source=line,
                line=number,
            )
        for match in _BUILT.finditer(line) if "torch" in lower and "+" in lower else ():
            yield Observation(name="mention.torch", value=match["version"], source=line, line=number)


def _of_json(text: Text) -> Iterator[Observation]:
    """Packages of a list in JSON, with conda's build."""
    for count, match in enumerate(_JSON.finditer(text.flat)):
        if count >= _MAX_JSON:
            break
        number, line = text.line_at(match.start("name"))
        name, version = _project(match["name"]), match["version"]
        if match["build"]:
            yield Observation(
                name=f"conda.{name}", value=f"{version} {match['build']}", source=line, line=number
            )
        yield Observation(name=f"package.{name}", value=version, source=line, line=number)


def _listed(match: re.Match[str], line: str, number: int) -> Iterator[Observation]:
    name, version = _project(match["name"]), match["version"]
    conda = _CONDA.match(match["rest"] or "")
    if conda and (conda["channel"] or "_" in conda["build"]) and conda["channel"] != "pypi":
        yield Observation(name=f"conda.{name}", value=f"{version} {conda['build']}", source=line, line=number)
    yield Observation(name=f"package.{name}", value=version, source=line, line=number)


def _project(name: str) -> str:
    lower = name.lower().replace("_", "-")
    return "torch" if lower == "pytorch" else lower
