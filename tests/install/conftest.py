"""An index in the official layout with small wheels named as real ones, for the Python that runs the tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from packaging.tags import sys_tags

from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from tests.loopback import LoopbackIndex

TORCH = "2.13.0"
VISION = "0.28.0"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def native_tag() -> str:
    """The best tag for a compiled wheel on this machine, as torch's wheels carry it."""
    return str(
        next(tag for tag in sys_tags() if "manylinux" in tag.platform or tag.platform.startswith("macosx"))
    )


@pytest.fixture
def tag() -> str:
    return native_tag()


def list_official(index: LoopbackIndex) -> None:
    """List torch and its companions in the official layout."""
    for project, version in (("torch", TORCH), ("torchvision", VISION)):
        index.add(f"/whl/cpu/{project}/", *make_wheel(project, f"{version}+cpu", tag=native_tag()))


def bare_options(index: LoopbackIndex) -> tuple[object, ...]:
    """Options that install from this index alone, without pip and without a proof."""
    return (
        "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch", TORCH, "--variant", "cpu",
        "--without", "pip", "--without", "torchaudio", "--no-verify",
    )  # fmt: skip


@pytest.fixture
def official(index: LoopbackIndex) -> LoopbackIndex:
    """`/whl/cpu/` has torch and its companions, `/simple/` has nothing: a mirror of the official index."""
    list_official(index)
    return index


@pytest.fixture
def bare(official: LoopbackIndex) -> tuple[object, ...]:
    """Options that install from `official` alone, without pip and without a proof."""
    return bare_options(official)
