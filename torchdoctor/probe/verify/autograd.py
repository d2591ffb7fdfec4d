"""Checks of learning: gradients that are known, training, frozen layers."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, failed, passed, skipped

__all__ = ["autograd", "fit", "freezing", "gradcheck", "training"]

# From 1.4 (four classes at random) Adam gets below 0.1 in 60 steps, and so below 0.35 whatever the rounding.
_LOSS_FACTOR = 4
_MAX_STEPS = 120


def autograd(torch: Any, device: str) -> Outcome:
    """Sum x**2 and compare the gradient with 2x, exactly: small integers have no rounding."""
    x = torch.arange(-4.0, 5.0, device=device, requires_grad=True)
    (x**2).sum().backward()
    got, wanted = x.grad, (2 * x.detach()).cpu()
    if got is None:
        return failed("wrong-gradient", sentence("backward() left no gradient"))
    if not torch.equal(got.cpu(), wanted):
        return failed(
            "wrong-gradient",
            sentence(
                "the gradient of x**2 is {tolist}, not {tolist2}",
                tolist=got.tolist(),
                tolist2=wanted.tolist(),
            ),
        )
    return passed(sentence("the gradient of x**2 is 2x, exactly"))


def gradcheck(torch: Any, device: str) -> Outcome:
    """Compare the gradients of a layer, a softmax and a normalisation with differences of their values."""
    if kind(device) == "mps":
        return skipped("dtype-not-supported", sentence("needs float64, which mps does not have"))
    generator = torch.Generator().manual_seed(0)

    def random_input(*shape: int) -> Any:
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return values.to(device).requires_grad_()

    functional = torch.nn.functional
    cases = {
        sentence("linear and tanh"): (
            lambda x, w, b: torch.tanh(functional.linear(x, w, b)),
            (random_input(3, 4), random_input(2, 4), random_input(2)),
        ),
        "softmax": (lambda x: functional.log_softmax(x, 1), (random_input(3, 4),)),
        sentence("layer norm"): (lambda x: functional.layer_norm(x, (4,)), (random_input(3, 4),)),
    }
    for name, (function, inputs) in cases.items():
        # Raises with both Jacobians when they differ by more than 1e-5 + 1e-3 of the value.
        if not torch.autograd.gradcheck(function, inputs, eps=1e-6, atol=1e-5, rtol=1e-3):
            return failed("wrong-gradient", sentence("{name}: the gradient is not the slope", name=name))
    return passed(sentence("gradients agree with finite differences: {cases}", cases=joined(cases)))


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
        return failed("wrong-result", sentence("a parameter or the loss is NaN or infinite after one step"))
    still = sum(torch.equal(old, new) for old, new in zip(before, after))
    if still:
        return failed(
            "parameters-did-not-change",
            sentence("{still} of {count} parameters did not change in a step", still=still, count=len(after)),
        )
    was, now = first.item(), second.item()
    if not now < was:
        return failed(
            "loss-did-not-fall",
            sentence("the loss went from {was:.6f} to {now:.6f} in a step; it has to fall", was=was, now=now),
        )
    return passed(sentence("the loss fell from {was:.4f} to {now:.4f} in a step", was=was, now=now))


def fit(torch: Any, device: str) -> Outcome:
    """Learn to tell four clouds of points apart with Adam and CrossEntropyLoss, until the loss is a quarter."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(256) % 4
    points = (torch.eye(4, 20)[labels] * 4 + torch.randn(256, 20, generator=generator)).to(device)
    labels = labels.to(device)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(20, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    loss_of = torch.nn.CrossEntropyLoss()
    first = now = float("nan")
    for step in range(_MAX_STEPS):
        optimizer.zero_grad()
        loss = loss_of(model(points), labels)
        loss.backward()
        optimizer.step()
        now = loss.item()
        first = now if step == 0 else first
        if now <= first / _LOSS_FACTOR:
            right = (model(points).argmax(1) == labels).float().mean().item()
            return passed(
                sentence(
                    "Adam took the loss from {first:.3f} to {now:.3f} in {step} steps, {right:.0%} are right",
                    first=first,
                    now=now,
                    step=step,
                    right=right,
                )
            )
    return failed(
        "loss-did-not-fall",
        sentence(
            "after {steps} steps of Adam the loss is {now:.4f}, from {first:.4f}; it has to fall to "
            "a quarter",
            steps=_MAX_STEPS,
            now=now,
            first=first,
        ),
    )


def freezing(torch: Any, device: str) -> Outcome:
    """Freeze the first layer and train: it stays the same bit for bit, and the other layer changes."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4)).to(device)
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.SGD(
        [parameter for parameter in model.parameters() if parameter.requires_grad], lr=0.1
    )
    x = torch.randn(32, 8, generator=torch.Generator().manual_seed(0)).to(device)
    for _ in range(3):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()
    for name, parameter in model.named_parameters():
        changed = not torch.equal(parameter, before[name])
        if name.startswith("0.") and (changed or parameter.grad is not None):
            return failed(
                "frozen-parameters-changed",
                sentence(
                    "{name} is frozen and {more}",
                    name=name,
                    more=sentence("changed") if changed else sentence("has a gradient"),
                ),
            )
        if name.startswith("2.") and not changed:
            return failed(
                "parameters-did-not-change", sentence("{name} is not frozen and did not change", name=name)
            )
    return passed(sentence("the frozen layer is the same bit for bit and has no gradient, the other changed"))
