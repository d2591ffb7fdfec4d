"""The names by which a distribution is imported, from the list of its files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.probe.packages.modules import import_names, is_compiled, kind_without_modules

SUFFIX = ".cpython-311-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    ("project", "paths", "names"),
    [
        ("timm", ["timm/__init__.py", "timm/models/vit.py", "timm-1.0.dist-info/METADATA"], ["timm"]),
        ("Pillow", ["PIL/__init__.py", "PIL/_imaging" + SUFFIX, "pillow.libs/libz.so"], ["PIL"]),
        ("six", ["six.py", "__pycache__/six.cpython-311.pyc"], ["six"]),
        ("opencv-python", ["cv2/__init__.py", "cv2/cv2.abi3.so"], ["cv2"]),
        ("pyg-lib", ["pyg_lib/__init__.py", "libpyg.so"], ["pyg_lib"]),
        ("attrs", ["attr/__init__.py", "attrs/__init__.py"], ["attrs"]),
        ("protobuf", ["google/protobuf/__init__.py", "google/_upb/_message.abi3.so"], ["google.protobuf"]),
        ("nvidia-cublas-cu12", ["nvidia/cublas/__init__.py", "nvidia/cublas/lib/libcublas.so.12"], ["nvidia.cublas"]),
        ("ruamel.yaml", ["ruamel/yaml/__init__.py"], ["ruamel.yaml"]),
        ("mixed", ["sklearn/__init__.py", "tests/__init__.py", "examples/run.py"], ["sklearn"]),
        ("setuptools", ["_distutils_hack/__init__.py", "pkg_resources/__init__.py", "setuptools/__init__.py"],
         ["setuptools"]),
        ("testing-tools", ["tests/__init__.py"], ["tests"]),
        ("pep420", ["pep420/a.py", "pep420/b.py"], ["pep420.a", "pep420.b"]),
        ("flash-attn", ["flash_attn/__init__.py", "flash_attn_2_cuda" + SUFFIX], ["flash_attn"]),
        ("only-compiled", ["_core" + SUFFIX], ["_core"]),
        ("windows", ["windows\\__init__.py", "windows\\_C.cp311-win_amd64.pyd"], ["windows"]),
        ("types-requests", ["requests-stubs/__init__.pyi"], []),
        ("a-program", ["../../bin/program", "a_program-1.dist-info/RECORD"], []),
    ],
)  # fmt: skip
def test_the_names_are_those_that_people_import(project, paths, names):
    """Not tests and private modules, and the package below a namespace."""
    assert import_names(project, paths) == names


def test_an_older_installer_says_the_names_itself():
    """Without a list of files its top_level.txt counts; a declared namespace is looked into."""
    assert import_names("PyYAML", [], ["yaml", "_yaml", "no name"]) == ["yaml"]
    files = ["google/__init__.py", "google/cloud/__init__.py"]
    assert import_names("google-cloud", files, namespaces=["google"]) == ["google.cloud"]


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        (["pandas-stubs/__init__.pyi", "p-1.dist-info/METADATA"], "stubs"),
        (["../../bin/uvx", "u-1.dist-info/METADATA"], "scripts"),
        (["nvidia/cublas/lib/libcublas.so.12"], "data"),
        ([], "data"),
    ],
)
def test_a_distribution_without_modules_says_what_it_has(paths, kind):
    """A skip needs a reason."""
    assert kind_without_modules(paths) == kind


def test_compiled_code_is_seen_by_its_suffix():
    """Of Linux, macOS and Windows, versioned or not."""
    assert all(is_compiled([path]) for path in ("a/b.so", "a/lib.so.12", "a.pyd", "a/B.DLL", "x/l.dylib"))
    assert not is_compiled(["a/b.py", "a/so.txt"])


@given(
    st.text(max_size=30),
    st.lists(st.text(max_size=60), max_size=20),
    st.lists(st.text(max_size=20), max_size=5),
)
def test_any_list_of_files_gives_few_names_that_can_be_imported(project, paths, top_level):
    """RECORD is somebody's text."""
    names = import_names(project, paths, top_level)

    assert len(names) <= 5
    assert all(part.isidentifier() for name in names for part in name.split("."))
    assert kind_without_modules(paths) in ("stubs", "scripts", "data")
