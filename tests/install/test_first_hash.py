"""A file for which no index gives a hash: the first download's is taken, recorded in the lock, and said."""

from __future__ import annotations

import hashlib
import sys

import pytest

from tests.install.conftest import TORCH
from tests.wheelmaker import make_wheel


@pytest.fixture
def needed(official, tag):
    """The file of a dependency of torch that pip's index lists without a hash, and its digest."""
    official.pages.pop("/whl/cpu/torch/")
    official.add("/whl/cpu/torch/", *make_wheel("torch", f"{TORCH}+cpu", tag=tag, requires=("needed",)))
    name, content = make_wheel("needed", "1.5", tag="py3-none-any")
    official.add("/simple/needed/", name, content, digest=None)
    return name, hashlib.sha256(content).hexdigest()


def test_of_a_dependency_the_install_says_and_records_the_hash(
    torchdoctor, official, bare, needed, tmp_path, monkeypatch
):
    """It is in the output and in the lock that is kept in the environment."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{official.url}/simple")
    ran = torchdoctor("install", tmp_path / "env", *bare)
    assert ran.status == 0, ran.err
    assert f"no index gives a hash for {needed[0]}; recorded {needed[1]}" in ran.err


def test_of_a_dependency_the_lock_alone_says_and_records_it_too(
    torchdoctor, official, bare, needed, tmp_path, monkeypatch
):
    """`resolve --format pylock` writes a lock that can be held to."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{official.url}/simple")
    ran = torchdoctor(
        "resolve",
        "--index-url",
        f"{official.url}/whl",
        "--python",
        sys.executable,
        "--torch",
        TORCH,
        "--variant",
        "cpu",
        "--without",
        "torchaudio",
        "--format",
        "pylock",
    )
    assert ran.status == 0, ran.err
    assert needed[1] in ran.out
    assert f"no index gives a hash for {needed[0]}; recorded {needed[1]}" in ran.err


def test_of_what_an_index_has_a_hash_for_nothing_is_said(
    torchdoctor, official, bare, needed, tmp_path, monkeypatch
):
    """The usual case."""
    official.pages.pop("/simple/needed/")
    name, content = make_wheel("needed", "1.5", tag="py3-none-any")
    official.add("/simple/needed/", name, content)
    monkeypatch.setenv("PIP_INDEX_URL", f"{official.url}/simple")
    ran = torchdoctor("install", tmp_path / "env", *bare)
    assert ran.status == 0, ran.err
    assert "no index gives a hash" not in ran.err
