"""A build without GPU code on a machine with a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import torch_build
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["cpu_build_on_gpu_machine"]


def cpu_build_on_gpu_machine(evidence: Evidence) -> Match | None:
    """The build has no GPU code, and there is a GPU that could be used."""
    if (
        torch_build(evidence) != "cpu"
        or evidence.first("os.system") == "macos"
        or evidence.first("cuda.available") == "true"
    ):
        return None
    gpus = [
        gpu
        for name in ("nvidia.gpu", "nvidia.driver", "amd.gpu", "amd.gfx", "gpu.vendor")
        for gpu in evidence.observations(name)
    ]
    build = next(
        (stated for name in ("torch.build", "torch.cuda") for stated in evidence.observations(name)), None
    )
    if build is None or not gpus:
        return None
    return Match(evidence=(source(build), source(gpus[0])))
