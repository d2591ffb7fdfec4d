"""The rules as a whole: one for each failure, told apart, safe, and translatable."""

from __future__ import annotations

import re
import string

import pytest

from torchdoctor.diagnose.placeholders import PLACEHOLDERS
from torchdoctor.diagnose.rules import RULES

IDS = {rule.id for rule in RULES}
HARM = re.compile(
    r"dll-?files|dllme|export KMP_DUPLICATE_LIB_OK|KMP_DUPLICATE_LIB_OK="
    r"|--break-system-packages|kill -9|pkill|killall"
    r"|--trusted-host|chmod 777|rm -rf"
)


def every_step(rule):
    """The steps and the ones that stand in for them."""
    for step in rule.steps:
        row = step
        while row is not None:
            yield row
            row = row.otherwise


def test_ids_are_kebab_case_and_unique():
    """An id is a name that scripts rest on."""
    assert len(IDS) == len(RULES)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in IDS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_a_rule_explains_is_a_failure(rule):
    """A finding absorbs failures that exist, and never itself."""
    assert set(rule.explains) <= IDS - {rule.id}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_step_proposes_harm(rule):
    """No download sites, no forced installs, no ending of other people's processes."""
    for step in every_step(rule):
        assert not HARM.search(step.text + " " + step.command)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_placeholder_is_one_that_can_be_filled(rule):
    """A text names values that the case can give, or that its own patterns capture."""
    templates = [*rule.details, *(text for step in every_step(rule) for text in (step.text, step.command))]
    names = {
        name for text in templates for _, name, _, _ in string.Formatter().parse(text) if name is not None
    }
    assert names <= set(PLACEHOLDERS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_title_and_explanation_stand_by_themselves(rule):
    """They are shown for any case, so they hold no values; and each rule says what to do and how to make sure."""
    assert "{" not in rule.title + rule.explanation + rule.find
    assert rule.steps
    assert rule.find
    assert rule.signs


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_fix_is_there_for_every_system_of_the_failure(rule):
    """Nobody is told of a failure and left without a step."""
    systems = {name for step in rule.steps for name in step.os or ("linux", "windows", "macos")}
    assert set(rule.os or ("linux", "windows", "macos")) <= systems
