"""Checks of the libraries built against torch: each imports, and one of its operations gives the right answer."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
import math
import re
from pathlib import Path
from typing import Any

from .. import facts
from ..devices import kind
from ..step import Outcome, broken, failed, passed, skipped

__all__ = ["torchaudio", "torchvision"]


def torchvision(torch: Any, device: str) -> Outcome:
    """Run nms, which is compiled code that registers with torch: the first thing that a wrong pairing breaks."""
    if importlib.util.find_spec("torchvision") is None:
        return skipped("torchvision is not installed")
    if kind(device) not in ("cpu", "cuda"):
        return skipped(f"torchvision's operators are not promised on {kind(device)}")
    try:
        ops = importlib.import_module("torchvision").ops
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        return _mispaired(torch, "torchvision", error)
    # The second box overlaps the first by 81/119 > 0.5 and has the lower score; the third touches neither.
    boxes = torch.tensor([[0.0, 0, 10, 10], [1.0, 1, 11, 11], [20.0, 20, 30, 30]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    kept = ops.nms(boxes, scores, 0.5).tolist()
    if kept != [0, 2]:
        return failed(f"nms keeps boxes {kept}, not [0, 2]")
    return passed(f"torchvision {_built('torchvision')}: nms keeps the right boxes")


def torchaudio(torch: Any, _device: str) -> Outcome:
    """Encode five samples by the mu law and compare with its formula."""
    if importlib.util.find_spec("torchaudio") is None:
        return skipped("torchaudio is not installed")
    try:
        encode = importlib.import_module("torchaudio.transforms").MuLawEncoding(256)
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        return _mispaired(torch, "torchaudio", error)
    samples = [-1.0, -0.3, 0.01, 0.25, 1.0]
    got, wanted = encode(torch.tensor(samples)).tolist(), [_mu_law(sample) for sample in samples]
    if got != wanted:
        return failed(f"mu-law encoding gives {got}, not {wanted}")
    return passed(f"torchaudio {_built('torchaudio')}: mu-law encoding is right")


def _mu_law(sample: float) -> int:
    # ITU-T G.711 with mu = 255, to 256 levels.
    compressed = math.copysign(math.log1p(255 * abs(sample)) / math.log1p(255), sample)
    return int((compressed + 1) / 2 * 255 + 0.5)


def _mispaired(torch: Any, name: str, error: Exception) -> Outcome:
    seen = broken(error)
    pair = f"{name} {_built(name)} does not work with torch {torch.__version__}"
    return failed(f"{pair}: {seen.detail}", seen.evidence)


def _built(name: str) -> str:
    """The version with its build tag, which is in the files only: the metadata of torchvision+cu130 says 0.28.0."""
    spec = importlib.util.find_spec(name)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        try:
            text = Path(folder, "version.py").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found = re.search(r"__version__\s*(?::\s*\w+\s*)?=\s*['\"]([^'\"]+)", text)
        if found:
            return found.group(1)
    return facts.version_of(name) or "of unknown version"
