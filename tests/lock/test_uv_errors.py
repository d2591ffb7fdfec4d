"""Texts that uv wrote when it failed, and the uv that is installed, are understood by the table of phrases."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from torchdoctor.core.system import uv
from torchdoctor.lock.uv_errors import missing_packages, packages_without_file, read_uv_error

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SAMPLES = tomllib.loads(Path(__file__).with_name("uv_samples.toml").read_text("utf-8"))["sample"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_a_captured_text_has_its_code(sample):
    """The code is the one written beside the text, and the projects in the way are among its words."""
    error = read_uv_error(sample["stderr"])
    assert error.code == (sample["code"] or None)
    assert [name for name in sample["names"] if not error.names(name)] == []


def test_every_code_has_a_captured_text_but_one():
    """A hash mismatch of metadata cannot be brought about with an index on loopback."""
    known = {"setting", "cache", "unreachable", "unsatisfiable", "unusable-file"}
    assert {sample["code"] for sample in SAMPLES} - {""} == known


def test_unknown_words_have_no_code():
    """Nothing is left out or tried again because of a text that nobody has read."""
    assert read_uv_error("error: numpy is on strike\n").code is None


def test_a_hash_mismatch_comes_before_what_follows_from_it():
    """The text may also say that a file could not be downloaded."""
    text = (
        "error: Failed to download `a==1`\n  cause: Hash mismatch for package metadata at `http://host/a`\n"
    )
    assert read_uv_error(text).code == "hash-mismatch"


def test_a_package_that_only_the_hint_names_is_not_in_the_way():
    """uv's advice may name packages that are well."""
    text = "error: No solution found\n  cause: Because absent was not found\n\nhint: try numpy or `uv pip`\n"
    error = read_uv_error(text)
    assert error.names("absent")
    assert not error.names("numpy")
    assert not error.names("pip")


@pytest.mark.parametrize("name", ["Typing_Extensions", "typing.extensions", "typing-extensions"])
def test_a_project_is_found_however_its_name_is_written(name):
    """PEP 503: case and separators do not count."""
    assert read_uv_error("cause: Because typing-extensions==1 is missing").names(name)


def test_a_name_inside_another_is_not_that_project():
    """`pip` is not in the way where `pip-tools` is."""
    assert not read_uv_error("cause: Because pip-tools was not found").names("pip")


@pytest.mark.process
@pytest.mark.parametrize(
    ("url", "code"),
    [("", "unsatisfiable"), ("http://127.0.0.1:9/simple", "unreachable"), (None, "setting")],
    ids=["no such package", "no server", "a bad setting"],
)
def test_the_installed_uv_is_understood(tmp_path, url, code):
    """A newer uv that says it in other words is noticed here first."""
    (tmp_path / "requirements.in").write_text("absent\n", "utf-8")
    empty = tmp_path / "index"
    empty.mkdir()
    environ = {**os.environ, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(tmp_path / "cache")}
    if url is None:
        environ["UV_HTTP_TIMEOUT"] = "soon"
    ran = uv.run_uv(
        ["pip", "compile", "requirements.in", "--no-config", "--index-url", url or empty.as_uri()],
        environ=environ,
        folder=tmp_path,
        limit=60,
    )
    assert ran.status != 0
    assert read_uv_error(ran.stderr).code == code, ran.stderr
    assert missing_packages(ran.stderr) == (("absent",) if code == "unsatisfiable" else ())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Because umap-learn==0.5.1 has no usable wheels and you require", ("umap-learn",)),
        ("Because all versions of jieba have no usable wheels", ("jieba",)),
        ("Because gruut[de]==2.2.3 has no usable wheels", ("gruut",)),
        (
            "Because triton{python_full_version < '3.15' and sys_platform == 'linux'}==3.8.0\n has no wheels with a",
            ("triton",),
        ),
        ("Because oss2<=2.19.0 has no usable wheels and only crcmod<=1.7 is available", ("oss2",)),
    ],
)
def test_what_has_no_wheel_is_named(text, names):
    """With its extras and its marker; a version is no name."""
    assert packages_without_file(text) == names
