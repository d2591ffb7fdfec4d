"""Checks of reproducibility: a seed fixes what is random, and deterministic algorithms what is computed."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..message import sentence
from ..step import Outcome, failed, passed, warned
from ..torch_errors import says
from .tolerances import is_unsupported

__all__ = ["deterministic", "seeds"]

# Two times out of three the mean of 4096 normal numbers is within 1/64 of 0; with a fixed seed it is always the same.
_SAMPLE_COUNT = 4096
_MAX_DEVIATION = 0.1


def seeds(torch: Any, device: str) -> Outcome:
    """The same seed gives the same random numbers, another seed gives others, and they are normally distributed."""

    def drawn(seed: int) -> list[Any]:
        torch.manual_seed(seed)
        normal = torch.randn(_SAMPLE_COUNT, device=device)
        order = torch.randperm(64, device=device)
        dropped = torch.nn.functional.dropout(torch.ones(256, device=device))
        return [normal.cpu(), order.cpu(), dropped.cpu()]

    first, again, other = drawn(7), drawn(7), drawn(8)
    for name, one, two, three in zip(("randn", "randperm", "dropout"), first, again, other):
        if not torch.equal(one, two):
            return failed(
                "seed-ignored", sentence("{name} differs after the same torch.manual_seed", name=name)
            )
        if torch.equal(one, three):
            return failed(
                "seed-ignored", sentence("{name} is the same after another torch.manual_seed", name=name)
            )
    if sorted(first[1].tolist()) != list(range(64)):
        return failed("wrong-random-numbers", sentence("randperm(64) is not a permutation"))
    mean, deviation = float(first[0].mean()), float(first[0].std())
    if abs(mean) > _MAX_DEVIATION or abs(deviation - 1) > _MAX_DEVIATION:
        return failed(
            "wrong-random-numbers",
            sentence(
                "randn has mean {mean:.3f} and deviation {deviation:.3f}, not 0 and 1",
                mean=mean,
                deviation=deviation,
            ),
        )
    return passed(sentence("torch.manual_seed fixes randn, randperm and dropout; another seed gives others"))


def deterministic(torch: Any, device: str) -> Outcome:
    """Train twice from the same seed with deterministic algorithms: every weight is the same bit for bit."""
    was = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)  # its only argument
    try:
        first, again = _trained(torch, device), _trained(torch, device)
    except (RuntimeError, NotImplementedError) as error:
        if not says(error, "not-deterministic") and not is_unsupported(error):
            raise
        return warned(
            "not-deterministic",
            sentence(
                "an operation has no deterministic form here: {words}",
                words=" ".join(str(error).split())[:200],
            ),
        )
    finally:
        torch.use_deterministic_algorithms(was)
    for one, two in zip(first, again):
        if not torch.equal(one, two):
            worst = float((one - two).abs().max())
            return failed(
                "seed-ignored",
                sentence("two runs from the same seed differ by up to {worst:.1e}", worst=worst),
            )
    return passed(sentence("two trainings from the same seed end in the same weights, bit for bit"))


def _trained(torch: Any, device: str) -> list[Any]:
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * 6 * 6, 4)
    ).to(device)
    x = torch.randn(16, 1, 8, 8, device=device)
    for _ in range(3):
        (model(x) ** 2).mean().backward()
        # By hand: torch.optim imports torch._dynamo.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(0.1 * parameter.grad)
                parameter.grad = None
    return [parameter.detach().cpu() for parameter in model.parameters()]
