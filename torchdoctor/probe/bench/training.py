"""Training steps of a small CNN and a small transformer, and the DataLoader that would feed them."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import nullcontext
from typing import Any, Callable

from ..devices import kind
from ..message import sentence
from ..step import Outcome, skipped
from .workload import SAMPLES, Workload

__all__ = ["cnn", "loader", "transformer"]

_ITEM_COUNT, _BATCH_SIZE = 512, 32


def cnn(torch: Any, device: str) -> Workload:
    """Convolutions 1 to 32 to 64 with pools, two linear layers, Adam: 28x28 images in 10 classes."""
    nn = torch.nn
    batch = 64 if kind(device) == "cpu" else 512
    body = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    )  # fmt: skip
    # Computed, as a number copied from a network with one pool would not fit: two pools leave 5x5.
    size = int(body(torch.zeros(1, 1, 28, 28)).shape[1])
    net = nn.Sequential(body, nn.Linear(size, 128), nn.ReLU(), nn.Linear(128, 10)).to(device)
    images = torch.randn((batch, 1, 28, 28), device=device)
    labels = torch.randint(0, 10, (batch,), device=device)
    step = _step(torch, net, lambda: nn.functional.cross_entropy(net(images), labels))
    return Workload(step, "float32", {"batch": batch, "size": 28}, batch, SAMPLES, id="cnn-training")


def transformer(autocast: bool, torch: Any, device: str) -> Workload | Outcome:
    """Two encoder layers with a causal mask predict the next token of random text; Adam."""
    if autocast and kind(device) not in ("cuda", "xpu"):
        return skipped("accelerator-only", sentence("mixed precision is measured on accelerators"))
    on_cpu = kind(device) == "cpu"
    batch, tokens, width, layers, words = (8, 64, 128, 2, 1000) if on_cpu else (32, 256, 512, 4, 8000)
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True)
    net = nn.ModuleList(
        [nn.Embedding(words, width), nn.TransformerEncoder(layer, layers), nn.Linear(width, words)]
    ).to(device)
    text = torch.randint(0, words, (batch, tokens + 1), device=device)
    mask = torch.full((tokens, tokens), float("-inf"), device=device).triu(1)

    def loss() -> Any:
        with torch.autocast(kind(device), dtype=torch.bfloat16) if autocast else nullcontext():
            logits = net[2](net[1](net[0](text[:, :-1]), mask=mask))
            return nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())

    params = {"batch": batch, "tokens": tokens, "width": width, "layers": layers}
    dtype = "bfloat16" if autocast else "float32"
    return Workload(_step(torch, net, loss), dtype, params, batch, SAMPLES, id="transformer-training")


def _step(torch: Any, net: Any, loss: Callable[[], Any]) -> Callable[[], object]:
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    return step


def loader(torch: Any, device: str) -> Workload:  # noqa: ARG001  # the same call for every case
    """Make images in worker processes and collect them in batches; a call is an epoch."""
    data = torch.utils.data

    class Images(data.Dataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return _ITEM_COUNT

        def __getitem__(self, index: int) -> Any:
            return torch.full((3, 64, 64), index % 256, dtype=torch.uint8).float().div_(255).sub_(0.5)

    # A spawned worker could not import this file under the name it has here.
    forks = sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()
    workers = min(2, os.cpu_count() or 1) if forks else 0
    extra: dict[str, Any] = {"multiprocessing_context": "fork", "persistent_workers": True, "timeout": 30}
    batches = data.DataLoader(Images(), _BATCH_SIZE, num_workers=workers, **(extra if workers else {}))

    def epoch() -> None:
        for _ in batches:
            pass

    params = {"items": _ITEM_COUNT, "batch": _BATCH_SIZE, "size": 64, "workers": workers}
    return Workload(epoch, "float32", params, _ITEM_COUNT, SAMPLES, id="dataloader", serial=True, wall=True)
