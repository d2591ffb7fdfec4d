"""Nobody is asked for what was pasted: questions, checks and next steps against texts that have the answer."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from torchdoctor.diagnose import all_failures, diagnose_text
from torchdoctor.diagnose.fix_lines import fix_lines
from torchdoctor.diagnose.parsers.command_output import commands_in, is_recognised, output_line
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.question_choice import is_known
from torchdoctor.diagnose.question_table import ERROR, questions

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parents[1] / "cases"
ANSWERS = tomllib.loads((CASES / "answers.toml").read_text("utf-8"))["answers"]
PAIRS = [(name, answer) for name, answers in ANSWERS.items() for answer in answers]
TEXTS = [
    *(
        row["text"]
        for path in sorted(CASES.glob("*.toml"))
        if path.name not in ("answers.toml", "fixes.toml")
        for row in tomllib.loads(path.read_text("utf-8")).get("report", [])
    ),
    *(
        "\n".join(json.loads(path.read_text("utf-8"))["evidence"].values())
        for folder in ("reports", "retold")
        for path in sorted((CASES / folder).glob("*.json"))
    ),
    *(path.read_text("utf-8") for path in sorted((CASES / "formats").glob("*.txt"))),
]
# A command, and how a reader sees that a text has its output: written apart from the patterns of the program.
SEEN = {
    "nvidia-smi": r"\| NVIDIA-SMI \d",
    "nvcc --version": r"(?m)^[\s>]*Cuda compilation tools, release",
    "python -m pip check": r"(?m)^[\s>]*No broken requirements found",
    "python -m xformers.info": r"(?m)^[\s>]*build\.torch_version:",
    "conda list": r"(?m)^[\s>]*# packages in environment at",
    "ldd --version": r"(?m)^[\s>]*ldd \((?:GNU|Ubuntu|Debian)",
    "nvidia-smi -L": r"(?m)^[\s>]*GPU \d+: .*\(UUID: GPU-",
}


def test_each_question_has_recorded_answers():
    """But the one that asks for the error itself."""
    assert set(ANSWERS) == set(questions()) - {ERROR}


@pytest.mark.parametrize(("question", "answer"), PAIRS)
def test_an_answer_in_the_text_answers_the_question(question, answer):
    """As the command printed it, without the command, and whether it worked or not."""
    entry = questions()[question]
    for text in (answer, f"Hello, I ran it:\n\n```\n{answer}\n```\n", f"> {answer}".replace("\n", "\n> ")):
        assert is_known(entry, parse_report(text)), text


def answered_again(texts):
    """Count the questions, none of which is open once the text has one of its answers."""
    count = 0
    for number, text in enumerate(texts):
        question = diagnose_text(text).question
        if question is None or question.id == ERROR:
            continue
        answers = ANSWERS[question.id]
        answer = answers[number % len(answers)]
        assert is_known(questions()[question.id], parse_report(f"{text}\n\n{answer}\n")), (text, answer)
        count += 1
    return count


def test_no_question_is_asked_whose_answer_is_in_the_text():
    """What a text is asked for is known once one of the answers is added to it; a tenth of all texts."""
    assert answered_again(TEXTS[::10])


@pytest.mark.slow
def test_no_question_is_asked_whose_answer_is_in_any_text():
    """The same over all of them."""
    assert answered_again(TEXTS) > len(TEXTS) / 4


def test_no_text_is_asked_for_a_command_whose_output_it_has():
    """Neither the question nor the check of a finding: a check says where in the text the output is."""
    there = 0
    for text in TEXTS:
        outputs = [command for command, pattern in SEEN.items() if re.search(pattern, text)]
        if not outputs:
            continue
        found = diagnose_text(text)
        if found.question:
            assert found.question.command not in outputs
        for finding in found.in_order:
            for command in set(commands_in(finding.check)) & set(outputs):
                there += 1
                assert re.match(rf"The text has the output of [^.]*`{re.escape(command)}`", finding.check)
    assert there


def test_a_check_says_where_its_output_is():
    """The line is the one of the text."""
    text = "the build fails: RuntimeError: The detected CUDA version (11.5) mismatches the version\n"
    text += "that was used to compile PyTorch (12.4). Please make sure to use the same CUDA versions.\n"
    text += "\nCuda compilation tools, release 11.5, V11.5.119\n"
    finding = next(one for one in diagnose_text(text).in_order if one.id == "cuda-toolkit-mismatch")
    assert finding.check.startswith("The text has the output of `nvcc --version` already (line 4).")


def test_who_gave_all_of_a_report_is_not_asked_for_collect_env():
    """In whatever form: torch and its build, the system, Python and the GPU."""
    told = "OS: Ubuntu 22.04\nPython version: 3.11.4\nPyTorch version: 2.6.0+cu124\nGPU 0: NVIDIA L4\n"
    steps = diagnose_text(f"My loss is nan.\n{told}").next_steps
    assert not any("collect_env" in step for step in steps)
    assert any("collect_env" in step for step in diagnose_text("My loss is nan.").next_steps)


def test_commands_of_checks_are_known_or_cannot_be_seen():
    """A check that looks at the GPU, torch or the packages has a command whose output is recognised."""
    known = re.compile(
        r"nvidia-smi|nvcc|pip (?:list|show torch|check)|conda list|lspci|rocminfo|print\(torch\.__v"
    )
    evidence = parse_report("")
    missing = [
        (failure.id, command)
        for failure in all_failures()
        for command in commands_in(failure.confirm)
        if known.match(command) and not is_recognised(command)
    ]
    assert missing == []
    assert output_line("nvidia-smi", evidence) is None


LOOKS = {
    "df -h": "/dev/sda1       234G  230G     0 100% /",
    "torch.__file__": "2.6.0 /home/u/venv/lib/python3.11/site-packages/torch/__init__.py",
    "dmesg": "[    5.172211] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.90.07",
    "kernelspec list": "Available kernels:\n  python3    /home/u/share/jupyter/kernels/python3",
    "pip list": "Package            Version\n------------------ -----------\ntorch              2.6.0",
    "pip check": "torchvision 0.21.0 requires torch, which is not installed.",
    "sys.executable": "/home/u/venv/bin/python3",
    "nvidia-smi -q": "==============NVSMI LOG==============\nAttached GPUs    : 1\n        HW Slowdown    : Active",
}


@pytest.mark.parametrize(
    "failure",
    [
        one
        for one in all_failures()
        if one.fixes[0].command and one.fixes[0].when is None and is_recognised(one.fixes[0].command)
    ],
    ids=lambda one: one.id,
)
def test_a_fix_does_not_begin_with_a_look_that_was_taken(failure):
    """What it printed is in the text: the next step comes first, and is no alternative."""
    command = failure.fixes[0].command
    printed = next(text for look, text in LOOKS.items() if look in command)
    lines = list(fix_lines(failure, {}, parse_report(printed), str))
    # Where the further steps lack the names that they need, only the look is left.
    assert command not in lines or lines[-1] == command
    assert lines
    assert not lines[0].startswith(("Or ", "Else"))
    assert command in list(fix_lines(failure, {}, parse_report("Something else is wrong."), str))
