"""What a check that did not pass means: the cause, and a fix with this environment's own values."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose.verify_findings import _causes, findings_from
from torchdoctor.probe import suite
from torchdoctor.verify import CheckResult, VerifyReport

ENVIRONMENT = {
    "torch": "2.13.0+cpu",
    "variant": "cpu",
    "executable": "/envs/my env/bin/python",
    "prefix": "/envs/my env",
}


def report(*rows, **environment):
    """A report of these checks: id, status, detail, and evidence if there is some."""
    checks = [
        CheckResult(
            id=name, device="cpu", status=status, seconds=0.1, detail=detail, evidence=tuple(evidence)
        )
        for name, status, detail, *evidence in rows
    ]
    return VerifyReport(environment={**ENVIRONMENT, **environment}, checks=tuple(checks))


def test_what_passed_or_was_skipped_has_no_cause():
    """A healthy environment ends without findings."""
    assert findings_from(report(("conv", "pass", "1e-7"), ("nccl", "skip", "there are no two GPUs"))) == ()


def test_the_fix_is_quoted_for_a_shell():
    """It is pasted as it stands."""
    (finding,) = findings_from(report(("matmul", "fail", "float32 5.0e-02 (limit 2e-06)")))

    assert finding.id == "wrong-results"
    assert finding.fix[0] == "torchdoctor verify '/envs/my env' --only files,pairing,libraries"
    assert finding.fix[-1] == (
        "'/envs/my env/bin/python' -m pip install --force-reinstall --no-deps torch==2.13.0 "
        "--index-url https://download.pytorch.org/whl/cpu"
    )


def test_a_step_whose_values_are_not_known_is_left_out():
    """Not written with a hole in it."""
    (finding,) = findings_from(
        report(("conv", "fail", "the process was killed by SIGSEGV"), torch=None, variant=None)
    )

    assert finding.id == "process-crashed"
    assert finding.fix == ()


def test_the_same_cause_of_two_checks_is_told_once():
    """Errors stand before warnings."""
    found = findings_from(
        report(
            ("threads", "warn", "torch uses 64 threads, and 2 cores are there"),
            ("saving", "fail", "the disk is full: 0 KiB are free"),
            ("saving-model", "fail", "the disk is full: 0 KiB are free"),
        )
    )

    assert [row.id for row in found] == ["disk-full", "too-many-threads"]


def test_a_cause_is_as_grave_as_the_gravest_check_that_shows_it():
    """A warning before an error of the same cause does not hide it."""
    (finding,) = findings_from(
        report(
            ("workers", "warn", "2 workers (fork) gave each sample once; /dev/shm has only 64 MiB"),
            (
                "workers",
                "fail",
                "/dev/shm has only 1 MiB, and worker processes use it",  # noqa: S108  # a sentence
            ),
        )
    )

    assert finding.severity == "error"
    assert "1 MiB" in finding.evidence[0]


def test_a_traceback_of_the_driver_is_read_by_the_rules():
    """What the table does not know, a rule may."""
    said = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
    found = findings_from(report(("tensor", "fail", said)))

    assert "driver-too-old" in [row.id for row in found]


@pytest.mark.parametrize("row", _causes(), ids=lambda row: row["id"] + "-" + row["check"])
def test_every_cause_is_of_a_check_that_exists_and_says_what_to_do(row):
    """A row that no check can reach is dead."""
    import re

    assert any(re.fullmatch(row["check"], step.id) for step in suite.VERIFY)
    assert row["fix"]
    assert row["explanation"].endswith(".")
    re.compile(row["seen"])
