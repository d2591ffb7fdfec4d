"""What installers leave, read as text: each parser on real texts and on any text at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.inventory.metadata import (
    is_relevant,
    parse_conda,
    parse_direct_url,
    parse_install_record,
    parse_metadata,
    parse_pth,
    parse_version_file,
    split_info,
)
from torchdoctor.inventory.package_model import VersionFile

# torch 2.4.1's METADATA, shortened to the lines that matter.
TORCH = """Metadata-Version: 2.1
Name: torch
Version: 2.4.1
Summary: Tensors and Dynamic neural networks in Python with strong GPU acceleration
Classifier: Programming Language :: C++
Requires-Python: >=3.8.0
Description-Content-Type: text/markdown
Requires-Dist: filelock
Requires-Dist: typing-extensions >=4.8.0
Requires-Dist: nvidia-cublas-cu12 ==12.1.3.1 ; platform_system == "Linux" and platform_machine == "x86_64"
Requires-Dist: triton ==3.0.0 ; platform_system == "Linux" and python_version < "3.13"
Provides-Extra: optree
Requires-Dist: optree >=0.12.0 ; extra == 'optree'

Name: not-a-header
Requires-Dist: torch==0
"""
anything = st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "replace"))
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "name", "version", "build", "channel", "depends", "requested_spec", "requested_specs", "url", "dir_info",
        "editable", "schema", "plan", "variant", "files", "written",
    ]), inner, max_size=5),
    max_leaves=12,
).map(json.dumps)  # fmt: skip


def test_the_header_of_a_metadata_file_is_read():
    """Name, version, and everything that torch requires; the description is no header."""
    read = parse_metadata(TORCH)
    assert (read.name, read.version) == ("torch", "2.4.1")
    assert [line.partition(" ")[0] for line in read.requires] == [
        "filelock", "typing-extensions", "nvidia-cublas-cu12", "triton", "optree",
    ]  # fmt: skip


def test_of_another_package_only_what_concerns_torch_is_kept():
    """Of the requirements those about PyTorch, NVIDIA and NumPy."""
    read = parse_metadata(TORCH.replace("Name: torch\n", "Name: other\n", 1))
    assert [line.partition(" ")[0] for line in read.requires] == ["nvidia-cublas-cu12", "triton"]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("torch-2.13.0+cpu.dist-info", ("torch", "2.13.0+cpu")),
        ("nvidia_cublas_cu12-12.4.5.8.dist-info", ("nvidia-cublas-cu12", "12.4.5.8")),
        ("torch-2.5.1-py3.12.egg-info", ("torch", "2.5.1")),
        ("PyYAML-6.0-py3.12-linux-x86_64.egg-info", ("pyyaml", "6.0")),
        ("torch.egg-info", ("torch", None)),
        ("torch-2.0.dist-info.bak", None),
        ("-2.0.dist-info", None),
        ("torch", None),
    ],
)
def test_a_folders_name_names_the_distribution(name, named):
    """Where the metadata itself is gone, this is what is left."""
    assert split_info(name) == named


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            ("from typing import Optional\n__all__ = ['x']\n__version__ = '2.13.0+cu130'\ndebug = False\n"
            "cuda: Optional[str] = '13.0'\ngit_version = 'cf30153'\nhip: Optional[str] = None\n"),
            VersionFile(version="2.13.0+cu130", cuda="13.0", debug=False, git="cf30153",
                        says=("cuda", "hip", "debug", "git_version")),
        ),
        ("__version__ = '2.4.1+rocm6.1'\nhip = '6.1.40091-a8dbc0c19'\ncuda = None\n",
         VersionFile(version="2.4.1+rocm6.1", hip="6.1.40091-a8dbc0c19", says=("cuda", "hip"))),
        (("__version__ = '0.19.1'\ngit_version = '61943691d3390bd3148a7003b4a501f0e2b7ac6e'\n"
         "from torchvision.extension import _check_cuda_version\nif _check_cuda_version() > 0:\n"
         "    cuda = _check_cuda_version()\n"),
         VersionFile(version="0.19.1", git="61943691d3390bd3148a7003b4a501f0e2b7ac6e", says=("git_version",))),
        ("__version__ = open('x').read()\ncuda = f()\n", VersionFile(version=None)),
        ("__version__ = '1'; import os  # x\n", VersionFile(version=None)),
        ("__version__ = '1'\ncuda: str = {['13.0']}\n", VersionFile(version="1")),
    ],
)  # fmt: skip
def test_a_version_file_is_read_and_never_run(text, read):
    """Plain assignments at the margin count; code does not."""
    assert parse_version_file(text) == read


def test_where_a_package_came_from_is_told_without_its_credentials():
    """A clone with a token in its URL; an editable install."""
    git = '{"url": "https://u:t0ken@example.org/torch.git", "vcs_info": {"vcs": "git"}}'
    assert parse_direct_url(git) == ("https://****@example.org/torch.git", False)
    assert parse_direct_url('{"url": "file:///src/torch", "dir_info": {"editable": true}}') == (
        "file:///src/torch",
        True,
    )


def test_condas_record_of_a_package_is_read():
    """Build, channel, whether it was asked for, and what it needs of PyTorch's."""
    text = json.dumps({
        "name": "pytorch", "version": "2.5.1", "build": "py3.12_cuda12.4_cudnn9.1.0_0", "channel": "https://u:p@conda.example/t",
        "depends": ["blas * mkl", "mkl >=2018", "pytorch-cuda >=12.4,<12.5", "sympy 1.13.1"],
        "requested_spec": "pytorch==2.5.1",
    })  # fmt: skip
    read = parse_conda(text)
    assert read is not None
    assert (read.name, read.version, read.build, read.requested) == (
        "pytorch",
        "2.5.1",
        "py3.12_cuda12.4_cudnn9.1.0_0",
        True,
    )
    assert read.channel == "https://****@conda.example/t"
    assert read.requires == ("mkl >=2018", "pytorch-cuda >=12.4,<12.5")


