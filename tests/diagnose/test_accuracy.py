"""How often the first answer is right over labelled texts, and that nothing is claimed where nothing fails."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

import pytest

from torchdoctor.diagnose import diagnose_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parents[1] / "cases"
RETOLD = [json.loads(path.read_text("utf-8")) for path in sorted((CASES / "retold").glob("*.json"))]
FILES = (CASES / "further.toml", CASES / "gathered.toml", *sorted((CASES / "unread").glob("*.toml")))
FURTHER = [row for path in FILES for row in tomllib.loads(path.read_text("utf-8"))["report"]]
TEXTS = [
    *(("\n".join(row["evidence"].values()), row["cause"], row["source_url"]) for row in RETOLD),
    *((row["text"], row.get("cause", []), row["source"]) for row in FURTHER),
]
# Each text is read once for all tests here.
diagnosed = functools.cache(diagnose_text)
LABELLED = [(text, cause) for text, cause, _ in TEXTS if cause]
diagnosed = functools.cache(diagnose_text)  # each text is asked about several times
QUIET = [pytest.param(text, id=source[-40:]) for text, cause, source in TEXTS if not cause]


def test_at_least_85_in_100_first_answers_are_right():
    """Problems and possible causes count in the order in which they are shown."""
    first = [diagnosed(text).in_order[:1] for text, _ in LABELLED]
    right = sum(
        bool(found) and found[0].id in cause for found, (_, cause) in zip(first, LABELLED, strict=True)
    )
    assert right >= 0.85 * len(LABELLED)


def test_at_least_90_in_100_have_the_cause_among_the_first_three():
    """Problems first, then possible causes."""
    shown = [[one.id for one in diagnosed(text).in_order[:3]] for text, _ in LABELLED]
    right = sum(bool(set(ids) & set(cause)) for ids, (_, cause) in zip(shown, LABELLED, strict=True))
    assert right >= 0.9 * len(LABELLED)


def test_what_is_likely_is_right_in_85_of_100():
    """The first finding, where it is marked as likely."""
    first = [(found[0], cause) for text, cause in LABELLED if (found := diagnosed(text).findings)]
    likely = [found.id in cause for found, cause in first if found.confidence == "likely"]
    assert sum(likely) >= 0.85 * len(likely)


def test_what_is_certain_is_right():
    """No certain finding stands first where something else is the cause."""
    wrong = [
        (found[0].id, cause)
        for text, cause in LABELLED
        if (found := diagnosed(text).findings)
        and found[0].confidence == "certain"
        and found[0].id not in cause
    ]
    assert wrong == []


@pytest.mark.parametrize("text", QUIET)
def test_nothing_is_claimed_where_nothing_of_the_catalogue_fails(text):
    """Manuals, wishes, reports beside other bugs, and failures that no file describes."""
    assert diagnosed(text).findings == ()
