"""Checks of saving and loading: weights, whole models, map_location, safetensors."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable

from ..message import sentence
from ..step import Outcome, broken, failed, passed, skipped

__all__ = ["safetensors", "saving", "whole_model"]

_NEEDED_BYTES = 4 * 2**20


def saving(torch: Any, device: str) -> Outcome:
    """Save a state_dict, load it with weights_only and map_location into another network: the same output."""

    def run(file: Path) -> Outcome:
        model, x = _model(torch, 0).to(device), torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
        torch.save(model.state_dict(), file)
        loaded = torch.load(file, map_location="cpu", weights_only=True)
        if any(tensor.device.type != "cpu" for tensor in loaded.values()):
            return failed("wrong-device", sentence("map_location='cpu' leaves tensors elsewhere"))
        other = _model(torch, 1)
        other.load_state_dict(loaded)
        if not torch.equal(other.to(device)(x.to(device)), model(x.to(device))):
            return failed("wrong-result", sentence("the network loaded from the file gives another output"))
        back = torch.load(file, map_location=device, weights_only=True)
        if any(
            tensor.device != parameter.device for tensor, parameter in zip(back.values(), model.parameters())
        ):
            return failed(
                "wrong-device", sentence("map_location='{device}' loads to another place", device=device)
            )
        return passed(
            sentence(
                "a state_dict comes back with weights_only=True, to the CPU and to its device, bit for bit"
            )
        )

    return _with_file(run)


def whole_model(torch: Any, _device: str) -> Outcome:
    """Save a whole model: weights_only=False loads it, weights_only=True refuses it, since it is a pickle of code."""

    def run(file: Path) -> Outcome:
        model, x = _model(torch, 0), torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
        torch.save(model, file)
        if not torch.equal(torch.load(file, weights_only=False)(x), model(x)):
            return failed("wrong-result", sentence("the model loaded from the file gives another output"))
        try:
            torch.load(file, weights_only=True)
        except Exception:  # noqa: BLE001  # refusing is what is wanted, with whatever error
            return passed(
                sentence(
                    "weights_only=False loads a whole model, weights_only=True (the default since 2.6) "
                    "refuses it"
                )
            )
        return failed(
            "unsafe-load", sentence("weights_only=True loads a pickled model, which can run any code")
        )

    return _with_file(run)


def safetensors(torch: Any, _device: str) -> Outcome:
    """Write weights with safetensors and read them back."""
    if importlib.util.find_spec("safetensors") is None:
        return skipped("safetensors-not-installed", sentence("safetensors is not installed"))

    def run(file: Path) -> Outcome:
        bridge = importlib.import_module("safetensors.torch")
        weights = _model(torch, 0).state_dict()
        bridge.save_file(weights, str(file))
        loaded = bridge.load_file(str(file))
        if set(loaded) != set(weights) or any(
            not torch.equal(loaded[name], weights[name]) for name in weights
        ):
            return failed("wrong-result", sentence("safetensors gives other weights back"))
        return passed(sentence("safetensors gives the same weights back, bit for bit"))

    return _with_file(run)


def _model(torch: Any, seed: int) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(8, 256), torch.nn.ReLU(), torch.nn.Linear(256, 4))


def _with_file(run: Callable[[Path], Outcome]) -> Outcome:
    """Run with a file in a temporary folder; an error on a full disk is blamed on the disk, not on torch."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run(Path(folder, "saved"))
    except Exception as error:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free > _NEEDED_BYTES:
            raise
        cause = sentence(
            "the disk is full: {free} KiB are free in {gettempdir}",
            free=free // 1024,
            gettempdir=tempfile.gettempdir(),
        )
        raised = broken(error)
        return failed("disk-full", sentence("{text} ({why})", text=cause, why=raised.detail), raised.evidence)
