"""Libraries of Windows and macOS, code for GPUs, names of C++: what is read of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.binaries import fatbin, make_elf, make_macho, make_pe, make_universal, offload_bundle
from wheels_index.binary import BinaryError, BytesReader, GpuCode, joined_code, read_library
from wheels_index.binary.cxx_names import cxx11_abi, is_torch_symbol, string_abi
from wheels_index.binary.elf import Section
from wheels_index.binary.gpu_code import cuda_code_in_part, read_cuda_code
from wheels_index.binary.library import Library
from wheels_index.binary.needs import library_stem, needs_of


def test_a_dll_of_windows():
    """What it imports at once and late, and the code for GPUs in it."""
    made = make_pe(
        imports=("c10.dll", "torch_cuda.dll", "cudart64_12.dll", "KERNEL32.dll"),
        delayed=("cublas64_12.dll",),
        sections={".nv_fatb": fatbin("sm_86", "compute_86")},
    )
    library = read_library(BytesReader(made))
    assert library.format == "pe"
    assert library.machines == ("x86_64",)
    assert library.needed == ("c10.dll", "torch_cuda.dll", "cudart64_12.dll", "KERNEL32.dll")
    assert library.optional == ("cublas64_12.dll",)
    assert library.gpu == GpuCode(cubins=("sm_86",), ptx=("compute_86",))


def test_a_library_of_macos():
    """What it needs, and the least macOS; of one for two processors the lower."""
    arm = make_macho(
        needed=("@rpath/libtorch_cpu.dylib", "/usr/lib/libSystem.B.dylib"),
        name="@rpath/a.dylib",
        rpath="@loader_path",
    )
    library = read_library(BytesReader(arm))
    assert library.needed == ("@rpath/libtorch_cpu.dylib", "/usr/lib/libSystem.B.dylib")
    assert (library.name, library.macos, library.machines) == ("@rpath/a.dylib", "11.0", ("arm64",))
    assert library.search_path == ("@loader_path",)
    intel = make_macho(weak=("@rpath/libomp.dylib",), minimum=(10, 9), cpu=0x01000007)
    both = read_library(BytesReader(make_universal((0x0100000C, arm), (0x01000007, intel))))
    assert both.machines == ("arm64", "x86_64")
    assert both.macos == "10.9"
    assert both.optional == ("@rpath/libomp.dylib",)


PE = make_pe(imports=("c10.dll",), delayed=("cudart64_12.dll",), sections={".nv_fatb": fatbin("sm_86")})
MACHO = make_universal((0x0100000C, make_macho(needed=("a", "b"), name="c", rpath="d")))


@pytest.mark.parametrize("whole", [PE, MACHO], ids=["pe", "macho"])
@given(data=st.data())
def test_no_damage_raises_anything_else(whole, data):
    """Bytes changed anywhere and a cut end make an error of ours or a result."""
    damaged = bytearray(whole)
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=12)
    ):
        damaged[place] = value
    try:
        read_library(BytesReader(bytes(damaged[: data.draw(st.integers(0, len(whole)))])))
    except BinaryError:
        return


def test_code_of_several_fat_binaries():
    """All of them count, with what pads them between; architectures are in their order."""
    content = fatbin("sm_120", "sm_90") + bytes(24) + fatbin("sm_100f", "sm_75", "compute_120")
    code = read_cuda_code(BytesReader(content), Section(0, len(content)))
    assert code == GpuCode(cubins=("sm_75", "sm_90", "sm_100f", "sm_120"), ptx=("compute_120",))


def test_code_that_is_cut_is_incomplete():
    """What was read before the cut counts, and is said not to be all."""
    content = fatbin("sm_80") + fatbin("sm_90")[:40]
    code = read_cuda_code(BytesReader(content), Section(0, len(content)))
    assert code.cubins == ("sm_80",)
    assert not code.complete


def test_code_is_found_in_a_part():
    """Wherever the part begins; not where bytes of the header are unknown."""
    part = fatbin("sm_80", "sm_90", code=b"\x55" * 200)[30:]
    assert cuda_code_in_part(part, lambda _start, _length: True).cubins == ("sm_90",)
    assert cuda_code_in_part(part, lambda _start, _length: False).cubins == ()


def test_targets_of_rocm():
    """Those of a bundle; a compressed one does not show them, which is said."""
    content = offload_bundle("gfx90a:sramecc+:xnack-", "gfx1100")
    library = read_library(BytesReader(make_elf(sections={".hip_fatbin": content})))
    assert library.gpu == GpuCode(gfx=("gfx1100", "gfx90a"))
    packed = read_library(BytesReader(make_elf(sections={".hip_fatbin": b"CCOB" + bytes(60)})))
    assert packed.gpu == GpuCode(complete=False)


def test_code_of_several_libraries():
    """Together; complete where each is."""
    assert joined_code([]) is None
    joined = joined_code([GpuCode(cubins=("sm_90",)), GpuCode(cubins=("sm_80", "sm_90"), complete=False)])
    assert joined == GpuCode(cubins=("sm_80", "sm_90"), complete=False)


@given(st.binary(max_size=400))
def test_no_bytes_raise_as_code(content):
    """Whatever lies in a section of code."""
    for text in (content, fatbin("sm_80")[:16] + content):
        read_cuda_code(BytesReader(text), Section(0, len(text)))
        cuda_code_in_part(text, lambda _start, _length: True)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
            True,
        ),
        ("_ZN3c106detail14torchCheckFailEPKcS2_jRKSs", False),
        ("_ZNK3c1010TensorImpl5sizesEv", None),
        ("_ZN2at8isSsomeRKNS_6TensorE", None),  # `Ss` inside of a name
        ("_ZN5torch3jit6parserILi10EEEvRKSs", False),  # a number that is a value
        ("_ZN5torch9getStringB5cxx11Ev", True),
        ("_ZN3c10999999999x", None),
    ],
)
def test_the_abi_that_a_name_tells(name, told):
    """By the kind of string in it."""
    assert string_abi(name) is told


def test_names_that_are_libtorch_s():
    """By namespace; other libraries' names that begin alike are not."""
    theirs = (
        "_ZN3c104cuda9SetDeviceEi",
        "_ZNK2at6Tensor4itemEv",
        "_ZTIN5torch8autograd4NodeE",
        "aoti_torch_get_data_ptr",
    )
    others = ("_ZN4c10d4WorkD1Ev", "_ZN9torchtext5VocabE", "_ZN6vision3opsE", "PyList_New", "_ZSt4cout")
    assert [name for name in (*theirs, *others) if is_torch_symbol(name)] == [*theirs, "_ZN4c10d4WorkD1Ev"]


