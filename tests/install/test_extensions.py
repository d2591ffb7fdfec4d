"""An install passes over versions of an extension that cannot be loaded beside the torch that was chosen."""

from __future__ import annotations

import pytest

from tests.binaries import make_elf
from tests.install.conftest import TORCH, native_tag
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel

CUDA = make_elf(needed=("libtorch.so", "libc10_cuda.so", "libcudart.so.13"))
CPU = make_elf(needed=("libtorch.so", "libc10.so"))


def list_extension(index, version, library):
    """List a version of an extension on the index of other packages."""
    modules = {"my_torch_ops/_C.so": library}
    made = make_wheel(
        "my-torch-ops", version, tag=native_tag(), requires=(f"torch=={TORCH}",), modules=modules
    )
    index.add("/simple/my-torch-ops/", *made)


@pytest.fixture
def options(bare):
    return (*bare, "--without", "torchvision", "--with")


def test_the_version_for_this_torch_is_taken(torchdoctor, official, options, tmp_path):
    """The newer one needs CUDA, which is told."""
    list_extension(official, "2.0", CUDA)
    list_extension(official, "1.0", CPU)
    ran = torchdoctor("install", tmp_path / "env", *options, "my-torch-ops")
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "env")["my-torch-ops"] == "1.0"
    assert "my-torch-ops 2.0 is passed over: _C.so needs libc10_cuda.so" in ran.err


def test_where_there_is_none_nothing_is_installed(torchdoctor, official, options, tmp_path):
    """The error has the reason of the newest one, and the documented status."""
    list_extension(official, "2.0", CUDA)
    ran = torchdoctor("install", tmp_path / "env", *options, "my-torch-ops", "--json")
    assert ran.status == 3
    assert ran.json["error"]["kind"] == "extension-mismatch"
    assert "my-torch-ops 2.0: _C.so needs libc10_cuda.so" in ran.json["error"]["message"]
    assert not (tmp_path / "env").exists()
