"""What is remembered of source distributions: it survives whatever lies in the folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.sdist_contents import SdistContents
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.sources import Sources
from torchdoctor.workflows.known_sdists import KnownSdists
from torchdoctor.workflows.stack_model import StackTask
from wheels_index import Sdist

CONTENTS = SdistContents(
    compiles=True,
    has_cuda=False,
    needs_torch=False,
    build_requires=("setuptools",),
    requires=("six",),
    version="1",
)


def sdist(sha256="0" * 64):
    return Sdist(
        project="one", version=Version("1"), filename="one-1.tar.gz", url="https://x.example/one-1.tar.gz",
        sha256=sha256, size=None, requires_python=None,
    )  # fmt: skip


def task(*lines):
    sources = Sources(torch=(), indexes=(), default_index=None, find_links=())
    request = LockRequest(python=Path("python"), sources=sources, environ={})
    asked = tuple(AskedRequirement(line=line, name=line.partition("=")[0], origin="--with") for line in lines)
    return StackTask(stack=StackRequest(requirements=asked), lock_request=request, run_dir=Path())


def test_contents_are_known_by_hash(tmp_path):
    """Of other bytes nothing is known."""
    KnownSdists(tmp_path).keep_contents(sdist(), CONTENTS)
    assert KnownSdists(tmp_path).contents(sdist()) == CONTENTS
    assert KnownSdists(tmp_path).contents(sdist("1" * 64)) is None
    assert KnownSdists(tmp_path).contents(sdist(None)) is None


def test_what_the_same_request_had_is_known(tmp_path):
    """And what is asked for now, if any other request had it; not what another request's packages needed."""
    known = KnownSdists(tmp_path)
    known.keep_versions(task("one==1", "two"), {"one": "1", "inner": "3"})
    assert known.versions(task("two", "one==1")) == {"one": "1", "inner": "3"}
    assert known.versions(task("one", "three")) == {"one": "1"}
    assert known.versions(task("three")) == {}
    by_url = AskedRequirement(
        line="one @ https://x.example/one-2-py3-none-any.whl", name="one", origin="--with"
    )
    assert known.versions(replace(task(), stack=StackRequest(requirements=(by_url,)))) == {}


def test_few_requests_are_remembered(tmp_path):
    """The oldest are forgotten."""
    known = KnownSdists(tmp_path)
    for number in range(210):
        known.keep_versions(task(f"p{number}"), {f"p{number}": "1"})
    assert len(json.loads((tmp_path / "requests.json").read_text("utf-8"))) == 200
    assert known.versions(task("p0")) == {}
    assert known.versions(task("p209")) == {"p209": "1"}


def test_a_folder_that_cannot_be_written_is_no_harm(tmp_path):
    """Nothing is remembered."""
    (tmp_path / "file").touch()
    known = KnownSdists(tmp_path / "file")
    known.keep_contents(sdist(), CONTENTS)
    known.keep_versions(task("one"), {"one": "1"})
    assert known.versions(task("one")) == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 100_000, '{"format": 1}', '{"format": 1, "compiles": 3, "requires": [1]}']
)
def test_what_cannot_be_read_counts_for_nothing(tmp_path, text):
    """A damaged file is as none."""
    for path in (tmp_path / "requests.json", tmp_path / ("0" * 64) / "contents.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert KnownSdists(tmp_path).contents(sdist()) is None
    assert KnownSdists(tmp_path).versions(task("one")) == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    )
)
def test_any_json_is_survived(tmp_path_factory, document):
    """Names that are no projects and versions that are no text are left out."""
    folder = tmp_path_factory.mktemp("known")
    row = {"a" * 64: document, "b" * 64: {"one": document}}
    (folder / "requests.json").write_text(json.dumps(row), "utf-8")
    for name, version in KnownSdists(folder).versions(task("one")).items():
        assert name == "one"
        assert isinstance(version, str)
