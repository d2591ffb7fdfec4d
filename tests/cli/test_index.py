"""`torchdoctor index`: show, update and mirrors, as a person and as a script meets them."""

from __future__ import annotations

import pytest

from tests.wheelmaker import make_wheel
from wheels_index import bundled

TAG = "cp312-cp312-manylinux_2_28_x86_64"


@pytest.fixture
def listed(index):
    """A flat index with one new release."""
    index.etags = True
    for project, version in (
        ("torch", "2.16.0+cu134"),
        ("torchvision", "0.31.0+cu134"),
        ("torchaudio", "2.11.0"),
    ):
        name, content = make_wheel(project, version, tag=TAG, requires=("torch==2.16.0",))
        index.add(f"/whl/{project}/", name, content)
    return index


def test_update_then_show_then_update(torchdoctor, listed):
    """What the index lists is told, kept, and shown by the next command."""
    ran = torchdoctor("index", "update", "--index-url", f"{listed.url}/whl")
    assert ran.status == 0, ran.err
    assert "new release: torch 2.16.0" in ran.out
    assert "new variant: torch 2.16.0 cu134 for linux_x86_64" in ran.out
    shown = torchdoctor("index", "show", "--torch", "2.16.0")
    assert shown.status == 0, shown.err
    assert "linux_x86_64    cu134" in shown.out
    assert "2 live" in shown.out  # what the companion declares is not kept of such an index
    again = torchdoctor("index", "update", "--index-url", f"{listed.url}/whl")
    assert "the index has not changed" in again.out


def test_update_without_an_index_asks_pytorch_and_the_users_pypi(torchdoctor, index):
    """The official index is out of reach here, the mirror of PyPI that pip uses answers: that is status 0."""
    for project, version in (("torch", "2.15.0"), ("torchvision", "0.29.2"), ("torchaudio", "2.99.0")):
        name, content = make_wheel(project, version, tag=TAG, requires=("torch>=2.14",))
        index.add(f"/simple/{project}/", name, content)
    environ = {"PIP_INDEX_URL": f"{index.url}/simple", "HTTPS_PROXY": "http://127.0.0.1:9"}
    ran = torchdoctor("index", "update", "--json", **environ)
    assert ran.status == 0, ran.out + ran.err
    assert [row["status"] for row in ran.json["sources"]] == ["unreachable", "read"]
    assert ran.json["companions"] == [{"project": "torchaudio", "version": "2.99.0", "torch": "torch>=2.14"}]
    ran = torchdoctor("index", "update", **environ)
    assert "not read: https://download.pytorch.org/whl/torch/" in ran.err


def test_update_in_json(torchdoctor, listed):
    """One document: what is new, what was refused, and whether anything changed."""
    listed.add("/whl/torch/", "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl", b"other bytes")
    document = torchdoctor("index", "update", "--index-url", f"{listed.url}/whl", "--json").json
    assert document["schema"] == 1
    assert document["releases"] == ["2.16.0"]
    assert document["variants"] == [{"torch": "2.16.0", "platform": "linux_x86_64", "variant": "cu134"}]
    assert [row["variant"] for row in document["refused"]] == ["cu124"]
    assert document["unchanged"] is False


def test_an_index_out_of_reach_is_status_4(torchdoctor):
    """The contract's status for the network, and an error with a fix."""
    ran = torchdoctor("index", "update", "--index-url", "http://127.0.0.1:9/whl", "--json")
    assert ran.status == 4
    assert ran.json["error"]["kind"] == "unreachable"
    assert ran.json["error"]["fix"]


@pytest.mark.parametrize("url", ["ftp://example.org", "file:///tmp", "https://", "wheels"])
def test_an_index_url_that_is_none_is_wrong_usage(torchdoctor, url):
    """Only http and https are indexes."""
    ran = torchdoctor("index", "update", "--index-url", url, "--json")
    assert ran.status == 2, ran.out
    assert ran.json["error"]["fix"]


def test_credentials_are_not_repeated(torchdoctor, listed):
    """A password in the URL does not come back in what is printed."""
    base = listed.url.replace("http://", "http://user:secret@")
    ran = torchdoctor("index", "update", "--index-url", f"{base}/whl", "--json")
    assert ran.status == 0, ran.out
    assert "secret" not in ran.out + ran.err


def test_show_lists_every_release(torchdoctor):
    """All that is bundled, the newest first, with what each rests on."""
    document = torchdoctor("index", "show", "--json").json
    assert [row["torch"] for row in document["releases"]] == [str(v) for v in bundled().versions()]
    newest = document["releases"][0]
    assert newest["live"] is None
    assert newest["files"]["live"] == 0
    assert newest["platforms"]["linux_x86_64"]["variants"]


@pytest.mark.parametrize("version", ["9.9.9", "latest", ""])
def test_a_release_that_is_not_known_is_wrong_usage(torchdoctor, version):
    """The fix is to ask the live index."""
    ran = torchdoctor("index", "show", "--torch", version, "--json")
    assert ran.status == 2
    assert "index update" in ran.json["error"]["fix"]


def test_a_damaged_file_is_noted_once_on_standard_error(torchdoctor, tmp_path):
    """The answer is the bundled one and standard output stays one document."""
    (tmp_path / "data" / "index").mkdir(parents=True)
    (tmp_path / "data" / "index" / "live.json").write_text("{")
    ran = torchdoctor("index", "show", "--torch", "2.4.1", "--json")
    assert ran.json["releases"][0]["torch"] == "2.4.1"
    assert "is ignored" in ran.err


def test_the_mirrors_are_listed_with_what_they_lack(torchdoctor):
    """A table of the data file, and none is contacted."""
    ran = torchdoctor("index", "mirrors")
    assert ran.status == 0
    assert "https://mirror.nju.edu.cn/pytorch/whl" in ran.out
    assert "lacks: " in ran.out
    rows = torchdoctor("index", "mirrors", "--json").json["mirrors"]
    assert {"name", "base", "layout", "source"} <= rows[0].keys()


def test_help_has_examples(torchdoctor):
    """Help says how it is typed."""
    assert "torchdoctor index update" in torchdoctor("index", "--help").out


def test_facts_without_a_source_are_listed_with_status_1(in_process, monkeypatch):
    """There is none; a release beside it is wrong usage."""
    ran = in_process("index", "show", "--unsourced")
    assert (ran.status, ran.out) == (0, "every fact that comes with torchdoctor names its source\n")
    assert in_process("index", "show", "--unsourced", "--torch", "2.9.1").status == 2
    monkeypatch.setattr("wheels_index.source_audit.unsourced", lambda: iter(["gpus.json gpus X: no source"]))
    ran = in_process("index", "show", "--unsourced", "--json")
    assert (ran.status, ran.json["unsourced"]) == (1, ["gpus.json gpus X: no source"])
