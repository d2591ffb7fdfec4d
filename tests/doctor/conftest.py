"""What the tests of the doctor share: the C library that speaks NVML, an environment of real files, a small torch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import run_torchdoctor, settings_of_nobody
from tests.detect.conftest import library
from tests.install.conftest import TORCH, native_tag
from tests.inventory.site import Environment
from tests.loopback import LoopbackIndex
from tests.wheelmaker import make_wheel

__all__ = ["library"]

_REQUIRED = {"sympy": "1.13", "filelock": "3.18"}


def serve_small_torch(index: LoopbackIndex) -> None:
    """List a torch of one module and what it requires, always of the same bytes."""
    requires = tuple(f"{name}>={version}" for name, version in _REQUIRED.items())
    modules = {"torch/functional.py": "", "torch/nn/functional.py": ""}
    torch = make_wheel("torch", f"{TORCH}+cpu", tag=native_tag(), requires=requires, modules=modules)
    index.add("/whl/cpu/torch/", *torch)
    for name, version in {**_REQUIRED, "pip": "25.0", "numpy": "2.3.0"}.items():
        index.add(f"/simple/{name}/", *make_wheel(name, version, tag="py3-none-any"))


@pytest.fixture
def small_torch(once):
    """An environment made by torchdoctor with a small torch, once for the whole run: copy it to change it."""

    def install(folder):
        with LoopbackIndex() as index:
            serve_small_torch(index)
            ran = run_torchdoctor(
                "install", folder / "env", "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch",
                TORCH, "--variant", "cpu", "--without", "torchvision", "--without", "torchaudio", "--no-verify",
                environ=settings_of_nobody(folder, index.url),
            )  # fmt: skip
        assert ran.status == 0, ran.err
        return str(folder / "env")

    return Path(once("small-torch", install))


@pytest.fixture
def site(tmp_path: Path) -> Environment:
    """A virtual environment without packages."""
    return Environment(tmp_path / "site")
