"""What a check that did not pass means: the cause, and a fix with this environment's own values."""

from __future__ import annotations

import re

import pytest

from torchdoctor.diagnose.verify_findings import checks_with_known_cause, findings_from, verify_causes
from torchdoctor.probe import suite
from torchdoctor.verify import CheckResult, VerifyReport

CHECKS = (*(step.id for step in suite.CHECKS), "package:timm", "operation:torchcodec")
ENVIRONMENT = {
    "torch": "2.13.0+cpu",
    "variant": "cpu",
    "executable": "/envs/my env/bin/python",
    "prefix": "/envs/my env",
}


def report(*checks, **environment):
    """A report of these checks: id, status, code, detail, and evidence if there is some."""
    results = [
        CheckResult(
            id=name,
            device="cpu",
            status=status,
            seconds=0.1,
            detail=detail,
            code=code,
            evidence=tuple(evidence),
        )
        for name, status, code, detail, *evidence in checks
    ]
    return VerifyReport(environment={**ENVIRONMENT, **environment}, checks=tuple(results))


def test_what_passed_or_was_skipped_has_no_cause():
    """A healthy environment ends without findings."""
    skipped = ("nccl", "skip", "one-gpu", "needs two GPUs")
    assert findings_from(report(("conv", "pass", None, "1e-7"), skipped)) == ()


def test_the_fix_is_quoted_for_a_shell():
    """It is pasted as it stands."""
    (finding,) = findings_from(report(("matmul", "fail", "wrong-result", "float32 5.0e-02 (limit 2e-06)")))

    assert finding.id == "wrong-results"
    assert finding.fix[0] == "torchdoctor verify '/envs/my env' --only files,pairing,libraries"
    assert finding.fix[-1] == (
        "'/envs/my env/bin/python' -m pip install --force-reinstall --no-deps torch==2.13.0 "
        "--index-url https://download.pytorch.org/whl/cpu"
    )


def test_a_step_whose_values_are_not_known_is_left_out():
    """Not written with a hole in it."""
    (finding,) = findings_from(
        report(
            ("conv", "fail", "process-signal", "the process was killed by SIGSEGV"), torch=None, variant=None
        )
    )

    assert finding.id == "process-crashed"
    assert finding.fix == ()


def test_the_same_cause_of_two_checks_is_reported_once():
    """Errors stand before warnings."""
    found = findings_from(
        report(
            ("threads", "warn", "too-many-threads", "torch uses 64 threads, and 2 cores are there"),
            ("saving", "fail", "disk-full", "the disk is full: 0 KiB are free"),
            ("saving-model", "fail", "disk-full", "the disk is full: 0 KiB are free"),
        )
    )

    assert [finding.id for finding in found] == ["disk-full", "too-many-threads"]


def test_a_cause_is_as_grave_as_the_gravest_check_that_shows_it():
    """A warning before an error of the same cause does not hide it."""
    (finding,) = findings_from(
        report(
            ("workers", "warn", "shm-too-small", "only 64 MiB"),
            ("workers", "fail", "shm-too-small", "only 1 MiB"),
        )
    )

    assert finding.severity == "error"
    assert "1 MiB" in finding.evidence[0]


def test_a_traceback_of_the_driver_is_read_by_the_rules():
    """What the table does not know, a rule may."""
    text = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
    found = findings_from(report(("tensor", "fail", "exception", text)))

    assert "driver-too-old" in [finding.id for finding in found]


def test_a_crash_keeps_its_evidence_and_a_known_cause_does_not_need_it():
    """Only the evidence of a crash shows where it happened."""
    crashed = ("conv", "fail", "process-signal", "the process was killed by SIGSEGV")
    explained = ("saving", "fail", "disk-full", "the disk is full")

    assert [check.id for check in checks_with_known_cause(report(crashed, explained))] == ["saving"]


@pytest.mark.parametrize("cause", verify_causes(), ids=lambda cause: cause["id"] + "-" + cause["check"])
def test_every_cause_is_of_a_check_that_exists_and_says_what_to_do(cause):
    """A row that no check can reach is dead."""
    assert any(re.fullmatch(cause["check"], name) for name in CHECKS)
    assert cause["fix"]
    assert cause["explanation"].endswith(".")
    assert cause.get("codes") or cause.get("text")


CODES = [(cause, code) for cause in verify_causes() for code in cause.get("codes", ())]
SAMPLES = [(cause, sample) for cause in verify_causes() for sample in cause.get("samples", ())]


def _first_check(cause):
    return next(name for name in CHECKS if re.fullmatch(cause["check"], name))


@pytest.mark.parametrize(("cause", "code"), CODES, ids=[code for _, code in CODES])
def test_a_code_gives_its_finding_whatever_the_sentence(cause, code):
    """A sentence can be reworded without changing what is found."""
    found = findings_from(report((_first_check(cause), "fail", code, "words that nobody wrote before")))

    assert [finding.id for finding in found] == [cause["id"]]


@pytest.mark.parametrize(("cause", "sample"), SAMPLES, ids=[cause["id"] for cause, _ in SAMPLES])
def test_a_captured_text_gives_its_finding(cause, sample):
    """As the sentence of an exception, and as evidence of a crash."""
    check = _first_check(cause)
    raised = findings_from(report((check, "fail", "exception", sample)))
    crashed = findings_from(report((check, "fail", "process-signal", "gone", sample)))

    assert [finding.id for finding in raised] == [finding.id for finding in crashed] == [cause["id"]]


def test_every_pattern_has_a_captured_sample():
    """A pattern without one matches what somebody imagined."""
    assert all(cause.get("samples") for cause in verify_causes() if "text" in cause)


def test_a_sentence_of_our_own_decides_nothing():
    """The words of another cause in it change nothing."""
    found = findings_from(report(("saving", "fail", "disk-full", "SIGILL, CUDA out of memory, MemoryError")))

    assert [finding.id for finding in found] == ["disk-full"]


NVJITLINK = (
    "ImportError: /envs/a/lib/python3.11/site-packages/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: "
    "undefined symbol: __nvJitLinkCreate_12_8, version libnvJitLink.so.12"
)
OLDER = (
    "pairing",
    "warn",
    "cuda-library-mismatch",
    "nvidia-nvjitlink-cu12 is 12.4.127, and torch needs 12.8.93",
)


def test_a_symbol_that_a_stated_cause_explains_is_told_by_that_cause():
    """The versions were compared: another one is only likely from the words, and is not told beside it."""
    (finding,) = findings_from(
        report(OLDER, ("import", "fail", "import-raised", NVJITLINK), torch="2.9.1+cu128")
    )
    assert (finding.id, finding.severity) == ("nvidia-wheels-mixed", "error")
    assert len(finding.evidence) > 1


def test_a_symbol_without_a_stated_cause_is_told_by_its_words():
    """As a paste of it is."""
    failed = ("import", "fail", "import-raised", NVJITLINK)
    assert [finding.id for finding in findings_from(report(failed))] == ["ld-library-path-pollution"]


def test_a_stated_cause_that_explains_nothing_stays_a_warning():
    """The traceback is about something else, and both are told."""
    raised = ("conv", "fail", "exception", "CUDA driver version is insufficient for CUDA runtime version")
    found = {
        finding.id: finding.severity for finding in findings_from(report(OLDER, raised, torch="2.9.1+cu128"))
    }
    assert found == {"nvidia-wheels-mixed": "warning", "driver-too-old": "error"}
