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
    """`torch.version` from a package list, `torch.build`, and the parts of a platform's name."""
    for row in _stated(facts):
        yield row
        if match := _BUILD.search(row.value):
            yield Observation(name="torch.build", value=match[1], source=row.source, line=row.line)
    for row in facts:
        if row.name == "conda.torch":
            yield from _conda(row)
        elif row.name == "torch.cuda" and row.value != "none":
            yield Observation(
                name="torch.build",
                value=f"cu{''.join(row.value.split('.')[:2])}",  # 10.1.243 of an early build is CUDA 10.1
                source=row.source,
                line=row.line,
            )
        elif row.name in ("os.name", "python.platform"):
            yield from _platform(row)


def _stated(facts: Sequence[Observation]) -> Iterator[Observation]:
    for name in ("torch.version", "torch.installed", "package.torch", "mention.torch"):
        for row in facts:
            if row.name == name:
                yield Observation(
                    name="torch.version", value=row.value.rstrip("."), source=row.source, line=row.line
                )


def _conda(row: Observation) -> Iterator[Observation]:
    build = row.value.partition(" ")[2]
    if "cpu" in build:
        yield Observation(name="torch.build", value="cpu", source=row.source, line=row.line)
    elif match := _CONDA_CUDA.search(build):
        yield Observation(
            name="torch.build", value=f"cu{match[1]}{match[2]}", source=row.source, line=row.line
        )


def _platform(row: Observation) -> Iterator[Observation]:
    lower = row.value.lower()
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
            yield Observation(name=name, value=value, source=row.source, line=row.line)
