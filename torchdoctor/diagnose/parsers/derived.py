"""Facts that follow from facts: the build of torch from its version, the system from its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["derive_observations"]

_BUILD = re.compile(r"\+(cpu|cu\d{2,3}|rocm\d[\d.]*|xpu)")
_CONDA_CUDA = re.compile(r"cuda(\d{1,2})\.?(\d)")


def derive_observations(facts: Sequence[Observation]) -> Iterator[Observation]:
    """Yield `torch.version` from a package list, `torch.build`, and the parts of a platform's name."""
    for fact in _stated(facts):
        yield fact
        if match := _BUILD.search(fact.value):
            yield Observation(name="torch.build", value=match[1], source=fact.source, line=fact.line)
    for fact in facts:
        if fact.name == "conda.torch":
            yield from _conda(fact)
        elif fact.name == "torch.cuda" and fact.value != "none":
            yield Observation(
                name="torch.build",
                value=f"cu{''.join(fact.value.split('.')[:2])}",  # 10.1.243 of an early build is CUDA 10.1
                source=fact.source,
                line=fact.line,
            )
        elif fact.name in ("os.name", "python.platform"):
            yield from _platform(fact)


def _stated(facts: Sequence[Observation]) -> Iterator[Observation]:
    for name in ("torch.version", "torch.installed", "package.torch", "mention.torch"):
        for fact in facts:
            if fact.name == name:
                yield Observation(
                    name="torch.version", value=fact.value.rstrip("."), source=fact.source, line=fact.line
                )


def _conda(fact: Observation) -> Iterator[Observation]:
    build = fact.value.partition(" ")[2]
    if "cpu" in build:
        yield Observation(name="torch.build", value="cpu", source=fact.source, line=fact.line)
    elif match := _CONDA_CUDA.search(build):
        yield Observation(
            name="torch.build", value=f"cu{match[1]}{match[2]}", source=fact.source, line=fact.line
        )


def _platform(fact: Observation) -> Iterator[Observation]:
    lower = fact.value.lower()
    system = next((
        name for word, name in (("windows", "windows"), ("macos", "macos"), ("mac os", "macos"), ("darwin", "macos"),
                                ("linux", "linux"), ("ubuntu", "linux"), ("debian", "linux"), ("centos", "linux"),
                                ("red hat", "linux"), ("fedora", "linux"), ("suse", "linux"), ("gentoo", "linux"),
                                ("rocky", "linux"), ("amazon", "linux"), ("manjaro", "linux"))
        if word in lower), None)  # fmt: skip
    pairs = [("os.system", system)]
    if "microsoft" in lower:
        pairs.append(("wsl", "true"))
    if match := re.search(r"\b(x86_64|amd64|aarch64|arm64|i[3-6]86)\b", lower):
        pairs.append(("arch", {"amd64": "x86_64"}.get(match[1], match[1])))
    if match := re.search(r"glibc(\d\.\d{1,3})", lower):
        pairs.append(("libc.version", match[1]))
    if system == "macos" and (match := re.search(r"(\d{2}(?:\.\d{1,2}){0,2})", lower)):
        pairs.append(("os.version", match[1]))
    for name, value in pairs:
        if value:
            yield Observation(name=name, value=value, source=fact.source, line=fact.line)
