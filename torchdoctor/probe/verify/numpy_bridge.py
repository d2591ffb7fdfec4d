"""The check of the bridge between torch and NumPy."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from .. import facts
from ..message import joined, sentence
from ..step import Outcome, broken, failed, passed, warned

__all__ = ["numpy"]


def numpy(torch: Any, _device: str) -> Outcome:
    """Turn an array into a tensor and a tensor into an array: the values are the same, and so is the memory."""
    if importlib.util.find_spec("numpy") is None:
        return warned(
            "numpy-not-installed",
            sentence(
                "NumPy is not installed: tensor.numpy() and torch.from_numpy() raise; add it with pip "
                "install numpy"
            ),
        )
    version = facts.version_of("numpy")
    try:
        np = importlib.import_module("numpy")
        array = np.arange(6, dtype=np.float32).reshape(2, 3)
    except Exception as error:  # noqa: BLE001  # whatever it raises, it does not import
        raised = broken(error)
        return failed(
            "numpy-broken",
            sentence("NumPy {version} cannot be imported: {detail}", version=version, detail=raised.detail),
            raised.evidence,
        )
    try:
        tensor = torch.from_numpy(array)
        back = tensor.numpy()
    except Exception as error:  # noqa: BLE001  # torch raises "Numpy is not available" for every reason
        return _not_usable(torch, version, error)
    tensor[1, 2] = 9
    if back[1, 2] != 9 or array[1, 2] != 9:
        text = sentence("a tensor made from an array does not share its memory")
        return failed("memory-not-shared", text)
    wrong = _wrong_dtype(torch)
    if wrong is not None:
        return wrong
    return passed(sentence("NumPy {version}: arrays and tensors share memory both ways", version=version))


def _wrong_dtype(torch: Any) -> Outcome | None:
    for name in ("float64", "int64", "int8", "uint8", "bool", "float16"):
        array = torch.ones(3, dtype=getattr(torch, name)).numpy()
        if str(array.dtype) != name or array.tolist() != [1, 1, 1]:
            text = sentence(
                "torch.{name} becomes NumPy's {dtype}, {tolist}",
                name=name,
                dtype=array.dtype,
                tolist=array.tolist(),
            )
            return failed("wrong-dtype", text)
    return None


def _not_usable(torch: Any, version: str | None, error: Exception) -> Outcome:
    raised = broken(error)
    text = sentence(
        "torch {version} and NumPy {version2} do not work together: {detail}",
        version=torch.__version__,
        version2=version,
        detail=raised.detail,
    )
    release = [int(part) for part in str(torch.__version__).split(".")[:2]]
    # torch 2.3 was the first built against NumPy 2 (its release notes).
    if (version or "").startswith("2.") and release < [2, 3]:
        cause = sentence("this torch was built for NumPy 1: pip install 'numpy<2'")
        return failed("numpy-too-new", joined((text, cause), "; "), raised.evidence)
    return failed("numpy-not-usable", text, raised.evidence)
