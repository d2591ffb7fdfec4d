"""What the probe says in English is shown in Chinese, and what a hostile environment sends in its place is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.chinese import english_in
from torchdoctor.core.i18n import set_language, translate
from torchdoctor.probe.message import joined, parts_of, sentence
from torchdoctor.verify.translate import translatable


@pytest.fixture(autouse=True)
def chinese():
    """Each test speaks Chinese, and leaves the program speaking English."""
    set_language("zh")
    yield
    set_language("en")


def test_a_sentence_is_shown_with_its_values():
    """A number keeps the form that the probe gave it."""
    said = sentence("the loss fell from {was:.4f} to {now:.4f} in a step", was=1.25, now=0.5)
    made = translatable(said, parts_of(said))
    assert made == "the loss fell from 1.2500 to 0.5000 in a step"
    assert translate(made) == "一步之后损失从 1.2500 降到 0.5000"


def test_sentences_in_a_list_are_shown_too():
    """Each by itself, with the sign between them."""
    said = joined([sentence("needs two GPUs"), sentence("torch is not installed")], "; ")
    assert translate(translatable(said, parts_of(said))) == "没有两块 GPU\uff1b没有安装 torch"


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        ["{a.__class__}", {"a": "x"}],
        ["torch is not installed"],
        ["no template of ours {x}", {"x": "y"}],
        ["{count} dtypes", {}],
        ["{count} dtypes", {"count": ["{count} dtypes", {"count": 7}]}],
        [" | ", ["a", "b"]],
        ["torch is not installed", {}],
    ],
)
def test_parts_that_do_not_make_the_sentence_leave_it_english(parts):
    """Nothing else than the very sentence comes out, whatever the parts are."""
    assert translate(translatable("11 dtypes", parts)) == "11 dtypes"


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda rows: st.lists(rows) | st.dictionaries(st.text(), rows)
    )
)
def test_no_parts_raise(parts):
    """Any JSON may come."""
    assert translatable("as it was", parts) == "as it was"


@given(st.text(st.characters(exclude_categories=("C",))))
def test_a_value_is_never_a_template(value):
    """Braces in a value stay braces."""
    said = sentence("torch says: {words}", words=value)
    assert translate(translatable(said, parts_of(said))).endswith(value)


def test_verify_speaks_chinese(real, torchdoctor):
    """Every line of a real run, except the names of checks and of what they compare."""
    ran = torchdoctor("--lang", "zh", "verify", str(real.folder), "--quick")
    assert "通过" in ran.out
    assert english_in(ran.out, names=("first layer", "input gradient", "weight gradient")) == []
