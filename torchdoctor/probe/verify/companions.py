"""Checks of the libraries built against torch: each imports, and its operations give the right answers."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
import math
import re
from typing import Any

from ..devices import kind
from ..facts import COMPANIONS
from ..message import sentence
from ..step import Outcome, broken, failed, passed, skipped
from .pairing import installed_build

__all__ = ["images", "torchaudio", "torchvision", "transforms"]

# torchvision's models were trained with these.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torchvision(torch: Any, device: str) -> Outcome:
    """Run nms: compiled code that registers with torch is the first thing that a wrong pairing breaks."""
    if importlib.util.find_spec("torchvision") is None:
        return skipped("torchvision-not-installed", sentence("torchvision is not installed"))
    if kind(device) not in ("cpu", "cuda"):
        return skipped(
            "not-for-device",
            sentence("torchvision's operators are not promised on {kind}", kind=kind(device)),
        )
    try:
        ops = importlib.import_module("torchvision").ops
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        return _mispaired(torch, "torchvision", error)
    # The second box overlaps the first by 81/119 > 0.5 and has the lower score; the third touches neither.
    boxes = torch.tensor([[0.0, 0, 10, 10], [1.0, 1, 11, 11], [20.0, 20, 30, 30]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    kept = ops.nms(boxes, scores, 0.5).tolist()
    if kept != [0, 2]:
        return failed("wrong-result", sentence("nms keeps boxes {kept}, not [0, 2]", kept=kept))
    return passed(
        sentence("torchvision {built}: nms keeps the right boxes", built=installed_build("torchvision"))
    )


def transforms(torch: Any, _device: str) -> Outcome:
    """Resize, crop and normalise a generated image of one colour: every value is known."""
    if importlib.util.find_spec("torchvision") is None:
        return skipped("torchvision-not-installed", sentence("torchvision is not installed"))
    if importlib.util.find_spec("PIL") is None:
        return skipped(
            "pillow-not-installed", sentence("Pillow is not installed, so there are no images to transform")
        )
    try:
        chain = importlib.import_module("torchvision.transforms")
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        return _mispaired(torch, "torchvision", error)
    image = importlib.import_module("PIL.Image").new("RGB", (320, 240), (255, 128, 0))
    steps = [chain.Resize(256), chain.CenterCrop(224), chain.ToTensor(), chain.Normalize(_MEAN, _DEVIATION)]
    tensor = chain.Compose(steps)(image)
    if tuple(tensor.shape) != (3, 224, 224):
        return failed(
            "wrong-result",
            sentence("the image becomes {tuple}, not (3, 224, 224)", tuple=tuple(tensor.shape)),
        )
    for channel, value in enumerate((255, 128, 0)):
        wanted = (value / 255 - _MEAN[channel]) / _DEVIATION[channel]
        worst = float((tensor[channel] - wanted).abs().max())
        # A resize of one colour gives that colour; 1e-5 is float32's rounding.
        if not worst < 1e-5:
            return failed(
                "wrong-result",
                sentence(
                    "channel {channel} is up to {worst:.1e} from {wanted:.4f}",
                    channel=channel,
                    worst=worst,
                    wanted=wanted,
                ),
            )
    return passed(
        sentence("Resize, CenterCrop, ToTensor and Normalize give (3, 224, 224) with the right values")
    )


def images(torch: Any, _device: str) -> Outcome:
    """Encode a generated image as PNG and JPEG and decode it: PNG exactly, JPEG nearly."""
    if importlib.util.find_spec("torchvision") is None:
        return skipped("torchvision-not-installed", sentence("torchvision is not installed"))
    try:
        io = importlib.import_module("torchvision.io")
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        return _mispaired(torch, "torchvision", error)
    # A slope in each colour: JPEG keeps it to a few steps of 255.
    ramp = torch.arange(64, dtype=torch.uint8).repeat(64, 1)
    image = torch.stack([ramp, ramp.t(), ramp // 2 + 64]).contiguous()
    if not torch.equal(io.decode_png(io.encode_png(image)), image):
        return failed("wrong-result", sentence("a PNG does not give the same pixels back"))
    back = io.decode_jpeg(io.encode_jpeg(image, quality=95))
    off = int((back.int() - image.int()).abs().max())
    # Measured at 3 to 5 with libjpeg-turbo; another image is a hundred off.
    if tuple(back.shape) != tuple(image.shape) or off > 16:
        return failed("wrong-result", sentence("a JPEG gives pixels up to {off} of 255 off", off=off))
    return passed(sentence("PNG gives the same pixels back, JPEG within {off} of 255", off=off))


def torchaudio(torch: Any, _device: str) -> Outcome:
    """Encode five samples by the mu law and compare with its formula."""
    if importlib.util.find_spec("torchaudio") is None:
        return skipped("torchaudio-not-installed", sentence("torchaudio is not installed"))
    try:
        encode = importlib.import_module("torchaudio.transforms").MuLawEncoding(256)
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        return _mispaired(torch, "torchaudio", error)
    samples = [-1.0, -0.3, 0.01, 0.25, 1.0]
    got, wanted = encode(torch.tensor(samples)).tolist(), [_mu_law(sample) for sample in samples]
    if got != wanted:
        return failed(
            "wrong-result", sentence("mu-law encoding gives {got}, not {wanted}", got=got, wanted=wanted)
        )
    return passed(
        sentence("torchaudio {built}: mu-law encoding is right", built=installed_build("torchaudio"))
    )


def _mu_law(sample: float) -> int:
    # ITU-T G.711 with mu = 255, to 256 levels.
    compressed = math.copysign(math.log1p(255 * abs(sample)) / math.log1p(255), sample)
    return int((compressed + 1) / 2 * 255 + 0.5)


def _mispaired(torch: Any, name: str, error: Exception) -> Outcome:
    raised = broken(error)
    # A package that both need is broken: that says nothing of the two.
    if _package_that_raised(error) not in (None, "torch", *COMPANIONS):
        return raised
    pair = sentence(
        "{name} {built} does not work with torch {version}",
        name=name,
        built=installed_build(name) or "of unknown version",
        version=torch.__version__,
    )
    # The code is torchvision-mismatch or torchaudio-mismatch, as in the check of the pairing.
    text = sentence("{what}: {why}", what=pair, why=raised.detail)
    return failed(name + "-mismatch", text, raised.evidence)


def _package_that_raised(error: Exception) -> str | None:
    """The installed package whose code raised it; None for Python's own."""
    file, at = "", error.__traceback__
    while at is not None:
        file, at = at.tb_frame.f_code.co_filename, at.tb_next
    found = re.search(r"[/\\](?:site|dist)-packages[/\\](\w+)", file)
    return found.group(1) if found else None
