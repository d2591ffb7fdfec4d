"""The failures as a whole: each with a way out, told apart, safe, translatable, and right about its own cases."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from torchdoctor.diagnose import Evidence, Observation, all_failures, diagnose, diagnose_text, live_failures
from torchdoctor.diagnose.compiled_data import parse_toml
from torchdoctor.diagnose.placeholders import PLACEHOLDERS
from torchdoctor.diagnose.predicates import PREDICATES

FOLDER = Path(__file__).parents[2] / "torchdoctor" / "diagnose" / "failures"
FILES = {path.stem: parse_toml(path) for path in sorted(FOLDER.glob("*/*.toml"))}
SCHEMA = Draft202012Validator(json.loads((FOLDER / "failure.schema.json").read_text("utf-8")))
FAILURES = all_failures()
IDS = {failure.id for failure in FAILURES}
HARM = re.compile(
    r"dll-?files|dllme|export KMP_DUPLICATE_LIB_OK|KMP_DUPLICATE_LIB_OK="
    r"|--break-system-packages|kill -9|pkill|killall"
    r"|--trusted-host|chmod 777|rm -rf"
)
CASES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, failure in FILES.items()
    for number, case in enumerate(failure["case"], 1)
]
each_failure = pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.id)


def diagnosed(case):
    """The diagnosis of a case: of a text, or of facts of a live machine."""
    if "text" in case:
        return diagnose_text(case["text"])
    facts = (
        Observation(name=name, value=value, source=f"{name}: {value}")
        for name, value in case["facts"].items()
    )
    return diagnose(Evidence(facts=tuple(facts)), failures=live_failures())


def every_step(failure):
    """The steps and those that are shown instead of them."""
    for fix in failure.fixes:
        step = fix
        while step is not None:
            yield step
            step = step.fallback


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_case_of_a_failure_file_is_judged_as_the_file_says(name, case):
    """The failure is the first finding of a case that shows it, and is not found at all where it must be absent."""
    # What only has words in common with reports of a failure is no judgement, and has no fix.
    findings = [finding for finding in diagnosed(case).in_order if finding.fix]
    if case.get("expect") == "absent":
        assert name not in {found for finding in findings for found in (finding.id, *finding.explains)}
    else:
        assert [finding.id for finding in findings[:1]] == [name]


@pytest.mark.parametrize("name", FILES)
def test_a_failure_file_follows_the_published_schema(name):
    """An editor that completes from the schema agrees with the loader."""
    assert [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors(FILES[name])] == []


def test_every_file_is_a_failure_with_a_name_of_its_own():
    """An id is kebab-case, since scripts rest on it."""
    assert set(FILES) == IDS
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in IDS)


def test_every_predicate_and_shared_sign_is_used_by_a_file():
    """What no failure needs any more goes."""
    text = "\n".join(path.read_text("utf-8") for path in FOLDER.rglob("*.toml"))
    shared = parse_toml(FOLDER / "_shared.toml")
    assert {name for name in PREDICATES if f'predicate = "{name}"' not in text} == set()
    assert {name for name in shared if f'"{name}"' not in text} == set()


@each_failure
def test_no_step_proposes_harm(failure):
    """No download sites, no forced installs, no ending of other people's processes."""
    for step in every_step(failure):
        assert not HARM.search(step.text + " " + step.command)


@each_failure
def test_every_placeholder_is_one_that_can_be_filled(failure):
    """A text names values that the evidence can give."""
    steps = (text for step in every_step(failure) for text in (step.text, step.command))
    templates = [*failure.details, *steps]
    names = {
        name for text in templates for _, name, _, _ in string.Formatter().parse(text) if name is not None
    }
    assert names <= set(PLACEHOLDERS)


@each_failure
def test_title_and_explanation_stand_by_themselves(failure):
    """They are shown for any machine, so they hold no values."""
    assert "{" not in failure.title + failure.explanation + failure.confirm


@each_failure
def test_a_fix_is_there_for_every_system_of_the_failure(failure):
    """Nobody is told of a failure and left without a step."""
    systems = {name for fix in failure.fixes for name in fix.os or ("linux", "windows", "macos")}
    assert set(failure.os) <= systems
