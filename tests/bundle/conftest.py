"""The index of the installation's tests, and a bundle made from it."""

from __future__ import annotations

import pytest

from tests.install.conftest import TORCH, bare, official, tag
from tests.wheelmaker import make_wheel

__all__ = ["bare", "official", "tag"]


@pytest.fixture
def options(official, bare, tag):
    """What decides; torch needs `needed`, which the user's index has."""
    official.pages.pop("/whl/cpu/torch/")
    official.add("/whl/cpu/torch/", *make_wheel("torch", f"{TORCH}+cpu", tag=tag, requires=("needed",)))
    official.add("/simple/needed/", *make_wheel("needed", "1.0", tag="py3-none-any"))
    return [option for option in bare if option != "--no-verify"] + ["--without", "numpy"]


@pytest.fixture
def bundle(torchdoctor, options, tmp_path):
    """A folder with a blank, an umlaut and a dollar in its name."""
    folder = tmp_path / "büro $HOME 'x'"
    ran = torchdoctor("download", folder, *options)
    assert ran.status == 0, ran.err
    return folder
