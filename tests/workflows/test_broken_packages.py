"""An install into an environment whose packages pin torch says what it would break before it fetches anything."""

from __future__ import annotations

import pytest

from tests.install.conftest import TORCH, bare_options, list_official, native_tag
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel

pytestmark = pytest.mark.process


def test_what_would_break_is_said_first_and_a_torch_offered(torchdoctor, index, tmp_path):
    """The error names both packages and the newest torch of the family that suits them; --dry-run says the same."""
    list_official(index)
    index.add("/whl/cpu/torch/", *make_wheel("torch", "2.14.1+cpu", tag=native_tag()))
    tool = make_wheel(
        "upscaler", "1.0", tag="py3-none-any", requires=("torch<2.14", "torch>=99; extra == 'x'")
    )
    index.add("/simple/upscaler/", *tool)
    folder = tmp_path / "an env"
    options = (*bare_options(index), "--without", "torchvision", "--without", "numpy")
    ran = torchdoctor("install", folder, *options, "--with", "upscaler")
    assert ran.status == 0, ran.err
    newer = ["2.14.1" if word == TORCH else word for word in options]
    index.seen.clear()
    shown = torchdoctor("install", folder, *newer, "--dry-run")
    assert "upscaler 1.0 requires torch<2.14, and torch 2.14.1+cpu would be installed" in shown.err
    assert shown.status == 5
    ran = torchdoctor("install", folder, *newer, "--yes", "--json")
    error = ran.json["error"]
    assert (ran.status, error["kind"]) == (5, "conflict")
    assert "upscaler 1.0 requires torch<2.14" in error["message"]
    assert f"torchdoctor install '{folder}' --torch {TORCH}" in error["fix"]
    assert not [path for path in index.seen if path.endswith(".whl")]
    assert versions(folder)["torch"] == f"{TORCH}+cpu"
