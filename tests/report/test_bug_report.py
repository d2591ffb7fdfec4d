"""The report's three forms: one redacted document, Markdown that cannot be broken out of, a page that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inventory.site import Environment
from torchdoctor.core import NamedFact
from torchdoctor.core.fact import absent, found
from torchdoctor.core.visible import visible
from torchdoctor.detect import Detection, Machine, Nvidia, NvidiaGpu, Python
from torchdoctor.diagnose import Finding
from torchdoctor.doctor import CheckUp
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.inventory import Inventory
from torchdoctor.kernel import KernelState
from torchdoctor.kernel.model import Problem
from torchdoctor.report.bug_report import BugReport, report_document
from torchdoctor.report.bug_report_sections import Section, report_sections
from torchdoctor.report.html.bug_report import bug_report_page
from torchdoctor.report.markdown import MAX_ISSUE_LENGTH, bug_report_markdown
from torchdoctor.report.redact import Identity
from torchdoctor.verify import CheckResult

WHEN = datetime(2026, 11, 25, 2, 0, tzinfo=timezone.utc)
MACHINE = Machine(
    os="linux",
    arch="x86_64",
    python=Python(version="3.12.4"),
    nvidia=Nvidia(driver="580.95.05", gpus=(NvidiaGpu(name="NVIDIA L4", compute_capability="8.9"),)),
)
FINDING = Finding(
    id="cpu-only-wheel", severity="error", title="CPU-only torch on a machine with a GPU",
    evidence=("torch 2.13.0+cpu in /home/ada/env",), explanation="It has no code for a GPU.",
    fix=("torchdoctor install /home/ada/env",),
)  # fmt: skip


@pytest.fixture
def reported(tmp_path):
    """An environment with a CPU torch whose import fails, a kernel, nothing that fits, and one finding."""
    env = Environment(tmp_path / "env")
    env.torch("2.13.0+cpu", requested=True)
    env.put("nvidia-cublas-cu12", "12.4.5.8", installer="uv")
    facts = (
        NamedFact(name="nvidia.driver", fact=found("580.95.05", "NVML")),
        NamedFact(name="amd.gpus", fact=absent("/sys")),
    )
    seen = CheckUp(
        python=env.python,
        detection=Detection(machine=MACHINE, facts=facts),
        inventory=env.take(environ={"HTTPS_PROXY": "http://ada:pw@10.1.2.3:3128", "HF_TOKEN": "hf_secret"}),
        kernels=(
            KernelState(
                name="demo", folder=Path("/home/ada/kernels/demo"), place="user", settings=(("WANDB_KEY", "hunter2"),),
                problem=Problem(kind="no-python", message="its Python is gone", fix="make it anew"),
            ),
        ),
        unfit="nothing fits; use another Python",
        imported=(
            CheckResult(
                id="import", device="cpu", status="fail", seconds=0.1, detail="OSError", evidence=("/home/ada/x.so",)
            ),
        ),
    )  # fmt: skip
    return BugReport(
        check_up=seen,
        findings=(FINDING,),
        tags=found("cp312-cp312-linux_x86_64", "it"),
        settings=({"key": "install.mirror", "value": "nju", "origin": "/home/ada/config.toml:1"},),
    )


def _document(reported, **who):
    return report_document(reported, when=WHEN, identity=Identity(**who))


def test_the_document_holds_everything_under_its_name(reported):
    """Machine, facts, environment, checks, kernels, plan, findings and settings; the formats read back."""
    document = _document(reported)
    assert list(document) == [
        "schema", "torchdoctor", "created", "summary", "machine", "facts", "environment", "environment_error", "checks",
        "kernels", "plan", "unfit", "findings", "settings",
    ]  # fmt: skip
    assert Machine.from_json(document["machine"]) == MACHINE
    assert Inventory.from_json(document["environment"]).torch.value.version == "2.13.0+cpu"
    assert (document["plan"], document["unfit"]) == (None, "nothing fits; use another Python")
    assert document["facts"][0] == {
        "name": "nvidia.driver", "state": "found", "source": "NVML", "value": "580.95.05", "why": None,
    }  # fmt: skip


def test_nothing_of_who_and_where_is_left_in_it(reported, tmp_path):
    """Neither the user nor the proxy's login and address, and not the folder that a test ran in as that user's home."""
    text = json.dumps(_document(reported, users=("ada",), homes=(str(tmp_path),)))
    assert not re.search(r"\bada\b|10\.1\.2\.3|\bpw\b|hf_secret|hunter2", text)
    assert str(tmp_path) not in text
    assert "12.4.5.8" in text


def test_an_environment_that_cannot_be_read_is_told_with_its_reason(reported):
    """The machine is still there."""
    error = EnvironmentUnusable("its Python is gone", fix="make it anew")
    document = _document(replace(reported, problem=error, findings=()))
    assert document["environment"] is None
    assert document["environment_error"] == {
        "kind": "environment", "message": "its Python is gone", "fix": "make it anew",
    }  # fmt: skip
    text = bug_report_markdown(report_sections(document))
    assert "its Python is gone; make it anew" in text
    assert "nvidia.driver: 580.95.05 (NVML)" in text


def test_the_markdown_tells_the_verdict_first(reported):
    """What this is, findings and what would fit stand open; the lists are folded."""
    text = bug_report_markdown(report_sections(_document(reported, users=("ada",))))
    assert re.findall(r"^###? (.*)|<summary>(.*)</summary>", text, re.MULTILINE) == [
        ("What this is", ""), ("Findings", ""), ("What would fit", ""), ("", "Environment"), ("", "Packages"),
        ("", "Imported"), ("", "Kernels"), ("", "Machine"), ("", "Settings"), ("", "Variables"),
    ]  # fmt: skip
    assert "error cpu-only-wheel: CPU-only torch on a machine with a GPU" in text
    assert "  fix: torchdoctor install /home/<user>/env" in text
    assert "nvidia-cublas-cu12 12.4.5.8 (uv, " in text
    assert "torchdoctor install.mirror = nju (/home/<user>/config.toml:1)" in text
    assert "HTTPS_PROXY=http://<secret>@<host>:3128" in text
    assert "absent, not there (/sys): amd.gpus" in text
    assert "import on cpu: fail, OSError\n  /home/<user>/x.so" in text
    assert "demo: unknown, no torch, its Python is gone (/home/<user>/kernels/demo)" in text


def _outside_blocks(text):
    """What a Markdown reader takes as Markdown: the lines that are in no fenced block (CommonMark 4.5)."""
    fence, outside = None, []
    for line in text.splitlines():
        if fence is None and (match := re.match(r" {0,3}(`{3,})[^`]*$", line)):
            fence = match[1]
        elif fence is not None and re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}\s*", line):
            fence = None
        elif fence is None:
            outside.append(line)
    return outside


nasty = st.lists(st.sampled_from([
    "`", "```", "~~~", "\n", "\r", "</details>", "<script>", "@ada", "#1", "|", " ", "x", "\x85", "\u2028", "text",
]), max_size=15)  # fmt: skip


@given(st.lists(nasty.map("".join), min_size=1, max_size=4))
def test_no_line_breaks_out_of_its_block(lines):
    """Whatever a package or a GPU is called, outside the blocks stand our own words alone."""
    sections = (
        Section(title="Findings", lines=tuple(lines), is_open=True),
        Section(title="Machine", lines=tuple(lines)),
    )
    own = {"### Findings", "<details><summary>Machine</summary>", "</details>", ""}
    assert set(_outside_blocks(bug_report_markdown(sections))) <= own


def test_a_report_that_is_too_long_for_an_issue_says_what_is_left_out():
    """GitHub's limit is kept, with room for the person's own words."""
    rows = tuple(Section(title=f"Part {n}", lines=("x" * 500,) * 1000) for n in range(8))
    text = bug_report_markdown(rows)
    assert len(text) <= MAX_ISSUE_LENGTH + 2000 < 65_536
    assert "more lines; --format json has them all" in text


@given(st.text(max_size=60))
def test_the_page_escapes_everything(text):
    """What comes from outside is text, never markup."""
    page = bug_report_page((Section(title="Findings", lines=(text,)),), title="report")
    inside = re.search(r"<pre>(.*)</pre>", page, re.DOTALL)[1]
    assert not re.search(r"[<>\"']", inside)
    assert html.unescape(inside).rstrip("\n") == visible(text).rstrip("\n")


def test_the_page_loads_and_runs_nothing(reported):
    """Its policy allows its own style by digest and nothing else; no script, no link, no image."""
    page = bug_report_page(report_sections(_document(reported)), title="report")
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert not re.search(
        r"<(?:script|link|img|iframe)|javascript:|https?://(?!&lt;)[^\s<]*\.(?:js|css)", page
    )
