"""Text from outside at each boundary: terminal, tables, bars, JSON, Markdown, HTML, XML, and commands to be copied."""

from __future__ import annotations

import io
import json
import shlex
import unicodedata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.cli.errors import ErrorReport, print_failure
from torchdoctor.cli.output import print_json, styled
from torchdoctor.core.fact import absent, unknown
from torchdoctor.core.i18n import message, translate
from torchdoctor.core.text import printable_line, sanitize_line
from torchdoctor.core.visible import visible, visible_line
from torchdoctor.diagnose.verify_findings import findings_from
from torchdoctor.report.bug_report_sections import Section
from torchdoctor.report.html.bug_report import bug_report_page
from torchdoctor.report.junit import junit_xml
from torchdoctor.report.markdown import bug_report_markdown
from torchdoctor.report.terminal.download_progress import FetchBars
from torchdoctor.report.terminal.echo import echo
from torchdoctor.report.terminal.guarded_console import GuardedConsole
from torchdoctor.report.terminal.markdown_text import fenced, plain
from torchdoctor.report.terminal.stages import StageLines
from torchdoctor.report.terminal.table import Grid
from torchdoctor.report.terminal.verify import render_verify
from torchdoctor.verify import CheckResult, VerifyReport
from torchdoctor.verify.events import EventReader
from torchdoctor.verify.step_result import StepResult

# Clears the screen, sets the title, answers for the terminal, hides, goes back, turns round, joins, is not seen, tags.
HOSTILE = (
    "\x1b[2J", "\x1b]0;owned\x07", "\x1b[6n", "\x1b[8m", "\x9b31m", "\x08\x08", "\x7f", "\u202e", "\u2066", "\u200f",
    "\u061c", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u2028", "\u3164", "\U000e0041", "\U000f0000",
)  # fmt: skip
NAME = "torch " + "x".join(HOSTILE) + " end"


def acting(text: str, allowed: str = "\n\t") -> list[str]:
    """The characters of a text that are none to see."""
    hidden = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return [
        sign
        for sign in text
        if (unicodedata.category(sign) in hidden or sign == "\u3164") and sign not in allowed
    ]


def _on_terminal(write):
    """What `write` prints, as if to a terminal that takes colours."""

    @click.command()
    def command():
        write()

    return CliRunner().invoke(command, color=True).output


def _table():
    stream = io.StringIO()
    grid = Grid("", "name")
    grid.add("1", NAME)
    grid.print_on(GuardedConsole(file=stream, force_terminal=True, color_system=None, width=400))
    return stream.getvalue()


def _bars():
    bars = FetchBars(10, 1)
    bars.say(NAME)
    bars.end()


def _verify_table():
    stream = io.StringIO()
    report = VerifyReport(
        environment={"python": NAME, "torch": NAME, "executable": NAME, "devices": [{"device": NAME, "name": NAME}]},
        checks=(CheckResult(id=NAME, device=NAME, status="fail", seconds=0.0, detail=NAME, evidence=(NAME,)),),
    )  # fmt: skip
    render_verify(report, GuardedConsole(file=stream, width=400, color_system=None))
    return stream.getvalue()


def _junit():
    check = CheckResult(id=NAME, device="cpu", status="fail", seconds=0.0, detail=NAME, evidence=(NAME,))
    return junit_xml(VerifyReport(environment={"torch": NAME}, checks=(check,)))


