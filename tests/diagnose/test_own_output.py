"""What torchdoctor prints, given to `diagnose`: nothing is found in what is well, and what it found is found again."""

from __future__ import annotations

import json
import re
from contextvars import copy_context
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.detect.recorded import RECORDED, replay
from tests.doctor.check_ups import check_up
from tests.inventory.site import Environment
from torchdoctor.core.fact import found
from torchdoctor.core.i18n import set_language
from torchdoctor.detect import machine_from_options
from torchdoctor.diagnose import Evidence, all_failures, diagnose, diagnose_text, live_failures
from torchdoctor.diagnose.pages import page_json, page_of
from torchdoctor.diagnose.parsers.own import read_own_output
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.doctor.evidence import machine_observations, refusals
from torchdoctor.report.bug_report import BugReport, report_document
from torchdoctor.report.bug_report_sections import report_sections
from torchdoctor.report.html.bug_report import bug_report_page
from torchdoctor.report.markdown import bug_report_markdown
from torchdoctor.report.redact import Identity
from torchdoctor.report.terminal.diagnosis import diagnosis_text
from torchdoctor.report.terminal.plan import plan_row, plan_text
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.uv_choice import uv_choice
from wheels_index import bundled

WHEN = datetime(2026, 11, 25, 2, 0, tzinfo=timezone.utc)
FORMS = {
    "md": lambda document: bug_report_markdown(report_sections(document)),
    "json": lambda document: json.dumps(document, indent=1),
    "html": lambda document: bug_report_page(report_sections(document), title="torchdoctor report"),
}
VERIFIED = """\
Python 3.11.7, torch 2.13.0+cpu (/home/ada/env/bin/python)
   check         device  seconds
✓  files         cpu        0.27  2709 files of torch, all there
✓  import        cpu        3.02  torch 2.13.0+cpu from /home/ada/env/lib/python3.11/site-packages/torch
✗  numpy         cpu        0.03  RuntimeError: Numpy is not available
\u2013  torchvision   cpu              torchvision is not installed
2 passed, 1 failed, 1 skipped

✗ NumPy 2 beside a torch that was built for NumPy 1  [numpy2-abi]
    seen: numpy on cpu: RuntimeError: Numpy is not available
    why:  It was compiled with `_ARRAY_API` of NumPy 1, and no kernel image is available for triton either.
    fix:  Install NumPy 1:
            python -m pip install "numpy<2"

Problems found: 1. Start with the first.
"""
PLANNED = """\
torch 2.14.1+cu126        published; none of its files has been seen yet
torchvision 0.29.1+cu126  published; none of its files has been seen yet
from                      https://download.pytorch.org/whl/cu126
because                   cu126 needs driver ≥ 525.60.13; this machine has 570.124
not rocm7.2               rocm7.2 needs an AMD GPU; none was found
not cpu                   a GPU build fits: cu126
"""


def ids(diagnosis):
    """The ids of the problems, in order."""
    return [finding.id for finding in diagnosis.findings]


@pytest.fixture
def documents(tmp_path):
    """Return a function: a recorded machine -> its findings and the document of its bug report."""

    def make(path):
        seen = replay(json.loads(path.read_text("utf-8")))
        evidence = Evidence(facts=tuple(machine_observations(seen))).merged_with(
            parse_report("\n".join(refusals(seen)))
        )
        findings = diagnose(evidence, failures=live_failures()).findings
        env = Environment(tmp_path / "env")
        env.torch("2.13.0+cpu")
        facts = [(fact.name, fact.fact) for fact in seen.facts]
        report = BugReport(
            check_up=check_up(env, machine=seen.machine, facts=facts),
            findings=findings,
            tags=found("cp312-cp312-linux_x86_64", "it"),
            settings=(),
        )
        return findings, report_document(report, when=WHEN, identity=Identity())

    return make


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if number % 3 == 0 else [pytest.mark.slow])
        for number, path in enumerate(RECORDED)
    ],
    ids=lambda path: path.stem,
)
def test_a_bug_report_has_the_findings_that_the_doctor_had(path, documents):
    """In each of its three forms, on each recorded machine: no more and no fewer."""
    findings, document = documents(path)
    for make in FORMS.values():
        diagnosis = diagnose_text(make(document))
        assert sorted(ids(diagnosis)) == sorted(finding.id for finding in findings)
        assert diagnosis.verdict == ("problems-found" if findings else "nothing-wrong-found")
        assert diagnosis.possible == ()


def test_an_error_beside_a_bug_report_is_read(documents):
    """The report is data, and what the user adds is read as ever."""
    _, document = documents(RECORDED[0])
    text = f"I get this:\nModuleNotFoundError: No module named 'triton'\n{FORMS['md'](document)}"
    assert "triton-missing" in ids(diagnose_text(text))


