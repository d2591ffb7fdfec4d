"""The tables: every row readable without colour, and in ASCII where the terminal has no more."""

from __future__ import annotations

import io
from functools import partial

import pytest
from rich.console import Console

from torchdoctor.report.terminal.verify import render_verify
from torchdoctor.verify import CheckResult, VerifyReport

ENVIRONMENT = {"python": "3.12.4", "torch": "2.13.0+cpu", "executable": "/envs/[red]/bin/python"}


def shown(render, report, encoding="utf-8") -> str:
    """What a terminal of 100 columns gets."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    render(report, Console(file=file, width=100))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.fixture
def report() -> VerifyReport:
    """One check of each status."""
    rows = [
        ("import", "pass", "torch 2.13.0", ()),
        ("conv", "fail", "relative error [1]", ("a line of [bold]stderr",)),
        ("devices", "warn", "no GPU", ()),
        ("torchaudio", "skip", "torchaudio is not installed", ()),
    ]
    checks = [
        CheckResult(id=name, device="cpu", status=status, seconds=0.5, detail=detail, evidence=evidence)
        for name, status, detail, evidence in rows
    ]
    return VerifyReport(environment=ENVIRONMENT, checks=tuple(checks))


def test_each_check_has_a_mark_and_a_failure_its_evidence(report):
    """Brackets in what was found are text, not markup."""
    text = shown(render_verify, report)

    assert "✓" in text
    assert "✗" in text
    assert "relative error [1]" in text
    assert "a line of [bold]stderr" in text
    assert "/envs/[red]/bin/python" in text
    assert "1 passed, 1 failed, 1 with a warning, 1 skipped" in text


def test_a_terminal_without_the_signs_gets_letters(report):
    """ASCII decodes what was written, or the helper would have raised."""
    text = shown(render_verify, report, "ascii")

    assert "FAIL" in text
    assert "ok" in text


def test_what_is_well_is_counted_and_shown_where_it_is_asked_for(report):
    """Forty rows of ticks hide the one that matters."""
    text = shown(partial(render_verify, whole=False), report)

    assert [name for name in ("import", "conv", "devices", "torchaudio") if f"{name} " in text] == [
        "conv",
        "devices",
    ]
    assert "1 passed, 1 failed, 1 with a warning, 1 skipped (-v shows each)" in text
