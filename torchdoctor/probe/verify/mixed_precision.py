"""The check of mixed precision (autocast and GradScaler)."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..devices import kind
from ..message import sentence
from ..step import Outcome, failed, passed, skipped
from .tolerances import is_unsupported, relative_error

__all__ = ["mixed_precision"]

# bfloat16 keeps 8 bits, 4e-3; two layers of it stay well below this, and garbage is at 1.
_MIXED_ERROR = 3e-2


def mixed_precision(torch: Any, device: str) -> Outcome:
    """A step under autocast: low precision where it belongs, finite float32 gradients, and the loss falls."""
    name = kind(device)
    dtype = torch.float16 if name in ("cuda", "mps") else torch.bfloat16
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8)).to(device)
    x = torch.randn(32, 64, generator=torch.Generator().manual_seed(0)).to(device)
    exact = model(x).detach()
    try:
        with torch.autocast(name, dtype=dtype):
            output = model(x)
    except RuntimeError as error:
        if not is_unsupported(error):
            raise
        text = sentence("torch {version} has no autocast for {name}", name=name, version=torch.__version__)
        return skipped("not-implemented", text)
    if output.dtype != dtype:
        text = sentence(
            "autocast leaves the output in {dtype}, not in {dtype2}", dtype=output.dtype, dtype2=dtype
        )
        return failed("wrong-dtype", text)
    off = relative_error(torch, output.float(), exact.cpu().double())
    # Written so that NaN fails.
    if not off <= _MIXED_ERROR:
        text = sentence(
            "autocast gives a result {off:.1e} off (limit {mixed:.0e})", off=off, mixed=_MIXED_ERROR
        )
        return failed("wrong-result", text)
    return _step(torch, model, x, output, off)


def _step(torch: Any, model: Any, x: Any, output: Any, off: float) -> Outcome:
    """Go back through the output, change the parameters, and look at the gradients and the next loss."""
    name, dtype = output.device.type, output.dtype
    first = (output.float() ** 2).mean()
    scaler = _grad_scaler(torch) if name == "cuda" else None
    (scaler.scale(first) if scaler else first).backward()
    scale = scaler.get_scale() if scaler else 1.0
    for parameter in model.parameters():
        if parameter.grad.dtype != torch.float32 or not bool(torch.isfinite(parameter.grad).all()):
            return failed("wrong-gradient", sentence("a gradient under autocast is not finite float32"))
        with torch.no_grad():
            parameter.sub_(0.05 * parameter.grad / scale)
    with torch.autocast(name, dtype=dtype):
        second = (model(x).float() ** 2).mean()
    if not second.item() < first.item():
        text = sentence(
            "the loss went from {item:.5f} to {item2:.5f} in a step under autocast",
            item=first.item(),
            item2=second.item(),
        )
        return failed("loss-did-not-fall", text)
    return passed(
        sentence(
            "{short} autocast is {off:.1e} from float32, gradients are finite, the loss falls",
            short=str(dtype).partition(".")[2],
            off=off,
        )
    )


def _grad_scaler(torch: Any) -> Any:
    # torch.amp.GradScaler came with 2.3; the older name warns since 2.4.
    current = getattr(torch.amp, "GradScaler", None)
    return current("cuda") if current is not None else torch.cuda.amp.GradScaler()
