"""What is in a source distribution is known before any of it runs."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdistmaker import make_sdist
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.sdist_contents import inspect_sdist


@pytest.fixture
def contents(tmp_path):
    """A function that looks into a small source distribution."""

    def contents(**more):
        filename, content = make_sdist("thing", "1.0", **more)
        (tmp_path / filename).write_bytes(content)
        return inspect_sdist(tmp_path / filename)

    return contents


def test_pure_python_compiles_nothing(contents):
    """C in its tests or documentation is not built."""
    found = contents(files={"thing/__init__.py": "", "tests/data.c": "", "docs/x.cpp": ""})
    assert (found.compiles, found.has_cuda, found.needs_torch) == (False, False, False)


@pytest.mark.parametrize(
    "path",
    ["thing/fast.pyx", "csrc/a.cpp", "src/lib.rs", "src/a.c.in", "src/a.ASM", "Cargo.toml", "meson.build"],
)
def test_sources_of_a_compiled_language_are_seen(contents, path):
    """Whichever."""
    assert contents(files={path: ""}).compiles


def test_a_setup_that_names_extensions_compiles_wherever_their_sources_lie(contents):
    """As documentation they would not count."""
    setup = "setup(ext_modules=[Extension('thing', ['docs/x.c'])])\n"
    assert contents(files={"setup.py": setup, "docs/x.c": ""}).compiles


@pytest.mark.parametrize(
    "more",
    [
        {"build_requires": ("setuptools", "torch>=2")},
        {"files": {"setup.py": "from torch.utils.cpp_extension import CUDAExtension\n"}},
    ],
)
def test_a_build_against_torch_is_seen(contents, more):
    """By what the build requires, and by what setup.py imports."""
    assert contents(**more).needs_torch


def test_what_would_unpack_to_gigabytes_is_refused_by_its_header(tmp_path):
    """A few kilobytes can hold a member of any size: none of it is unpacked."""
    path = tmp_path / "thing-1.0.tar.gz"
    header = tarfile.TarInfo("thing-1.0/zeros")
    header.size = 5 * 1024**3
    path.write_bytes(gzip.compress(header.tobuf()))
    with pytest.raises(SourceFailed, match="GiB"):
        inspect_sdist(path)


def test_a_source_that_requires_thousands_of_packages_is_refused(contents):
    """Each would be a page to read."""
    lines = "".join(f"Requires-Dist: part-{number}\n" for number in range(3000))
    with pytest.raises(SourceFailed, match="2000"):
        contents(files={"PKG-INFO": f"Metadata-Version: 2.2\nName: thing\nVersion: 1.0\n{lines}"})


def test_cuda_sources_are_seen(contents):
    """They need nvcc."""
    assert contents(files={"csrc/kernel.cu": ""}).has_cuda


@given(st.binary(max_size=300))
def test_anything_else_is_refused(tmp_path_factory, data):
    """With an error of ours."""
    path = tmp_path_factory.mktemp("sdist") / "thing-1.0.tar.gz"
    path.write_bytes(data)
    with pytest.raises(SourceFailed):
        inspect_sdist(path)


@pytest.mark.parametrize(
    ("files", "requires"),
    [
        ({"PKG-INFO": "Metadata-Version: 2.1\nName: a\nRequires-Dist: numpy>=1\n"}, ("numpy>=1",)),
        ({"PKG-INFO": "Metadata-Version: 2.2\nName: a\n"}, ()),
        ({"PKG-INFO": "Metadata-Version: 2.2\nName: a\nDynamic: Requires-Dist\n"}, None),
        ({"PKG-INFO": "Metadata-Version: 1.1\nName: a\n"}, None),
        ({"PKG-INFO": "Metadata-Version: 1.1\n", "a.egg-info/SOURCES.txt": ""}, ()),
        (
            {"PKG-INFO": "", "a.egg-info/requires.txt": "x>1\n\n[:sys_platform == 'win32']\ny\n\n[dev]\nz\n"},
            ("x>1", "y; sys_platform == 'win32'", 'z; extra == "dev"'),
        ),
    ],
)
def test_what_an_archive_says_that_it_needs_is_read_and_silence_is_not_taken_for_nothing(
    files, requires, tmp_path
):
    """Its metadata where that is complete, setuptools' own list, or None."""
    path = tmp_path / "a-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"a-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    assert inspect_sdist(path).requires == requires
