"""Checks of learning: a gradient that is known, and a step of training."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..step import Outcome, failed, passed

__all__ = ["autograd", "training"]


def autograd(torch: Any, device: str) -> Outcome:
    """Sum x**2 and compare the gradient with 2x, exactly: small integers have no rounding."""
    x = torch.arange(-4.0, 5.0, device=device, requires_grad=True)
    (x**2).sum().backward()
    got, wanted = x.grad, (2 * x.detach()).cpu()
    if got is None:
        return failed("backward() left no gradient")
    if not torch.equal(got.cpu(), wanted):
        return failed(f"the gradient of x**2 is {got.tolist()}, not {wanted.tolist()}")
    return passed("the gradient of x**2 is 2x, exactly")


def training(torch: Any, device: str) -> Outcome:
    """One step of gradient descent on a small network: the loss falls, every parameter moves, all stay finite."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 8, generator=generator).to(device)
    y = torch.randn(64, 1, generator=generator).to(device)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)).to(device)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    first = torch.nn.functional.mse_loss(model(x), y)
    first.backward()
    # By hand: the first torch.optim optimizer imports torch._dynamo, which costs as much as torch itself.
    # 0.01 is so small that the loss has to fall, whatever the data.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(0.01 * parameter.grad)
        second = torch.nn.functional.mse_loss(model(x), y)
    after = list(model.parameters())
    if not all(bool(torch.isfinite(tensor).all()) for tensor in [*after, first, second]):
        return failed("a parameter or the loss is NaN or infinite after one step")
    still = sum(torch.equal(old, new) for old, new in zip(before, after))
    if still:
        return failed(f"{still} of {len(after)} parameters did not change in a step")
    was, now = first.item(), second.item()
    if not now < was:
        return failed(f"the loss went from {was:.6f} to {now:.6f} in a step; it has to fall")
    return passed(f"the loss fell from {was:.4f} to {now:.4f} in a step")