@pytest.mark.parametrize(
    ("more", "requested"),
    [
        ({}, None),
        ({"requested_spec": "None"}, False),
        ({"requested_specs": []}, False),
        ({"requested_specs": ["x"]}, True),
    ],
)
def test_conda_says_in_several_ways_whether_it_was_asked_for(more, requested):
    """Old and new forms; silence is silence."""
    read = parse_conda(json.dumps({"name": "x", **more}))
    assert read is not None
    assert read.requested is requested


def test_a_pth_file_adds_folders_and_runs_code():
    """Comments and blank lines are neither."""
    read = parse_pth(
        "# a comment\n\n/opt/more\nimport os; os.system('x')\nimport\tsys\nimportant\n", path="x.pth"
    )
    assert (read.folders, read.code_lines) == (("/opt/more", "important"), 2)


def test_our_own_record_is_read():
    """When, which variant, which versions; a document of another schema is none of ours."""
    document = {
        "schema": 1, "written": "2026-11-25T01:00:00+00:00", "torchdoctor": "0.1.0", "plan": {"variant": "cu130"},
        "files": [{"name": "torch", "version": "2.13.0+cu130"}, {"name": "broken"}, 5],
    }  # fmt: skip
    read = parse_install_record(json.dumps(document), path="x")
    assert read is not None
    assert (read.written, read.variant) == ("2026-11-25T01:00:00+00:00", "cu130")
    assert read.packages == (("torch", "2.13.0+cu130"),)
    assert parse_install_record(json.dumps({**document, "schema": 2}), path="x") is None


@given(anything | documents)
def test_no_text_breaks_a_parser(text):
    """Each gives its type, or says that it is none."""
    assert parse_metadata(text).requires is not None
    assert isinstance(parse_version_file(text), VersionFile)
    assert isinstance(parse_direct_url(text), tuple)
    assert parse_pth(text, path="x").path == "x"
    read = parse_conda(text), parse_install_record(text, path="x")
    assert all(row is None or row.requires is not None for row in read[:1])
    assert all(row is None or row.path == "x" for row in read[1:])


@given(
    st.from_regex(r"[A-Za-z0-9]{1,9}", fullmatch=True),
    st.from_regex(r"\d{1,3}(\.\d{1,3}){0,3}(\+\w{1,6})?", fullmatch=True),
)
def test_a_name_and_a_version_come_back_from_a_folders_name(name, version):
    """As pip writes them."""
    assert split_info(f"{name}-{version}.dist-info") == (name.lower(), version)


def test_only_what_torch_lives_with_is_relevant():
    """Projects of PyTorch, NVIDIA, NumPy and the runtimes beside them."""
    assert all(
        map(
            is_relevant,
            ("torch", "torchmetrics", "nvidia-cublas-cu12", "triton-rocm", "numpy", "mkl", "pytorch-cuda"),
        )
    )
    assert not any(map(is_relevant, ("requests", "pandas", "jupyter", "filelock", "")))