@pytest.mark.parametrize("failure", all_failures(), ids=lambda failure: failure.id)
def test_the_page_of_a_failure_is_no_failure(failure):
    """`explain` shows what a failure looks like."""
    assert diagnose_text(page_of(failure)).in_order == ()


def test_a_verification_has_the_findings_below_it():
    """Its lines of checks and the words of a finding are no evidence of other failures."""
    diagnosis = diagnose_text(VERIFIED)
    assert ids(diagnosis) == ["numpy2-abi"]
    assert diagnosis.possible == ()


def test_a_verification_that_passed_has_none():
    """A skipped check is no failure either."""
    passed = "\n".join(line for line in VERIFIED.splitlines()[:6] if not line.startswith("✗"))
    assert diagnose_text(passed).verdict == "nothing-wrong-found"


def test_a_plan_is_no_failure():
    """It says why other builds do not fit."""
    assert diagnose_text(PLANNED).in_order == ()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("gpu", ["GTX 1080 Ti", "MI50", "RX 7900 XTX", "Arc 140V"])
def test_no_row_of_a_plan_is_a_failure(gpu, language):
    """Whatever it turns down, leaves out and warns of, and what uv would take, in each language."""
    machine = machine_from_options(
        platform="linux", python_version="3.12", driver="580.95", gpus=(gpu,), libc=None
    )
    plan = resolve(machine, Request(), bundled())

    def printed():
        set_language(language)
        uv = uv_choice(machine, ("cu132", "cu130"), bundled(), plan)
        return f"{plan_text(plan, 'table')}\n{plan_row(plan, 'uv', uv.description)}"

    assert diagnose_text(copy_context().run(printed)).findings == ()


def test_what_diagnose_printed_is_found_again():
    """Problems stay problems, possible causes stay possible."""
    first = diagnose_text(
        "AssertionError: Torch not compiled with CUDA enabled\nRTX 4090, torch 2.9.1+cpu, Windows 11"
    )
    second = diagnose_text("torch.cuda.is_available() comes back False. How do I get my card to be used?")
    for diagnosis in (first, second):
        for text in (diagnosis_text(diagnosis), json.dumps(diagnosis.to_json(), indent=1)):
            again = diagnose_text(text)
            assert ids(again) == ids(diagnosis)
            assert {cause.id for cause in again.possible} == {cause.id for cause in diagnosis.possible}
    assert first.findings
    assert second.possible


def test_a_finding_in_chinese_is_known_by_its_id():
    """The words around it are translated."""
    text = "✗ 有 GPU 的机器上装的是 CPU 版 torch  [cpu-only-wheel, 很可能]\n    看到: +cpu\n"
    assert ids(diagnose_text(text)) == ["cpu-only-wheel"]


@pytest.mark.parametrize(
    "text",
    [
        '{"schema": 1, "findings": ' + "[" * 50_000, '{"schema": 1, "findings": [{"id": 3}, "x", {"id": "a b"}]}',
        '{"schema": 1, "findings": 7, "environment": [], "machine": "x"}', '{"schema": 1' * 3_000,
        "### What this is\n\n```text\ntorchdoctor 0.1.0, 2026-11-25", "<title>torchdoctor report",
        "x  [cpu-only-wheel]" * 2_000,
    ],
    ids=lambda text: repr(text[:24]),
)  # fmt: skip
def test_broken_output_of_ours_is_read_and_ends(text):
    """It is as hostile as any other text."""
    assert read_own_output(text).rest.count("\n") == text.count("\n")
    diagnose_text(text)


def test_lines_keep_their_numbers():
    """What is taken out leaves an empty line."""
    text = f"first\n{VERIFIED}last"
    rest = read_own_output(text).rest.split("\n")
    assert (rest[0], rest[-1], len(rest)) == ("first", "last", len(text.split("\n")))


PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text("utf-8")
DOCUMENTS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text[:60].replace("\n", " "))
def test_every_document_of_the_reference_is_read_as_data(text):
    """What it says of failures is what it reports, not what stands in its texts."""
    document = json.loads(text)
    rows = document.get("findings", []) if isinstance(document, dict) else []
    reported = {row["id"] for row in rows if isinstance(row, dict) and "id" in row}
    assert {finding.id for finding in diagnose_text(json.dumps(document)).findings} <= reported


@pytest.mark.parametrize("failure", all_failures()[::8], ids=lambda failure: failure.id)
def test_a_page_of_a_failure_as_json_is_none(failure):
    """Its lines are those of others."""
    document = json.dumps(page_json(failure))
    assert diagnose_text(document).findings == ()