def test_names_that_contradict_each_other_tell_nothing():
    """A library built of both kinds."""
    assert cxx11_abi(["_ZN3c104hearERKSs", "_ZN3c104hearERKNSt7__cxx1112basic_stringIcEE"]) is None
    assert cxx11_abi(["_ZN6vision4hearERKSs"]) is None


@given(st.text(max_size=60))
def test_any_name_can_be_asked(name):
    """None of them raises or takes long."""
    string_abi(f"_Z{name}")
    is_torch_symbol(name)
    library_stem(name)


def _needs(*needed, beside=()):
    return needs_of(Library(format="elf", machines=("x86_64",), needed=needed), beside=beside)


def test_what_needed_libraries_mean():
    """CUDA's major by the libraries that have it in their names, and which build of libtorch."""
    cuda = _needs("libtorch.so", "libc10_cuda.so", "libcudart.so.12", "libcufft.so.11")
    assert cuda.torch
    assert cuda.torch_gpu == {"cuda"}
    assert cuda.cuda_majors == {12}
    assert _needs("cudart64_110.dll", "cublas64_12.dll", "nvrtc64_112_0.dll").cuda_majors == {11, 12}
    assert _needs("c10_hip.dll", "libamdhip64.so.6").rocm
    assert _needs("@rpath/libtorch_cpu.dylib").torch
    assert not _needs("libcudart-d0da41ae.so.11.0", "libm.so.6").cuda_majors
    assert not _needs("libcudart.so.12", beside=("libcudart.so.12",)).cuda_majors
