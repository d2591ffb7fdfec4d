"""ELF files: what they need, from made ones of each kind and from what the compiler of this machine writes."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.binaries import fatbin, make_elf
from wheels_index.binary import BinaryError, BytesReader, Damaged, NotRead, read_library
from wheels_index.binary.elf import read_elf
from wheels_index.binary.elf_symbols import SymbolTable, undefined_symbols

NEW = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
OLD = "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"
VERSIONS = {"libc.so.6": ("GLIBC_2.4", "GLIBC_2.17", "GLIBC_2.9"), "libstdc++.so.6": ("GLIBCXX_3.4",)}


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_everything_that_its_headers_say(wide, order):
    """The same of 32 and 64 bits, and of either order of bytes."""
    made = make_elf(
        needed=("libtorch_cuda.so", "libcudart.so.12", "libc.so.6"),
        soname="libmine.so",
        runpath="$ORIGIN:$ORIGIN/../lib",
        undefined=(NEW, "malloc"),
        weak=("_ZN3c104maybeEv",),
        defined=("mine", "PyInit__C"),
        versions=VERSIONS,
        sections={".nv_fatbin": fatbin("sm_80", "sm_90a", "compute_90")},
        wide=wide,
        order=order,
    )
    library = read_library(BytesReader(made))
    assert library.format == "elf"
    assert library.machines == ("x86_64",)
    assert library.needed == ("libtorch_cuda.so", "libcudart.so.12", "libc.so.6")
    assert library.name == "libmine.so"
    assert library.search_path == ("$ORIGIN", "$ORIGIN/../lib")
    assert library.glibc == "2.17"
    assert library.cxx11_abi is True
    assert library.torch_symbols == (NEW,)
    assert library.gpu is not None
    assert (library.gpu.cubins, library.gpu.ptx) == (("sm_80", "sm_90a"), ("compute_90",))
    assert library.gpu.complete
    assert library.unread == ()


def test_the_other_abi_and_no_sections():
    """Names with the old string tell the old ABI; a library whose sections were stripped still tells what it needs."""
    library = read_library(
        BytesReader(make_elf(needed=("libc10.so",), undefined=(OLD,), with_sections=False))
    )
    assert library.cxx11_abi is False
    assert library.needed == ("libc10.so",)
    assert library.gpu is None


def test_symbols_are_found_by_name():
    """Those that it defines, and not those that it needs or that are not there."""
    names = tuple(f"_ZN3c10{len(name)}{name}Ev" for name in (f"f{number}" for number in range(50)))
    elf = read_elf(BytesReader(make_elf(undefined=("away",), defined=names)))
    table = SymbolTable.of(elf)
    assert table is not None
    assert [name for name in names if not table.has(name)] == []
    assert not table.has("away")
    assert not table.has("nowhere")
    assert list(undefined_symbols(elf)) == ["away"]


def test_what_is_out_of_reach_is_unknown():
    """A reader that ends early makes null of what lies behind its end, and says so."""
    made = make_elf(needed=("libc10.so",), undefined=(NEW,), versions=VERSIONS, padding=b"\0" * 5000)

    class Short(BytesReader):
        def read_at(self, offset, length):
            if offset + length > 4000:
                raise NotRead("it lies behind the end")
            return super().read_at(offset, length)

    library = read_library(Short(made))
    assert library.machines == ("x86_64",)
    assert library.needed is None
    assert library.glibc is None
    assert library.cxx11_abi is None
    assert set(library.unread) == {"needed", "versions", "symbols", "gpu"}


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF" + bytes(60), b"MZ" + bytes(70), bytes(100), b"\xca\xfe\xba\xbe\0\0\0\x34"],
)
def test_what_is_none_is_said_to_be_none(content):
    """Empty, cut and foreign files."""
    with pytest.raises(Damaged):
        read_library(BytesReader(content))


WHOLE = make_elf(
    needed=("libc10.so", "libcudart.so.13"), soname="a.so", undefined=(NEW, OLD), defined=("b", "c"),
    versions=VERSIONS, sections={".nv_fatbin": fatbin("sm_90") * 3},
)  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=12),
    st.integers(0, len(WHOLE)),
)
def test_no_damage_raises_anything_else(changes, end):
    """Bytes changed anywhere and a cut end make an error of ours or a result, in little time."""
    damaged = bytearray(WHOLE)
    for place, value in changes:
        damaged[place] = value
    try:
        elf = read_elf(BytesReader(bytes(damaged[:end])))
        table = SymbolTable.of(elf)
        if table is not None:
            table.has("b")
    except BinaryError:
        pass
    try:
        read_library(BytesReader(bytes(damaged[:end])))
    except BinaryError:
        return


@pytest.mark.process
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler here")
@pytest.mark.parametrize("abi", [0, 1])
def test_what_a_compiler_writes(tmp_path, abi):
    """A real library: its needs, its symbols by name, and the ABI that it was compiled with."""
    (tmp_path / "a.cpp").write_text(
        "#include <string>\n#include <cstdio>\n"
        "namespace c10 { void hear(const std::string&, int); }\n"
        'extern "C" void say(const char* text) { c10::hear(text, 10); std::puts(text); }\n'
    )
    made = tmp_path / "liba.so"
    flags = ["-shared", "-fPIC", f"-D_GLIBCXX_USE_CXX11_ABI={abi}", "-Wl,--hash-style=gnu,-soname,liba.so.1"]
    subprocess.run(["g++", *flags, "a.cpp", "-o", made], cwd=tmp_path, check=True, capture_output=True)
    library = read_library(BytesReader(made.read_bytes()))
    assert library.needed is not None
    assert "libc.so.6" in library.needed
    assert library.name == "liba.so.1"
    assert library.cxx11_abi is bool(abi)
    assert len(library.torch_symbols) == 1
    assert library.glibc is not None
    assert library.glibc.startswith("2.")
    table = SymbolTable.of(read_elf(BytesReader(made.read_bytes())))
    assert table is not None
    assert table.has("say")
    assert not table.has("puts")
