"""Real packages of PyPI beside the real torch: one that works, one that was built for another torch."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import uv

from tests.probe.fakes import spoilt
from torchdoctor.diagnose.verify_findings import findings_from
from torchdoctor.verify import verify

pytestmark = [pytest.mark.process, pytest.mark.torch]


@pytest.fixture
def python(torch_python, tmp_path):
    """An environment that sees the real torch, with einops and torchtext as pip would install them."""
    python = spoilt(torch_python, tmp_path / "env")
    wanted = ("einops==0.8.1", "torchtext==0.18.0")
    ran = subprocess.run(
        [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--python", python, *wanted],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if ran.returncode:
        reason = f"PyPI's packages could not be had: {ran.stderr}"
        pytest.fail(reason, pytrace=False) if os.environ.get("CI") else pytest.skip(reason)
    asked = [{"requirement": "einops", "origin": "--with"}]
    record = {"schema": 1, "plan": None, "files": [], "asked": asked}
    (tmp_path / "env" / "torchdoctor.json").write_text(json.dumps(record))
    return python


def test_a_package_for_another_torch_fails_beside_one_that_works(python):
    """pip and `pip check` find nothing wrong with either."""
    report = verify(python, only=["packages", "operations"])

    checks = {check.id: (check.status, check.code) for check in report.checks}
    assert checks == {
        "package:einops": ("pass", None),
        "package:torchtext": ("fail", "import-raised"),
        "operation:torchtext": ("skip", "not-imported"),
    }
    assert [finding.id for finding in findings_from(report)] == ["extension-torch-mismatch"]
