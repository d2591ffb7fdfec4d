# ruff: noqa: F401, PTH100, PTH110, PTH118, PTH120  (as torch does it)
"""A stand-in for a package with operators of its own: they are there where it is of the same torch and whole."""

import os

import torch

from .version import __version__

_HERE = os.path.dirname(os.path.abspath(__file__))
_BUILT_FOR = "{torch}"
if not torch.__version__.startswith(_BUILT_FOR) or not os.path.exists(os.path.join(_HERE, "{library}")):
    raise RuntimeError("operator torchvision::nms does not exist")
