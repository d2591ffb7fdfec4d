"""Possible causes by likeness: behind the rules, never a claim, and nothing for machines that work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import diagnose, diagnose_text
from torchdoctor.diagnose.like_reports import with_like_reports
from torchdoctor.diagnose.likeness_table import HEALTHY, LikenessTable, shipped_table, terms_of
from torchdoctor.diagnose.parsers.parse import parse_report

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parents[1] / "cases"
HEALTHY_TEXTS = [
    (row["text"], name != "further.toml")  # which stays out of the table, to measure it
    for name in ("healthy.toml", "healthy_collected.toml", "healthy_told.toml", "further.toml")
    for row in tomllib.loads((CASES / name).read_text("utf-8"))["report"]
    if not row.get("cause") and row.get("healthy", True)
]
REPORTS = [
    ("the red lamp blinks twice and the fan howls", ["fan"]),
    ("red lamp, the fan howls loudly", ["fan"]),
    ("the blue lamp is dark and the cable smells", ["cable"]),
    ("a cable smells, blue lamp dark", ["cable"]),
    ("all is well and nothing blinks", []),
    ("all well here, nothing to see", []),
]


def test_a_text_is_like_the_reports_that_share_its_rare_words():
    """The most like stands first, with the words in common."""
    found = LikenessTable.of(REPORTS).like("my fan howls when the red lamp comes on")
    assert found[0].failure == "fan"
    assert {"fan howls", "red lamp"} & set(found[0].words)


def test_a_report_does_not_find_itself():
    """Left out, it counts for nothing."""
    table = LikenessTable.of(REPORTS)
    alone = table.like(REPORTS[0][0], without=[REPORTS[0], REPORTS[1]])
    assert "fan" not in [one.failure for one in alone]


def test_the_table_is_the_same_after_it_was_written():
    """The file has everything that a look-up needs."""
    table = LikenessTable.of(REPORTS)
    again = LikenessTable.from_text(table.as_text())
    assert again.like("the fan howls") == table.like("the fan howls")
    assert again.as_text() == table.as_text()


def test_the_table_of_the_package_is_small_and_knows_the_failures():
    """Less than 1 MB, and reports of machines that work are in it too."""
    table = shipped_table()
    assert len(table.as_text()) < 1_000_000
    assert any(name.startswith(HEALTHY) for name in table.sizes)
    assert len(table.sizes) > 100


def test_what_the_rules_do_not_know_is_a_possible_cause_with_its_words():
    """It is no problem, and its evidence says that it is likeness."""
    row = json.loads((CASES / "retold" / "335.json").read_text("utf-8"))
    found = diagnose_text("\n".join(row["evidence"].values()))
    assert found.findings == ()
    added = next(one for one in found.possible if one.id == "nvidia-smi-not-on-path")
    assert "words in common" in added.evidence[0]
    assert added.confidence == "possible"
    assert added.fix == ()


def test_machines_that_work_gain_almost_nothing():
    """Of texts in which nothing fails one in a hundred gets a possible cause by likeness, its own words left out."""
    guessed = []
    for text, in_table in HEALTHY_TEXTS:
        evidence = parse_report(text)
        found = with_like_reports(diagnose(evidence), evidence, str, without=[(text, [])] if in_table else [])
        guessed += [text for one in found.possible if "in common" in one.evidence[0]][:1]
    assert len(HEALTHY_TEXTS) > 100
    assert len(guessed) <= 0.01 * len(HEALTHY_TEXTS)


def test_a_problem_leaves_no_room():
    """Beside a certain or likely finding nothing is guessed."""
    found = diagnose_text("AssertionError: Torch not compiled with CUDA enabled, torch 2.9.1+cpu, RTX 4090")
    assert found.findings
    assert found.possible == ()


@pytest.mark.parametrize(
    ("path", "kept", "gone"),
    [
        ("/home/ada/pythonpath/venv/bin/train.py", "train", "pythonpath"),
        (r"C:\\Users\\ada\\pythonpath\\Lib\\site-packages\\torch\\lib\\c10.dll", "torch", "pythonpath"),
        ("/opt/pythonpath/lib/libcudnn.so.8", "libcudnn", "pythonpath"),
    ],
)
def test_folders_are_no_words(path, kept, gone):
    """What somebody called a folder says nothing of a failure; the file and its package do."""
    terms = terms_of(f'file "{path}", line 8')
    assert kept in terms
    assert gone not in terms


def test_the_system_s_own_files_and_other_slashes_are_words():
    """/dev/kfd is the same on every machine, and "and/or" is no path."""
    assert {"dev", "kfd"} <= terms_of("permission denied: /dev/kfd")
    assert {"cpu", "gpu"} <= terms_of("on the cpu/gpu")


@given(st.text())
def test_terms_of_any_text_are_bounded(text):
    """No term is longer than two words, and none has a tab or an end of line, which part the file."""
    terms = terms_of(text)
    assert all(0 < len(term) <= 49 and not set(term) & set("\t\n") for term in terms)


@given(st.text(alphabet="torch gpu cuda error 不可用 显卡 2.9.1 +cpu .:!"))
def test_no_text_is_more_like_than_a_report_itself(text):
    """Scores are finite and not negative."""
    assert all(0 <= one.score < 10 for one in shipped_table().like(text))
