"""What libraries ask for and a machine lacks, by stand-ins of the files alone."""

from __future__ import annotations

import os
import struct
from dataclasses import replace

import pytest

from tests.doctor.check_ups import MACHINE
from torchdoctor.detect import Detection, Libc, Nvidia, NvidiaGpu
from torchdoctor.diagnose import Evidence, Observation
from torchdoctor.diagnose.catalogue import live_failures
from torchdoctor.diagnose.engine import diagnose
from torchdoctor.doctor.library_evidence import library_observations
from torchdoctor.doctor.library_state import LibraryState, library_state, wants_executable_stack

NEW_LIBC = replace(MACHINE, libc=Libc(name="glibc", version="2.41"))
SPARK = replace(
    MACHINE,
    nvidia=Nvidia(driver="580.95.05", gpus=(NvidiaGpu(name="NVIDIA GB10", compute_capability="12.1"),)),
)
WSL = replace(MACHINE, wsl=True)


def library(*, executable):
    """The headers of an ELF file with one entry: that of the stack."""
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    return head + struct.pack("<IIQQQQQQ", 0x6474E551, 7 if executable else 6, 0, 0, 0, 0, 0, 16)


def state(site, machine, root):
    """The state of the environment on that machine."""
    return library_state(site.python, Detection(machine=machine, facts=()), root=root)


def found(machine, libraries):
    """The ids that the rules give for it."""
    facts = [Observation(name="os.system", value=machine.os, source="os")]
    facts += [
        Observation(name="nvidia.capability", value=gpu.compute_capability, source=gpu.name)
        for gpu in machine.nvidia.gpus
    ]
    evidence = Evidence(facts=(*facts, *library_observations(libraries)))
    return {finding.id for finding in diagnose(evidence, failures=live_failures()).findings}


def put(site, name, data=b""):
    """A file in site-packages."""
    path = site.site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def test_a_library_that_asks_for_an_executable_stack_is_told_under_a_c_library_that_refuses_it(
    site, tmp_path
):
    """An older C library loads it, and one that asks for none is no matter."""
    asks = put(site, "ctranslate2.libs/libctranslate2-1.so.4.5.0", library(executable=True))
    put(site, "torch/lib/libc10.so", library(executable=False))
    assert state(site, NEW_LIBC, tmp_path).executable_stack == (asks,)
    assert state(site, MACHINE, tmp_path) == LibraryState()


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(58), b"MZ" + bytes(100)])
def test_a_file_that_is_no_whole_library_asks_for_nothing(tmp_path, data):
    """Cut short, of another system, or empty."""
    path = tmp_path / "a.so"
    path.write_bytes(data)
    assert not wants_executable_stack(str(path))


def test_the_newest_ptxas_counts_where_the_gpu_needs_a_new_one(site, tmp_path):
    """A machine without such a GPU is not asked."""
    put(site, "triton/backends/nvidia/bin/ptxas", b"\x00Cuda compilation tools, release 12.8, V12.8.93\x00")
    assert state(site, SPARK, tmp_path).ptxas == "12.8"
    assert state(site, MACHINE, tmp_path).ptxas == ""
    put(site, "triton/backends/nvidia/bin/ptxas-blackwell", b"Cuda compilation tools, release 13.0, V13.0.48")
    assert state(site, SPARK, tmp_path).ptxas == "13.0"


def test_torchcodec_without_ffmpeg_is_told_by_the_loaders_cache(site, tmp_path):
    """Nothing is said where there is no cache, or a library in the environment."""
    put(site, "torchcodec/__init__.py")
    assert state(site, MACHINE, tmp_path).without_ffmpeg == ""
    cache = tmp_path / "etc" / "ld.so.cache"
    cache.parent.mkdir()
    cache.write_bytes(b"glibc-ld.so.cache1.1\0libc.so.6\0")
    assert state(site, MACHINE, tmp_path).without_ffmpeg.endswith("torchcodec")
    cache.write_bytes(b"glibc-ld.so.cache1.1\0libavutil.so.58\0")
    assert state(site, MACHINE, tmp_path).without_ffmpeg == ""
    cache.write_bytes(b"glibc-ld.so.cache1.1\0libc.so.6\0")
    (site.prefix / "lib").mkdir(exist_ok=True)
    (site.prefix / "lib" / "libavutil.so.58").touch()
    assert state(site, MACHINE, tmp_path).without_ffmpeg == ""


def test_torchs_own_rocm_runtime_is_told_in_wsl_where_another_one_is(site, tmp_path):
    """Not where /dev/kfd is, nor where it is a link to the one that works."""
    own = put(site, "torch/lib/libhsa-runtime64.so")
    works = tmp_path / "opt/rocm/lib/libhsa-runtime64.so.1"
    assert state(site, WSL, tmp_path).own_hsa_runtime == ""
    works.parent.mkdir(parents=True)
    works.touch()
    assert state(site, WSL, tmp_path).own_hsa_runtime == own
    assert state(site, MACHINE, tmp_path).own_hsa_runtime == ""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kfd").touch()
    assert state(site, WSL, tmp_path).own_hsa_runtime == ""


@pytest.mark.parametrize(
    ("machine", "libraries", "name"),
    [
        (NEW_LIBC, LibraryState(executable_stack=("/e/a.so",)), "executable-stack"),
        (SPARK, LibraryState(ptxas="12.8"), "ptxas-too-old"),
        (MACHINE, LibraryState(without_ffmpeg="/e/torchcodec"), "torchcodec-ffmpeg-missing"),
    ],
)
def test_each_is_a_finding_of_the_check_up(machine, libraries, name):
    """And without it there is none of that name."""
    assert name in found(machine, libraries)
    assert name not in found(machine, LibraryState())


def test_a_ptxas_that_knows_the_gpu_is_no_finding():
    """12.9 is the first for it."""
    assert "ptxas-too-old" not in found(SPARK, LibraryState(ptxas="12.9"))


def test_headers_that_no_linker_writes_ask_for_nothing(tmp_path):
    """A place of the headers beyond what a number can hold ends no check-up."""
    path = tmp_path / "libx.so"
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\xff" * 48 + bytes(64))
    assert wants_executable_stack(str(path)) is False


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_program_that_is_a_pipe_is_not_waited_for(site, tmp_path):
    """Nothing is known of it then."""
    pipe = site.site / "triton/backends/nvidia/bin/ptxas"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    assert state(site, SPARK, tmp_path).ptxas == ""
