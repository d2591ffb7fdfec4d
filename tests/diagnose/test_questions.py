"""The question that decides: which one, with which command, and never one that the text answers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import all_failures, diagnose_text
from torchdoctor.diagnose.question_answers import with_answer
from torchdoctor.diagnose.question_choice import information
from torchdoctor.diagnose.question_table import questions

UNUSED = (
    "torch.cuda.is_available() returns False on Windows 11 and only my cpu is used, please help. Good card."
)


def asked(text, **given_):
    """The id of the question, None if there is none."""
    question = diagnose_text(text, **given_).question
    return question.id if question else None


def test_the_build_is_asked_for_where_the_gpu_is_not_used():
    """The command is for the system of the text, and the causes that are left are named."""
    question = diagnose_text(UNUSED).question
    assert question.id == "torch"
    assert "torch.__version__" in question.command
    assert "cpu-only-wheel" in question.between


def test_the_gpu_is_asked_for_where_its_age_decides():
    """Too new or too old for the build: the model tells."""
    assert asked("CUDA error: no kernel image is available for execution on the device") == "gpu"


def test_what_was_pasted_is_not_asked_for():
    """With the build in the text the next fact is asked for, or none."""
    assert asked(f"{UNUSED}\ntorch.__version__ 2.9.1+cu128 torch.version.cuda 12.8") != "torch"
    assert asked("no kernel image is available for execution on the device\nRTX 5090") != "gpu"


def test_what_nobody_knows_is_asked_once():
    """The next best question follows."""
    assert asked(UNUSED, asked=("torch",)) not in ("torch", None)
    assert asked(UNUSED, asked=tuple(questions())) is None


def test_a_certain_answer_asks_nothing():
    """Nor does a text in which all is well."""
    certain = "Failed to initialize NVML: Driver/library version mismatch"
    assert diagnose_text(certain).findings[0].confidence == "certain"
    assert asked(certain) is None
    assert asked("torch.__version__ 2.9.1+cu128\ntorch.cuda.is_available() True") is None


def test_without_an_error_the_error_is_asked_for():
    """A text that names none is asked for it, and one that has it for a fact."""
    assert asked("My training does not work since yesterday.") == "error"
    assert asked("ValueError: something of my own is wrong") not in ("error", None)
    assert asked("gpu detection: run.py does nothing with it") == "torch"
    assert asked("Which different GPU is better for training?") == "error"


def test_the_question_says_which_causes_its_answer_shows():
    """Of all that are left, those that ask for this fact."""
    question = diagnose_text("CUDA error: no kernel image is available for execution on the device").question
    assert set(question.decides) <= set(question.between)
    assert {"gpu-arch-too-new", "gpu-arch-too-old"} <= set(question.decides)


def test_who_is_on_the_machine_is_not_sent_there():
    """The step that names `--here` is for others."""
    from torchdoctor.diagnose import diagnose
    from torchdoctor.diagnose.further_evidence import with_question
    from torchdoctor.diagnose.parsers.parse import parse_report

    evidence = parse_report(UNUSED)
    assert any("--here" in step for step in with_question(diagnose(evidence), evidence, str).next_steps)
    assert with_question(diagnose(evidence), evidence, str, here=True).next_steps == ()


def test_an_answer_leads_on():
    """The build and the card's number alone are enough to be sure."""
    text = with_answer(UNUSED, "torch", "2.9.1+cpu")
    first = diagnose_text(with_answer(text, "gpu", "4070"), asked=("torch", "gpu")).findings[0]
    assert (first.id, first.confidence) == ("cpu-only-wheel", "certain")


@pytest.mark.parametrize(
    ("question", "answer", "fact"),
    [
        ("gpu", "RX 7900 XTX", "gfx1100"),
        ("gpu", "NVIDIA GeForce RTX 5090", "RTX 5090"),
        ("gpu", "我的是 4070 Ti", "RTX 4070 Ti"),
        ("gpu", "a 1080 in a laptop", "1080"),
        ("torch", "torch.__version__ 2.9.1+cu128 torch.version.cuda 12.8", "2.9.1+cu128"),
        ("python", "Python 3.14.0 (main, Oct  7 2025)", "3.14.0"),
        ("driver", "535.104.05", "535.104.05"),
    ],
)
def test_answers_are_read_as_they_are_typed(question, answer, fact):
    """With or without the words around them."""
    from torchdoctor.diagnose.parsers.parse import parse_report

    facts = parse_report(with_answer("", question, answer)).facts
    assert any(fact in observation.value for observation in facts)


@pytest.mark.parametrize("answer", ["I don't know", "no idea", "???", "不知道。"])
def test_an_answer_that_nobody_knows_adds_nothing(answer):
    """The text stays as it is."""
    assert with_answer(UNUSED, "gpu", answer) == UNUSED


def test_every_failure_asks_questions_that_exist():
    """And each question is asked by a failure."""
    named = {name for failure in all_failures() for name in failure.asks}
    assert named <= set(questions())
    assert set(questions()) <= named


@pytest.mark.parametrize("entry", questions().values(), ids=lambda entry: entry.id)
def test_commands_only_read_and_name_nothing_to_fill_in(entry):
    """They are one line, short, ASCII, without placeholders, redirections or what removes and writes."""
    for command in entry.commands.values():
        assert command.isascii()
        assert len(command) <= 130
        assert not re.search(r"[<>]|\b(?:rm|mv|cp|tee|install|uninstall|del|kill|reset)\b|\.\.\.", command)
        assert not re.search(r"\b(?:YOUR|PATH_TO|NAME|FILE|CONTAINER)\b", command)


def test_a_question_that_splits_tells_more_than_one_about_a_single_cause():
    """Expected information: two causes of four told apart are worth more than one."""
    weights = dict.fromkeys("abcd", 0.25)
    asks = {"a": ("x",), "b": ("x", "y"), "c": ("z",), "d": ("z",)}
    assert information("x", weights, asks) > information("y", weights, asks)
    assert information("nothing", weights, asks) == 0


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0.001, 1), min_size=1),
    st.lists(st.sampled_from(["x", "y", "z"]), unique=True),
)
def test_information_is_never_negative_nor_more_than_the_doubt(weights, order):
    """It is the mutual information of the cause and the answer."""
    import math

    whole = sum(weights.values())
    weights = {name: weight / whole for name, weight in weights.items()}
    doubt = -sum(weight * math.log2(weight) for weight in weights.values())
    told = information("x", weights, dict.fromkeys(weights, tuple(order)))
    assert -1e-9 <= told <= doubt + 1e-9


@pytest.mark.parametrize(
    "text", ["", "\x00" * 50, "a" * 100_000, "![screenshot](https://example.org/a.png)\n" * 9]
)
def test_any_text_gets_at_most_one_question(text):
    """It never raises; a picture is said to be unread."""
    found = diagnose_text(text)
    assert found.question is not None
    assert ("pictures" in " ".join(found.next_steps)) == ("![" in text)
