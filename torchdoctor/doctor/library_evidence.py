"""What libraries show, as observations: a stack that is refused, an old ptxas, no FFmpeg, a runtime of WSL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.diagnose import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.library_state import LibraryState

__all__ = ["library_observations"]


def library_observations(state: LibraryState) -> Iterator[Observation]:
    """Yield one observation for each thing that was found."""
    for path in state.executable_stack:
        text = message("{file} asks for an executable stack, which this C library refuses", file=path)
        yield Observation(name="live.executable_stack", value=path, source=text)
    if state.ptxas:
        text = message("Triton's ptxas is of CUDA {version}", version=state.ptxas)
        yield Observation(name="live.ptxas", value=state.ptxas, source=text)
    if state.without_ffmpeg:
        text = message(
            "{folder} is there, and no libavutil in the loader's folders", folder=state.without_ffmpeg
        )
        yield Observation(name="live.without_ffmpeg", value=state.without_ffmpeg, source=text)
    if state.own_hsa_runtime:
        text = message("{file} is torch's own, and /dev/kfd is not there", file=state.own_hsa_runtime)
        yield Observation(name="live.own_hsa_runtime", value=state.own_hsa_runtime, source=text)
