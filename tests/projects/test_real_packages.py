"""PyPI's real packages beside the real torch: each is installed and imported, or refused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import PYTHON, TORCH, run_torchdoctor

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.process, pytest.mark.huge]

# What a package needs besides, and how its absence shows.
ELSEWHERE = {"torchcodec": "libavutil"}


@pytest.mark.parametrize(
    "name",
    [
        "timm",
        "torchmetrics",
        "kornia",
        "lightning",
        "accelerate",
        "transformers",
        "ultralytics",
        "openai-whisper",
        "einops",
        "torchcodec",
        "torchtext",
        "bitsandbytes",
    ],
)
def test_a_real_package_is_imported_or_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    """Status 0 means that `verify` imports it, or names what the system lacks; status 3 names it and a way out."""
    folder = tmp_path / "env"
    wanted = ("--torch", TORCH, "--variant", "cpu", "--python", PYTHON, "--with", name, "--no-verify")
    ran = run_torchdoctor("install", folder, *wanted, "--yes", "--json", limit=900)
    if ran.status == 3:
        error = ran.json["error"]
        assert name in error["message"]
        assert error["fix"]
        assert not folder.exists()
        return
    assert ran.status == 0, ran.out + ran.err
    verified = run_torchdoctor("verify", folder, "--only", "packages", "--json", limit=900)
    check = next(row for row in verified.json["checks"] if row["id"] == f"package:{name}")
    assert check["status"] == "pass" or ELSEWHERE.get(name, "?") in check["detail"], check
