"""Checks of whole networks: the MLP and the CNN of every tutorial, and their summary."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import copy
import importlib
import importlib.util
from typing import Any

from ..message import sentence
from ..step import Outcome, failed, passed, skipped
from .tolerances import CHAIN_ERROR, Expectation, compare_results, reason_for_low_precision

__all__ = ["build_cnn", "cnn", "mlp", "summary", "torchinfo"]

# 784 * 128 + 128 + 128 * 10 + 10
MLP_PARAMETER_COUNT = 101_770
# 1 * 32 * 9 + 32, 32 * 64 * 9 + 64, 1600 * 128 + 128, 128 * 10 + 10
CNN_PARAMETER_COUNT = 225_034


def mlp(torch: Any, device: str) -> Outcome:
    """784 -> 128 -> 10, the digits' classifier: its size, its output and its gradients against float64."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return _against_float64(torch, device, model, MLP_PARAMETER_COUNT)


def cnn(torch: Any, device: str) -> Outcome:
    """Two convolutions with pools and two layers on 28x28 images: size, output and gradients against float64."""
    torch.manual_seed(0)
    return _against_float64(torch, device, build_cnn(torch), CNN_PARAMETER_COUNT)


def build_cnn(torch: Any) -> Any:
    """The network, with the first full layer's input computed from the image's size.

    Two 3x3 convolutions and two 2x2 pools leave 5x5 of 28x28: 64 * 5 * 5 = 1600. A tutorial copied everywhere says
    9216, which is right for one pool only and raises "mat1 and mat2 shapes cannot be multiplied" with two.
    """
    nn = torch.nn
    features = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    )  # fmt: skip
    with torch.no_grad():
        wide = features(torch.zeros(1, 1, 28, 28)).shape[1]
    return nn.Sequential(features, nn.Linear(wide, 128), nn.ReLU(), nn.Linear(128, 10))


def _against_float64(torch: Any, device: str, model: Any, parameters: int) -> Outcome:
    counted = sum(parameter.numel() for parameter in model.parameters())
    if counted != parameters:
        return failed(
            "wrong-parameter-count",
            sentence(
                "the network has {counted:,} parameters, not {parameters:,}",
                counted=counted,
                parameters=parameters,
            ),
        )
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 1, 28, 28, generator=generator)
    labels = torch.arange(4)
    # Copied before it moves: `to` works in place.
    exact, moved = copy.deepcopy(model).double(), model.to(device)
    outputs = []
    for net, x, y in ((moved, images.to(device), labels.to(device)), (exact, images.double(), labels)):
        output = net(x)
        torch.nn.functional.cross_entropy(output, y).backward()
        outputs.append((output.detach(), next(net.parameters()).grad))
    note = reason_for_low_precision(torch, device)
    (got, got_slope), (wanted, wanted_slope) = outputs
    rows = [
        Expectation(sentence("output"), got, wanted, CHAIN_ERROR, note),
        Expectation(sentence("first layer's gradient"), got_slope, wanted_slope, CHAIN_ERROR, note),
    ]
    return compare_results(torch, rows, sentence("; {count:,} parameters", count=counted))


def summary(torch: Any, _device: str) -> Outcome:
    """Count the parameters and collect each layer's output shape through hooks."""
    model = build_cnn(torch)
    shapes: list[tuple[str, tuple[int, ...]]] = []

    def note(layer: Any, _inputs: Any, output: Any) -> None:
        shapes.append((type(layer).__name__, tuple(output.shape)))

    leaves = [layer for layer in model.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(note) for layer in leaves]
    with torch.no_grad():
        model(torch.zeros(2, 1, 28, 28))
    for hook in hooks:
        hook.remove()
    kept = [shape for name, shape in shapes if name != "ReLU"]
    wanted = [(2, 32, 26, 26), (2, 32, 13, 13), (2, 64, 11, 11), (2, 64, 5, 5), (2, 1600), (2, 128), (2, 10)]
    if kept != wanted:
        return failed(
            "wrong-shape", sentence("the layers' shapes are {kept}, not {wanted}", kept=kept, wanted=wanted)
        )
    counted = sum(parameter.numel() for parameter in model.parameters())
    if counted != CNN_PARAMETER_COUNT:
        return failed(
            "wrong-parameter-count",
            sentence(
                "{counted:,} parameters, not {cnn_parameters:,}",
                counted=counted,
                cnn_parameters=CNN_PARAMETER_COUNT,
            ),
        )
    return passed(
        sentence(
            "{counted:,} parameters in {count} layers, 1x28x28 -> 1600 -> 10",
            counted=counted,
            count=len(shapes),
        )
    )


def torchinfo(torch: Any, _device: str) -> Outcome:
    """Compare torchinfo's count of the parameters."""
    if importlib.util.find_spec("torchinfo") is None:
        return skipped("torchinfo-not-installed", sentence("torchinfo is not installed"))
    said = importlib.import_module("torchinfo").summary(
        build_cnn(torch), input_size=(2, 1, 28, 28), device="cpu", verbose=0
    )
    if said.total_params != CNN_PARAMETER_COUNT:
        return failed(
            "wrong-parameter-count",
            sentence(
                "torchinfo counts {total_params:,} parameters, not {cnn_parameters:,}",
                total_params=said.total_params,
                cnn_parameters=CNN_PARAMETER_COUNT,
            ),
        )
    return passed(
        sentence(
            "torchinfo counts the same {cnn_parameters:,} parameters", cnn_parameters=CNN_PARAMETER_COUNT
        )
    )
