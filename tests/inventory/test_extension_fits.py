"""Installed packages that do not go with the installed torch are found by their files."""

from __future__ import annotations

import os

import pytest

from tests.binaries import make_elf
from torchdoctor.inventory.extension_misfit import may_be_extension

HERE = "_ZN2at4hereEv"
LINKED = ("libtorch.so", "libc10.so")


@pytest.fixture
def site(env):
    """An environment to put packages into."""
    return env


def put_torch(site, version="2.10.0+cu126", cuda="12.6", defined=(HERE,)):
    """A torch with the two libraries that every one has."""
    site.torch(version, cuda=cuda)
    library = site.site / "torch" / "lib"
    library.mkdir()
    (library / "libtorch_cpu.so").write_bytes(make_elf(defined=defined))
    (library / "libc10.so").write_bytes(make_elf(defined=("_ZN3c104baseEv",)))


def put_extension(site, name="flash-attn", *, requires=(), **library):
    """A package with one library."""
    folder = name.replace("-", "_")
    site.put(name, "1.0", requires=requires, files={f"{folder}/_C.so": make_elf(**library)})


def misfits(site, **more):
    """Name, code and what is missing of each."""
    found = site.take(**more).extensions
    return [(fit.name, fit.code, fit.needed) for fit in found.value or () if fit.fits is False]


@pytest.mark.parametrize(
    ("library", "code", "needed"),
    [
        ({"needed": (*LINKED, "libcudart.so.13")}, "cuda-major", "libcudart.so.13"),
        ({"needed": (*LINKED, "libc10_hip.so")}, "needs-rocm", "libc10_hip.so"),
        ({"needed": LINKED, "undefined": (HERE, "_ZN2at4goneEv")}, "missing-symbol", "_ZN2at4goneEv"),
    ],
)
def test_an_extension_for_another_torch(site, library, code, needed):
    """What it needs and this torch does not have."""
    put_torch(site)
    put_extension(site, **library)
    assert misfits(site) == [("flash-attn", code, needed)]


def test_an_extension_that_fits(site):
    """It is read, and nothing is said of it."""
    put_torch(site)
    put_extension(site, needed=(*LINKED, "libcudart.so.12"), undefined=(HERE,), weak=("_ZN2at5maybeEv",))
    found = site.take().extensions
    assert [(fit.name, fit.fits, fit.libraries, fit.code) for fit in found.value] == [
        ("flash-attn", True, 1, None)
    ]
    assert found.source == "the headers of the libraries of 1 packages"


def test_which_packages_are_read(site):
    """Known extensions, those named alike, and those that require torch; no others, and not NVIDIA's."""
    put_torch(site)
    for name in ("numpy", "nvidia-cublas-cu12", "torchvision"):
        put_extension(site, name, needed=(*LINKED, "libcudart.so.13"))
    put_extension(site, "some-thing", requires=("torch>=2",), needed=(*LINKED, "libcudart.so.13"))
    put_extension(site, "my-torch-ops", needed=(*LINKED, "libcudart.so.13"))
    put_extension(site, "optional", requires=('torch; extra == "all"',), needed=(*LINKED, "libcudart.so.13"))
    assert sorted(name for name, _, _ in misfits(site)) == ["my-torch-ops", "some-thing"]
    assert may_be_extension("requests") is None
    assert may_be_extension("vllm") is True
    assert may_be_extension("nvidia-nccl-cu12") is False


@pytest.mark.parametrize("place", ["LD_LIBRARY_PATH", "RUNPATH", "conda"])
def test_a_runtime_that_the_loader_finds_elsewhere(site, tmp_path, place):
    """Another CUDA may be there all the same."""
    put_torch(site)
    runpath = "$ORIGIN/../nvidia/cuda_runtime/lib" if place == "RUNPATH" else None
    put_extension(site, needed=(*LINKED, "libcudart.so.13"), runpath=runpath)
    folder = {
        "LD_LIBRARY_PATH": tmp_path / "libs",
        "RUNPATH": site.site / "nvidia" / "cuda_runtime" / "lib",
        "conda": site.prefix / "lib",
    }[place]
    assert len(misfits(site)) == 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libcudart.so.13").write_bytes(b"")
    assert misfits(site, environ={"LD_LIBRARY_PATH": f"/nowhere:{tmp_path / 'libs'}"}) == []


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_torch_says_nothing_of_names(site, damage):
    """What is missing is torch's own, and another finding."""
    put_torch(site)
    put_extension(site, needed=LINKED, undefined=("_ZN2at4goneEv",))
    library = site.site / "torch" / "lib" / "libtorch_cpu.so"
    library.unlink() if damage == "gone" else library.write_bytes(library.read_bytes()[:100])
    assert [fit.fits for fit in site.take().extensions.value] == [None]


def test_without_torch_and_with_a_list_alone(site):
    """Nothing is read; the fact says why."""
    put_extension(site, needed=LINKED)
    assert site.take().extensions.source == "there is no torch"
    put_torch(site)
    assert site.take(depth="list").extensions.state == "unknown"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_what_a_hostile_record_names(site):
    """A pipe is not opened, a name that is none and a file that is no library are passed over."""
    put_torch(site)
    info = site.put("flash-attn", "1.0", files={"flash_attn/a.so": "no library"})
    os.mkfifo(site.site / "flash_attn" / "pipe.so")
    rows = ["flash_attn/pipe.so,,", "../../../../../dev/zero.so,,", "/dev/zero.so,,", "flash_attn/gone.so,,"]
    with (info / "RECORD").open("a") as record:
        record.write("\n".join([*rows, ""]))
    assert misfits(site) == []
