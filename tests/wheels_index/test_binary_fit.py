"""Whether the libraries of a package go with one torch."""

from __future__ import annotations

import pytest

from tests.binaries import make_elf, make_pe
from wheels_index.binary import BytesReader, TorchBuild, exported_symbols, judge_package, read_libraries

OLD = "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"
NEW = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"


def torch(variant="cu126", defined=(NEW, "_ZN2at4hereEv")):
    """A torch 2.10 with these names."""
    library = BytesReader(make_elf(defined=defined))
    return TorchBuild.of("2.10.0", variant, exported_symbols([library]))


def package(**libraries):
    """The libraries of a package, as they are read."""
    return read_libraries(
        [
            (f"ext/{name}.so", 1, lambda content=content: BytesReader(content))
            for name, content in libraries.items()
        ]
    )


def codes(fit):
    return [(misfit.path, misfit.code, misfit.needed) for misfit in fit.misfits]


@pytest.mark.parametrize(
    ("needed", "variant", "code", "missing"),
    [
        (("libtorch.so", "libc10_cuda.so", "libcudart.so.13"), "cu126", "cuda-major", "libcudart.so.13"),
        (("libtorch.so", "libc10_cuda.so", "libcudart.so.12"), "cu130", "cuda-major", "libcudart.so.12"),
        (("libtorch.so", "libc10_cuda.so", "libcudart.so.12"), "cpu", "needs-cuda", "libc10_cuda.so"),
        (("libtorch.so", "libtorch_cuda.so"), "rocm6.4", "needs-cuda", "libtorch_cuda.so"),
        (("libtorch.so", "libc10_hip.so", "libamdhip64.so.6"), "cu126", "needs-rocm", "libc10_hip.so"),
        (("libamdhip64.so.6",), "cu126", "needs-rocm", "libamdhip64.so.6"),
        (("libtorch.so", "libtorch_xpu.so"), "cpu", "needs-xpu", "libtorch_xpu.so"),
    ],
)
def test_a_library_of_another_build(needed, variant, code, missing):
    """What it needs and this torch does not have is named."""
    fit = judge_package(package(a=make_elf(needed=needed)), torch(variant))
    assert codes(fit) == [("ext/a.so", code, missing)]
    assert fit.all_fail


@pytest.mark.parametrize("variant", ["cu126", "cu128", "cu129"])
def test_a_library_of_the_same_cuda_fits(variant):
    """Minor versions of CUDA go together."""
    library = make_elf(needed=("libtorch.so", "libc10_cuda.so", "libcudart.so.12"), undefined=(NEW,))
    fit = judge_package(package(a=library), torch(variant))
    assert (fit.judged, fit.misfits) == (1, ())


def test_a_library_of_the_other_abi():
    """The kind of string in the names that it calls."""
    fit = judge_package(package(a=make_elf(needed=("libc10.so",), undefined=(OLD,))), torch())
    assert codes(fit) == [("ext/a.so", "cxx11-abi", "before C++11")]


def test_a_name_that_torch_does_not_have():
    """Built for another torch; names that may be missing and those of other libraries do not count."""
    library = make_elf(
        needed=("libtorch.so",),
        undefined=("_ZN2at4hereEv", "_ZN2at4goneEv", "puts"),
        weak=("_ZN2at5maybeEv",),
    )
    assert codes(judge_package(package(a=library), torch())) == [
        ("ext/a.so", "missing-symbol", "_ZN2at4goneEv")
    ]


def test_a_name_that_another_library_of_the_package_has():
    """It comes with it."""
    one = make_elf(needed=("libtorch.so", "b.so"), undefined=("_ZN5torch5mineEv",))
    two = make_elf(needed=("libtorch.so",), soname="b.so", defined=("_ZN5torch5mineEv",))
    assert judge_package(package(a=one, b=two), torch()).misfits == ()


def test_a_library_that_needs_one_that_fails():
    """It fails with it; one that has nothing to do with torch is not judged."""
    core = make_elf(needed=("libtorch.so",), undefined=("_ZN2at4goneEv",))
    module = make_elf(needed=("core.so", "libc.so.6"))
    fit = judge_package(package(core=core, module=module, other=make_elf(needed=("libc.so.6",))), torch())
    assert [path for path, _, _ in codes(fit)] == ["ext/core.so", "ext/module.so"]
    assert fit.all_fail


def test_one_library_for_each_cuda():
    """Not all of them fail."""
    several = package(
        cuda12=make_elf(needed=("libcudart.so.12",)), cuda13=make_elf(needed=("libcudart.so.13",)),
        rocm=make_elf(needed=("libhipblas.so.2",)),
    )  # fmt: skip
    fit = judge_package(several, torch("cu130"))
    assert [misfit.path for misfit in fit.misfits] == ["ext/cuda12.so", "ext/rocm.so"]
    assert not fit.all_fail


def test_a_runtime_that_another_package_brings():
    """It does for a library that is not linked to torch."""
    alone = package(a=make_elf(needed=("libcudart.so.12",)))
    assert judge_package(alone, torch("cu130")).all_fail
    assert not judge_package(alone, torch("cu130"), cuda_majors={12}).misfits
    linked = package(a=make_elf(needed=("libtorch.so", "libcudart.so.12")))
    assert judge_package(linked, torch("cu130"), cuda_majors={12}).all_fail


def test_nothing_is_said_of_what_is_not_known():
    """A torch of an unknown variant whose libraries were not read, and a library that was not read."""
    library = make_elf(needed=("libtorch.so", "libcudart.so.13"), undefined=(OLD, "_ZN2at4goneEv"))
    assert judge_package(package(a=library), TorchBuild.of("2.10.0", None)).misfits == ()
    assert judge_package(package(a=b"none"), torch()).judged == 0


def test_windows():
    """DLLs are judged by what they import."""
    dll = make_pe(imports=("c10_cuda.dll", "torch_cpu.dll", "cudart64_12.dll"))
    entries = read_libraries([("ext/_C.pyd", 1, lambda: BytesReader(dll))])
    assert judge_package(entries, TorchBuild.of("2.10.0", "cu130")).misfits[0].needed == "cudart64_12.dll"
    assert judge_package(entries, TorchBuild.of("2.10.0", "cu126")).misfits == ()


def test_the_abi_of_a_torch():
    """By which of two names it has."""
    assert torch().cxx11_abi is True
    assert torch(defined=(OLD,)).cxx11_abi is False
    assert torch(defined=("other",)).cxx11_abi is None
    assert exported_symbols([BytesReader(b"none")]) is None
