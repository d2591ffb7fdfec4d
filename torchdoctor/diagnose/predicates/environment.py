"""Several torches in one environment, and NumPy beside the wrong one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version, version_of
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = [
    "numpy_2_with_older_torch",
    "several_torch_copies",
    "torch_2_9_or_newer",
    "torch_from_conda_and_pip",
    "torch_listed_in_two_versions",
]


def torch_listed_in_two_versions(evidence: Evidence) -> Match | None:
    """collect_env or a list shows torch in two versions at once."""
    listed = [
        torch
        for torch in evidence.observations("package.torch")
        if not torch.source.lstrip().startswith(("-", "+"))
    ]
    stated = evidence.observations("torch.version")[:1]
    values = {
        re.sub(r"\+.*", "", torch.value)
        for torch in (*listed, *(torch for torch in stated if "version" in torch.source.lower()))
    }
    if (
        len(values) > 1
        and not evidence.observations("torch.removed")
        and not evidence.observations("installer")
    ):
        return Match(evidence=tuple(source(torch) for torch in (*stated, *listed)[:3]))
    return None


def torch_from_conda_and_pip(evidence: Evidence) -> Match | None:
    """collect_env lists torch from both pip and conda's own channels."""
    conda = evidence.observations("conda.torch")
    if not conda:
        return None
    pip = [line for line in evidence.text.lines if re.match(r"\s*(?:[>*-] ?)?\[pip3?\] torch(?:==| )", line)]
    return (
        Match(evidence=(pip[0].strip(), source(conda[0])))
        if pip and not _is_same_version(pip[0], conda[0].value)
        else None
    )


def _is_same_version(line: str, value: str) -> bool:
    # conda's own package is seen by pip as well, under the same number.
    return value.split(" ", maxsplit=1)[0].split("+", maxsplit=1)[0] in line


def numpy_2_with_older_torch(evidence: Evidence) -> Match | None:
    """NumPy 2 beside a torch that was built for NumPy 1."""
    torch, numpy = torch_version(evidence), version_of(evidence.first("package.numpy"))
    if torch is None or numpy is None or numpy < Version("2") or torch >= Version("2.3"):
        return None
    return Match(
        evidence=(
            source(evidence.observations("package.numpy")[0]),
            source(evidence.observations("torch.version")[0]),
        )
    )


def several_torch_copies(evidence: Evidence) -> Match | None:
    """The machine has more than one copy of torch on the path."""
    copies = evidence.observations("live.torch.copy")
    return Match(evidence=tuple(source(copy) for copy in copies)) if len(copies) > 1 else None


def torch_2_9_or_newer(evidence: Evidence) -> Match | None:
    """torch is 2.9 or newer."""
    version = torch_version(evidence)
    if version is None or version < Version("2.9"):
        return None
    return Match(evidence=(source(evidence.observations("torch.version")[0]),))
