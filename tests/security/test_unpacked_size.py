"""Nothing unpacks a wheel before it was fetched and looked into, and no more of it than it says."""

from __future__ import annotations

import os
import sys

import pytest

from tests.security.test_file_check import fetched
from tests.security.wheels import bomb
from torchdoctor.core.system.uv_log import UvLog
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import Wheelhouse
from torchdoctor.install.build import create_empty_environment, install_wheels
from torchdoctor.install.wheels import validate_wheels

HOST = b"http://127.0.0.1:1/simple"


def bytes_in(folder):
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("said", [None, 10])
def test_a_bomb_without_a_hash_is_refused_before_anything_unpacks_it(
    torchdoctor, official, bare, tmp_path, monkeypatch, said
):
    """uv would unpack it to learn its hash: 130 KB that become 128 MB, or say that they become 10 bytes."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{official.url}/simple")
    official.add("/simple/needed/", *bomb(128, said=said), digest=None)
    ran = torchdoctor("install", tmp_path / "env", *bare, "--with", "needed", "--json")
    assert ran.json["error"]["kind"] == "bad-wheel", ran.out
    assert "needed-1.0" in ran.json["error"]["message"]
    assert bytes_in(tmp_path) < 16 << 20
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(
    ("sent", "whole"),
    [
        ([b"GET"], 1), ([b"HEAD", b"GET"], 0), ([b"HEAD"], 0), ([], 0),
    ],
)  # fmt: skip
def test_uv_is_stopped_when_it_begins_to_read_a_whole_wheel(sent, whole):
    """Of one whose hash it knows it asks for the head first, and reads the metadata."""
    calls = []
    log = UvLog(on_whole_file=lambda: calls.append(1))
    log.add(b"DEBUG Sending fresh GET request for: " + HOST + b"/needed/\n")
    log.add(b"DEBUG Sending fresh GET request for: " + HOST + b"/needed-1.0-py3-none-any.whl.metadata\n")
    for method in sent:
        log.add(
            b"DEBUG Sending fresh " + method + b" request for: " + HOST + b"/needed-1.0-py3-none-any.whl\n"
        )
    assert len(calls) == len(log.whole_files) == whole


def test_a_wheel_whose_directory_lies_is_refused_though_its_hash_is_right(tmp_path):
    """Whoever unpacks it finds that out when the disk is full."""
    name, content = bomb(64, said=10)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InstallFailed, match="holds other bytes than its directory says"):
        validate_wheels(Wheelhouse(wheels=(fetched(tmp_path / name),)))


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process that runs")
def test_uv_writes_no_file_that_is_larger_than_the_wheel_says(tmp_path):
    """Large wheels are not inflated to be checked: the system stops uv there."""
    name, content = bomb(128, said=10)
    (tmp_path / name).write_bytes(content)
    stage = tmp_path / "env"
    stage.mkdir()
    create_empty_environment(stage, prompt="env", python=sys.executable, environ=os.environ)
    with pytest.raises(InstallFailed, match="is larger than the wheel says"):
        install_wheels(
            stage, [fetched(tmp_path / name)], tmp_path, os.environ, cache=tmp_path / "uv", largest=10
        )
    assert bytes_in(tmp_path) < 100 << 20