BOUNDARIES = {
    "a line": lambda: _on_terminal(lambda: echo(NAME)),
    "a coloured word": lambda: _on_terminal(lambda: echo(styled(NAME, "error"))),
    "an error": lambda: _on_terminal(
        lambda: print_failure(ErrorReport(1, "x", NAME, message("{x}", x=NAME)), as_json=False)
    ),
    "an error as JSON": lambda: _on_terminal(
        lambda: print_failure(ErrorReport(1, "x", NAME, NAME), as_json=True)
    ),
    "a document": lambda: _on_terminal(lambda: print_json({"name": NAME, NAME: [NAME]})),
    "a stage": lambda: _on_terminal(lambda: StageLines().stage("fetch", NAME)),
    "a warning": lambda: _on_terminal(lambda: StageLines().warn(message("{name}", name=NAME))),
    "a value of a message": lambda: translate(message("{name!s:>10}", name=NAME)),
    "a table": _table,
    "bars": lambda: _on_terminal(_bars),
    "the table of verify": _verify_table,
    "JUnit's XML": _junit,
    "a report's page": lambda: bug_report_page((Section(title=NAME, lines=(NAME,)),), title=NAME),
    "Markdown": lambda: "\n".join([plain(NAME), *fenced((NAME,))]),
    "a report's Markdown": lambda: bug_report_markdown((Section(title=NAME, lines=(NAME,)),)),
    "a fact of the machine": lambda: sanitize_line(NAME, limit=900),
    "a fact that is absent": lambda: f"{absent('x', why=NAME).why}{unknown(NAME, 'x').why}",
    "torch's error": lambda: printable_line(NAME),
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_what_acts_on_a_terminal_is_shown(boundary):
    """Each boundary shows an escape for every code, mark and hidden character; only our own colours act."""
    shown = BOUNDARIES[boundary]()
    for own in ("\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[22m", "\x1b[0m"):
        shown = shown.replace(own, "")
    assert "torch" in shown
    assert "end" in shown
    assert acting(shown) == []


def test_what_an_environment_says_of_itself_is_shown_with_escapes():
    """The version that torch gives, names of devices, details and evidence: whatever `verify` is told."""
    event = {
        "event": "hello",
        "values": {"torch": NAME, "devices": [{"name": NAME}]},
        "id": "import", "device": "cpu", "status": "fail", "detail": NAME, "parts": None, "seconds": 0.0,
        "evidence": [NAME], "figures": {},
    }  # fmt: skip
    line = f"mark{json.dumps(event)}\n".encode()
    [seen] = EventReader("mark").feed(line)
    [result] = EventReader("mark").feed(line.replace(b'"hello"', b'"result"'))
    step = StepResult.from_event(result)
    assert acting(json.dumps(seen["values"], ensure_ascii=False)) == []
    assert acting(step.detail + "".join(step.evidence)) == []


@pytest.mark.parametrize(
    "value", ["2.9.1; reboot", "$(reboot)", "`id`", "2.9\x1b[2J", "a\u202eb", "a\nb", "'x"]
)
def test_a_command_holds_validated_values_alone(value):
    """What torch, its files and its errors name is no part of a command unless it is a plain word or path."""
    environment = {"torch": value, "variant": value, "numpy": value, "prefix": "/e nv", "executable": value}
    checks = tuple(
        CheckResult(id=id_, device="cpu", status="fail", seconds=0.0, detail=f"No module named '{value}'",
            evidence=(f"ModuleNotFoundError: No module named '{value}'",), code=code)
        for id_ in ("import", f"package:{value}", "files", "pairing", "numpy")
        for code in ("exception", "import-raised", "numpy-2", "package-missing", None)
    )  # fmt: skip
    for finding in findings_from(VerifyReport(environment=environment, checks=checks)):
        for step in finding.fix:
            assert value not in step or shlex.quote(value) in step
            assert "\u202e" not in step
            assert "\x1b" not in step


def test_a_path_is_quoted_for_the_shell_of_its_system():
    """PowerShell doubles a quote and calls a quoted program by `&`; a POSIX shell does neither."""
    check = CheckResult(
        id="package:vllm", device="cpu", status="fail", seconds=0.0, detail="x", code="import-raised"
    )
    shown = []
    for path in ("C:\\My envs\\it's\\python.exe", "/my envs/python"):
        environment = {"executable": path, "prefix": path, "torch": "2.9.1+cpu", "variant": "cpu"}
        report = VerifyReport(environment=environment, checks=(check,))
        shown += [step for finding in findings_from(report) for step in finding.fix if "envs" in step]
    assert any("'C:\\My envs\\it''s\\python.exe'" in step for step in shown)
    assert any("'/my envs/python'" in step for step in shown)


@pytest.mark.parametrize(
    "name",
    ["VARIATION SELECTOR-1", "VARIATION SELECTOR-15", "VARIATION SELECTOR-16", "VARIATION SELECTOR-17",
     "BRAILLE PATTERN BLANK",
     "MUSICAL SYMBOL NULL NOTEHEAD", "HANGUL FILLER", "HALFWIDTH HANGUL FILLER", "COMBINING GRAPHEME JOINER",
     "KHMER VOWEL INHERENT AQ", "MONGOLIAN FREE VARIATION SELECTOR ONE", "TAG LATIN SMALL LETTER A"],
)  # fmt: skip
def test_what_has_no_glyph_is_shown(name):
    """By the property of Unicode and by the glyph: a text hidden in such signs is seen."""
    sign = unicodedata.lookup(name)
    assert visible(f"a{sign}b") == f"a{sign.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize("point", [0x13440, 0x16FE4, 0x2065, 0xE01F0, 0x1FFFE, 0xE000])
def test_what_this_python_may_not_know_is_shown(point):
    """Characters of later Unicode, without a meaning, and for private use."""
    assert visible(f"a{chr(point)}b") == f"a{chr(point).encode('unicode_escape').decode()}b"


def test_an_emoji_keeps_its_colour_and_a_selector_hides_nothing():
    """One selector behind a symbol stays; any other one is shown, also a second one."""
    assert visible("\u26a0\ufe0f x \u2194\ufe0f") == "\u26a0\ufe0f x \u2194\ufe0f"
    assert visible("\u26a0\ufe0f\ufe0f+\ufe0fa\ufe0f") == "\u26a0\ufe0f\\ufe0f+\\ufe0fa\\ufe0f"
    assert visible("\ufe0f\u3000张三 na\u0308ive \u00a0") == "\\ufe0f\u3000张三 na\u0308ive \u00a0"


@given(st.text())
def test_nothing_hidden_is_left(text):
    """Of any text; escaping it again changes nothing, and what was to be seen stays."""
    once = visible(text)
    assert acting(once) == []
    assert acting(visible_line(text), allowed="") == []
    assert visible(once) == once
    assert [c for c in text if c.isprintable() and c.isascii()] == [
        c for c in text if c.isprintable() and c.isascii() and c in once
    ]


def test_every_line_goes_through_the_one_function():
    """No module prints by click or Python: `echo` and the guarded console are the ways to a terminal."""
    root = Path(__file__).parents[2] / "torchdoctor"
    own = {"report/terminal/echo.py", "report/terminal/count_line.py"}  # the second erases its own line
    printing = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if not {"probe", "payload"} & set(file.parts) and not file.name.endswith("_script.py")
        for line in file.read_text("utf-8").splitlines()
        if "click.echo(" in line or "click.secho(" in line or line.lstrip().startswith("print(") or "= Console(" in line
        if not line.lstrip().startswith("print(json.dumps(named))")  # a script for another interpreter
    }  # fmt: skip
    assert printing <= own
