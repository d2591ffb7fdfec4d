"""What was asked for in a text: the pinned torch, the packages of a command with their index."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["asked_packages", "asked_torch", "pinned_torch"]

_PIN = re.compile(r"(?:torch|pytorch)===?(\d[\w.]*?)(?:\+[\w.]+)?\.?")
# `torch==2.1.2` of a command, with what may stand before and after it in one.
_COMMAND = re.compile(r"\b(?:pip3?|uv pip|uv) (?:install|add|sync)\b([^\n;&|]{1,400})")
_PACKAGE = re.compile(r"(torch|torchvision|torchaudio)(?:===?(\d[\w.]{0,20}?)(?:\+[\w.]{1,20})?)?")
_INDEX = re.compile(
    r"https://download\.pytorch\.org/whl/(?:test/|nightly/)?(?:cpu|xpu|cu\d{2,3}|rocm\d[\d.]*)/?"
)


def asked_torch(evidence: Evidence) -> str | None:
    """Return the exact release of torch that a command, a file or a resolver's message asks for."""
    for value in (
        *evidence.all("pip.requirement"),
        *(f"torch=={text}" for text in evidence.all("asked.torch")),
    ):
        match = _PIN.fullmatch(value)
        version = version_of(match[1]) if match else None
        if version is not None and not version.is_devrelease:
            return version.public
    return None


def pinned_torch(evidence: Evidence) -> str | None:
    """Return the release that a project's own file pins."""
    return asked_torch(evidence) if evidence.first("project.pin") else None


def asked_packages(evidence: Evidence) -> str | None:
    """Return what the first command in the text installs of PyTorch's packages, with its index: `torch==2.9.1 ...`."""
    for command in _COMMAND.finditer(evidence.text.rows):
        words = command[1].split()
        packages = [f"{m[1]}=={m[2]}" if m[2] else m[1] for word in words if (m := _PACKAGE.fullmatch(word))]
        if any(package.split("==")[0] == "torch" for package in packages):
            return " ".join((*dict.fromkeys(packages), *_index(words)))
    return None


def _index(words: list[str]) -> Iterator[str]:
    for option, value in pairwise(words):
        if option in ("--index-url", "-i", "--extra-index-url") and _INDEX.fullmatch(value):
            yield f"--index-url {value}"
            return
