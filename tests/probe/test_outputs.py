"""What verify gives besides its table: the list of checks, its page, and JUnit's XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from tests.probe.fakes import environment
from torchdoctor.report.junit import junit_xml
from torchdoctor.report.terminal.check_list import check_rows, checks_markdown
from torchdoctor.verify import CheckResult, VerifyReport

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_the_page_of_checks_is_the_table():
    """`python tools/checks_page.py` writes it anew."""
    assert PAGE.read_text("utf-8") == checks_markdown()


def test_every_check_says_what_it_proves_how_exactly_and_why():
    """A limit without a reason is a guess."""
    for row in check_rows():
        assert row["proves"], row["id"]
        assert row["tolerance"], row["id"]
        assert row["reason"], row["id"]


def test_the_list_is_printed_without_an_environment(torchdoctor):
    """`--list` runs nothing; `--quick` and `--only` choose."""
    whole = torchdoctor("verify", "--list", "--json").json["checks"]
    quick = torchdoctor("verify", "--list", "--quick", "--json").json["checks"]
    table = torchdoctor("verify", "--list", "--only", "matmul,conv", COLUMNS="200").out

    assert [row["id"] for row in whole] == [row["id"] for row in check_rows()]
    assert 0 < len(quick) < len(whole)
    assert "matmul" in table
    assert "gradcheck" not in table


def test_a_mistyped_check_is_wrong_usage(torchdoctor):
    """The nearest one is offered."""
    ran = torchdoctor("verify", "--list", "--only", "matmull", "--json")

    assert ran.status == 2
    assert "did you mean matmul?" in ran.json["error"]["message"]


def test_a_report_for_ci_is_written_beside_the_answer(torchdoctor, tmp_path):
    """What failed is in both, with its cause and fix in the answer."""
    python = environment(tmp_path / "bare")
    ran = torchdoctor("verify", python.parents[1], "--json", "--junit", tmp_path / "results.xml")

    root = ET.parse(tmp_path / "results.xml").getroot()  # noqa: S314  # our own

    assert ran.status == 1
    assert root.get("failures") == "1"
    (finding,) = ran.json["findings"]
    assert finding["id"] == "torch-missing"
    assert finding["fix"] == [f"torchdoctor install {python.parents[1]}"]


def test_a_known_cause_is_told_instead_of_a_traceback(torchdoctor, tmp_path):
    """With `-v` the traceback is shown too."""
    python = environment(tmp_path / "env", torch="import typing_extensions_that_is_missing")
    short = torchdoctor("verify", python.parents[1])
    long = torchdoctor("verify", python.parents[1], "-v")

    assert "A module that torch needs is missing" in short.out
    assert "Traceback" not in short.out
    assert ", last output:" in long.out


def case(check_id="conv", status="fail", detail="off", evidence=()):
    """A report of one check."""
    check = CheckResult(
        id=check_id, device="cpu", status=status, seconds=0.5, detail=detail, evidence=tuple(evidence)
    )
    return VerifyReport(environment={"torch": "2.13.0"}, checks=(check,))


def test_junit_tells_failures_skips_and_passes_apart():
    """The elements are those that CI systems read."""
    for status, element in (
        ("fail", "failure"),
        ("skip", "skipped"),
        ("pass", "system-out"),
        ("warn", "system-out"),
    ):
        root = ET.fromstring(junit_xml(case(status=status, evidence=("Traceback",))))  # noqa: S314  # our own

        (found,) = root.iter("testcase")
        assert [child.tag for child in found] == [element]
        assert (found.get("name"), found.get("classname")) == ("conv", "verify.cpu")
        (suite,) = root
        assert suite.get("failures") == str(int(status == "fail"))
        assert suite.get("skipped") == str(int(status == "skip"))


@given(st.text(st.characters(codec=None)), st.lists(st.text(st.characters(codec=None)), max_size=3))
def test_junit_can_hold_whatever_a_library_prints(detail, evidence):
    """Control characters and lone surrogates are no XML; an angle bracket is no element."""
    root = ET.fromstring(junit_xml(case(detail=detail, evidence=evidence)).encode())  # noqa: S314  # our own

    assert len(list(root.iter("failure"))) == 1
