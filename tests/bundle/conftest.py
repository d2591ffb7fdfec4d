"""The index of the installation's tests, and a bundle made from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import run_torchdoctor, settings_of_nobody
from tests.install.conftest import TORCH, bare, bare_options, list_official, native_tag, official, tag
from tests.loopback import LoopbackIndex
from tests.wheelmaker import make_wheel

__all__ = ["bare", "official", "tag"]


def require_one_more(index):
    """Let torch need `needed`, which the user's index has."""
    index.pages.pop("/whl/cpu/torch/")
    index.add("/whl/cpu/torch/", *make_wheel("torch", f"{TORCH}+cpu", tag=native_tag(), requires=("needed",)))
    index.add("/simple/needed/", *make_wheel("needed", "1.0", tag="py3-none-any"))


def download_options(options):
    """Those of an installation that `download` takes."""
    return [option for option in options if option != "--no-verify"] + ["--without", "numpy"]


@pytest.fixture
def options(official, bare):
    """What decides; torch needs `needed`."""
    require_one_more(official)
    return download_options(bare)


@pytest.fixture(scope="session")
def made_bundle(once):
    """A bundle for this machine, made once for the whole run: copy it to change it."""

    def download(folder):
        with LoopbackIndex() as index:
            list_official(index)
            require_one_more(index)
            ran = run_torchdoctor(
                "download", folder / "bundle", *download_options(bare_options(index)),
                environ=settings_of_nobody(folder, index.url),
            )  # fmt: skip
        assert ran.status == 0, ran.err
        return str(folder / "bundle")

    return Path(once("bundle", download))


@pytest.fixture
def bundle(made_bundle, tmp_path):
    """A folder with a blank, an umlaut and a dollar in its name."""
    return Path(shutil.copytree(made_bundle, tmp_path / "büro $HOME 'x'"))
