"""A build without GPU code on a machine with a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import torch_build
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["cpu_build_on_gpu_machine"]


def cpu_build_on_gpu_machine(case: Evidence) -> Match | None:
    """The build has no GPU code, and there is a GPU that could be used."""
    if (
        torch_build(case) != "cpu"
        or case.first("os.system") == "macos"
        or case.first("cuda.available") == "true"
    ):
        return None
    gpus = [
        row
        for name in ("nvidia.gpu", "nvidia.driver", "amd.gpu", "amd.gfx", "gpu.vendor")
        for row in case.observations(name)
    ]
    build = next((row for name in ("torch.build", "torch.cuda") for row in case.observations(name)), None)
    if build is None or not gpus:
        return None
    return Match(evidence=(source(build), source(gpus[0])))
