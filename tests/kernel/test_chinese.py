"""The commands about kernels and the check-up in Chinese: what people read is Chinese through and through."""

from __future__ import annotations

import json
import os
import sys
import venv
from pathlib import Path

import pytest

from tests.cli.chinese import english_in
from tests.conftest import run_torchdoctor

pytestmark = pytest.mark.process

# Commands to be typed, what files say of themselves, and the words of the system.
NAMES = (
    "Python (PyTorch", "Mine", "torchdoctor jupyter-kernel repair broken", "torchdoctor jupyter-kernel remove broken",
    "No such file or directory",
)  # fmt: skip
REPORTS = Path(__file__).parents[1] / "cases" / "reports"


def chinese(*arguments, **more):
    """What the program says with `--lang zh`."""
    ran = run_torchdoctor("--lang", "zh", *arguments, **more)
    text = ran.out + ran.err
    assert any("一" <= sign <= "鿿" for sign in text), text
    return ran, text


@pytest.mark.parametrize(
    "spec",
    [
        "{",
        "[]",
        {"argv": []},
        {
            "argv": ["/gone/bin/python", "-m", "ipykernel_launcher"],
            "display_name": "Mine",
            "language": "python",
        },
        {"argv": ["/gone/bin/R"], "display_name": "Mine", "language": "R"},
    ],
    ids=["no-json", "no-object", "no-command", "python-gone", "other-kernel"],
)
def test_a_broken_kernel(put_spec, spec):
    """Listed, checked, repaired without an environment, removed without a yes, removed."""
    put_spec("broken", spec)
    # What Python's reader of JSON says is a quotation.
    quoted = "Expecting property name enclosed in double quotes"
    for words in (
        ("list",),
        ("check", "broken"),
        ("repair", "broken"),
        ("remove", "broken"),
        ("remove", "broken", "--yes"),
    ):
        _, text = chinese("jupyter-kernel", *words)
        assert english_in(text, names=[*NAMES, quoted]) == [], text


@pytest.mark.parametrize(
    "words",
    [
        ("jupyter-kernel", "add", "--name", "a b"),
        ("jupyter-kernel", "add", "--display-name", "\t"),
        ("jupyter-kernel", "add", "--env", "1=2"),
        ("jupyter-kernel", "add", "--user", "--sys-prefix"),
        ("jupyter-kernel", "check", "nothing"),
        ("jupyter-kernel", "lst"),
        ("doctr",),
        ("qqqqqqqq",),
        ("doctor", "--only", "gpus"),
        ("doctor", "--list-checks"),
        ("doctor", "/nowhere/at/all"),
        ("doctor", "--nothing-of-the-kind"),
        ("explain", "driver-to-old"),
        ("explain",),
        ("diagnose",),
        ("diagnose", "/nowhere/report.txt"),
        ("diagnose", "x", "--text", "y"),
    ],
    ids=" ".join,
)
def test_wrong_usage_and_lists(jupyter, words):
    """What happened and what to do next."""
    _, text = chinese(*words)
    assert english_in(text, names=NAMES) == [], text


@pytest.mark.parametrize("number", ["001", "017", "042"])
def test_a_diagnosis_is_chinese_but_for_what_it_quotes(number, tmp_path):
    """Evidence is the report's own words."""
    report = tmp_path / "report.txt"
    said = json.loads((REPORTS / f"{number}.json").read_text("utf-8"))
    report.write_text("\n".join(_texts(said)), "utf-8")
    seen = json.loads(run_torchdoctor("--lang", "zh", "diagnose", report, "--format", "json").out)
    # A terminal shows the folder of the person who runs it; a document, which is shared, does not.
    quoted = [line.replace("<user>", "user") for row in seen["findings"] for line in row["evidence"]]
    _, text = chinese("diagnose", report)
    commands = [line for row in seen["findings"] for line in row["fix"] if line.isascii()]
    assert english_in(text, names=[*quoted, *commands]) == [], text


def _texts(value):
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for row in value.values() for text in _texts(row)]
    return [text for row in value for text in _texts(row)] if isinstance(value, list) else []


def test_the_check_up_of_an_environment_without_torch(jupyter, tmp_path):
    """Every line of it."""
    venv.create(tmp_path / "env", symlinks=os.name != "nt")
    ran, text = chinese("doctor", tmp_path / "env", "--no-network")
    assert ran.status == 0
    assert "torch 不在" in text or "没有 torch" in text
    assert english_in(text) == [], text


def test_the_check_up_of_the_real_torch_and_its_kernel(demo, real):
    """Healthy: the evidence of `-v` too, but for the names of its packages and files."""
    for words in (
        ("doctor", real.folder, "--no-network"),
        ("doctor", "--all"),
        ("jupyter-kernel", "check", "demo"),
    ):
        ran, text = chinese(*words)
        assert ran.status == 0
        assert english_in(text, names=NAMES) == [], text


@pytest.mark.skipif(sys.platform == "win32", reason="there is no link there")
def test_a_virtual_environment_whose_interpreter_is_gone_says_so(tmp_path):
    """Which interpreter that was, and how to make the environment anew."""
    folder = tmp_path / "env"
    venv.create(folder, symlinks=True)
    for name in ("python", "python3"):
        (folder / "bin" / name).unlink(missing_ok=True)
    (folder / "bin" / "python").symlink_to("/nowhere/bin/python3.11")
    for words in (("doctor",), ("verify",), ("jupyter-kernel", "add")):
        ran = run_torchdoctor(*words, folder)
        assert ran.status == 2
        assert (
            f"{folder} is a virtual environment whose interpreter is gone: /nowhere/bin/python3.11" in ran.err
        )
        assert f"torchdoctor install {folder}" in ran.err
    _, text = chinese("doctor", folder)
    assert english_in(text) == [], text


def test_without_the_link_the_folder_of_pyvenv_cfg_is_named(tmp_path):
    """That is all that is known of it then."""
    (tmp_path / "pyvenv.cfg").write_text("home = /nowhere/bin\nversion = 3.11.7\n", "utf-8")
    assert "interpreter is gone: /nowhere/bin\n" in run_torchdoctor("doctor", tmp_path).err
