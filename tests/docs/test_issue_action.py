"""The action that answers issues: its own script with an event of GitHub's and a stand-in for `gh`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from torchdoctor.diagnose import diagnose_text

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "diagnose-issue" / "action.yml").read_text("utf-8"))
FORMS = sorted((ROOT / "docs" / "howto" / "issue-forms").glob("*.yml"))
SCRIPT = next(step["run"] for step in ACTION["runs"]["steps"] if step.get("id") == "diagnose")
CPU = """\
AssertionError: Torch not compiled with CUDA enabled
torch 2.9.1+cpu, Windows 11, NVIDIA GeForce RTX 4090 $(touch pwned) `touch pwned`
"""
GH = """#!/bin/sh
[ "$1" = api ] && { cat "$COMMENTS"; exit 0; }
printf '%s\\n' "$@" >> "$CALLS"
for last; do :; done
cat "$last" >> "$CALLS"
"""
# As GitHub puts a form's answers into the issue.
ANSWERS = (
    "AssertionError: Torch not compiled with CUDA enabled",
    "torch==2.9.1+cpu\nGPU 0: NVIDIA GeForce RTX 4070",
    "pip install torch",
)


@pytest.fixture
def answer(tmp_path):
    """A function that runs the script for an issue's title and body; the outputs, and what `gh` was told."""
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text(GH)
    gh.chmod(0o755)

    def run(body, *, comment_on="certain", comments="", issue=None):
        event = {"issue": {"number": 7, "title": "It fails", "body": body} if issue is None else issue}
        files = {
            "event.json": json.dumps(event),
            "comments": comments,
            "calls": "",
            "outputs": "",
            "summary": "",
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text, "utf-8")
        environ = {
            **os.environ,
            "PATH": os.pathsep.join(
                map(str, (tmp_path / "bin", Path(sys.executable).parent, os.environ["PATH"]))
            ),
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_OUTPUT": str(tmp_path / "outputs"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_REPOSITORY": "owner/repo",
            "COMMENT_ON": comment_on,
            "DRY_RUN": "false",
            "TORCHDOCTOR_LANG": "en",
            "COMMENTS": str(tmp_path / "comments"),
            "CALLS": str(tmp_path / "calls"),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPT],
            cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        outputs = dict(line.split("=", 1) for line in (tmp_path / "outputs").read_text("utf-8").splitlines())
        return done, outputs, (tmp_path / "calls").read_text("utf-8")

    return run


@pytest.mark.process
def test_a_certain_finding_gets_one_comment(answer, tmp_path):
    """Nothing of the issue is run, and a second run sees the first one's comment."""
    _, outputs, calls = answer(CPU)
    assert outputs == {"verdict": "problems-found", "findings": "cpu-only-wheel", "commented": "true"}
    assert calls.startswith("issue\ncomment\n7\n--repo\nowner/repo\n")
    assert "<!-- torchdoctor -->\nThank you" in calls
    assert not (tmp_path / "pwned").exists()
    _, outputs, calls = answer(CPU, comments=calls)
    assert (outputs["commented"], calls) == ("false", "")


@pytest.mark.process
def test_what_is_not_certain_gets_none(answer):
    """An empty body is no error; a pull request is one."""
    done, outputs, calls = answer(None)
    assert (done.returncode, outputs["commented"], calls) == (0, "false", "")
    done, _, calls = answer("", issue={"number": 7, "title": "x", "pull_request": {}})
    assert done.returncode == 1
    assert "::error::" in done.stdout + done.stderr
    assert calls == ""


def test_no_expression_stands_in_a_script():
    """What GitHub fills in reaches the scripts as variables alone."""
    assert all("${{" not in step["run"] for step in ACTION["runs"]["steps"])


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_asks_for_three_things_as_github_wants_it(path):
    """Name, description, and three required text areas, each with an id of its own."""
    form = yaml.safe_load(path.read_text("utf-8"))
    assert form["name"]
    assert form["description"]
    assert [field["type"] for field in form["body"]] == ["textarea"] * 3
    assert [field["id"] for field in form["body"]] == ["error", "environment", "installation"]
    assert all(field["validations"]["required"] for field in form["body"])


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_what_a_form_yields_is_read(path):
    """Its own headings add nothing, and the answers decide."""
    form = yaml.safe_load(path.read_text("utf-8"))
    filled = [
        f"### {field['attributes']['label']}\n\n```text\n{given}\n```\n"
        for field, given in zip(form["body"], ANSWERS, strict=True)
    ]
    assert diagnose_text("\n".join(filled)).findings[0].id == "cpu-only-wheel"
    empty = [f"### {field['attributes']['label']}\n\n_No response_\n" for field in form["body"]]
    assert diagnose_text("\n".join(empty)).in_order == ()
