"""JSON becomes a dataclass, or an error with the path of the field that is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003  (core.serde reads the types of the fields)
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from torchdoctor.core import Fact  # noqa: TC001  (read as a type when the test runs)
from torchdoctor.core.fact import absent, found
from torchdoctor.core.serde import FieldError, MaxItems, Pattern, WholeNumber, from_json, to_json


@dataclass(frozen=True, kw_only=True)
class Part:
    name: Annotated[str, Pattern("[a-z]+", "abc")]
    size: Annotated[int, WholeNumber(range(1, 10))] | None = None


@dataclass(frozen=True, kw_only=True)
class Whole:
    kind: Literal["one", "two"]
    label: str | None
    parts: Annotated[tuple[Part, ...], MaxItems(2)] = ()
    share: float = 0.5
    on: bool = False
    pair: tuple[str, int] | None = None
    table: Mapping[str, int] = ()
    fact: Fact[int] | None = None
    anything: Any = None


FULL = Whole(
    kind="two",
    label=None,
    parts=(Part(name="a", size=3), Part(name="b")),
    share=2,
    on=True,
    pair=("x", 1),
    table={"k": 1},
    fact=found(5, "here"),
    anything={"free": [1]},
)


def test_what_is_written_is_read_back():
    """Through text and back, nothing is lost."""
    assert from_json(json.loads(json.dumps(to_json(FULL))), Whole) == FULL


def test_fields_keep_their_order_and_unknown_is_null():
    """As in the class."""
    assert list(to_json(FULL)) == list(Whole.__dataclass_fields__)
    assert to_json(absent("here"))["value"] is None


def test_missing_and_null_fields_have_their_defaults():
    """A field of a later version is ignored."""
    document = {"kind": "one", "label": None, "on": None, "parts": None, "later": 7}
    assert from_json(document, Whole) == Whole(kind="one", label=None)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "three"}, 'kind: expected "one" or "two", found \'three\''),
        ({"kind": None}, 'kind: expected "one" or "two", found nothing'),
        ({"label": 5}, "label: expected a text, found 5"),
        ({"parts": {}}, "parts: expected a list, found an object"),
        ({"parts": [{"name": "a"}] * 3}, "parts: expected at most 2 entries, found '3 entries'"),
        ({"parts": [{"name": "a"}, {"name": "A"}]}, "parts[1].name: expected \"abc\", found 'A'"),
        ({"parts": [{}]}, 'parts[0].name: expected "abc", found nothing'),
        (
            {"parts": [{"name": "a", "size": 0}]},
            "parts[0].size: expected a whole number from 1 to 9, found 0",
        ),
        ({"parts": [{"name": "a", "size": True}]}, "parts[0].size: expected a whole number from 1 to 9"),
        ({"share": "1"}, "share: expected a number, found '1'"),
        ({"share": float("nan")}, "share: expected a number, found nan"),
        ({"on": 1}, "on: expected true or false, found 1"),
        ({"pair": ["x"]}, "pair: expected 2 entries, found '1 entries'"),
        ({"pair": ["x", "y"]}, "pair[1]: expected a whole number, found 'y'"),
        ({"table": []}, "table: expected an object, found a list"),
        ({"table": {"k": None}}, "table.k: expected a whole number, found nothing"),
        ({"fact": {"state": "found", "source": "x", "value": "5"}}, "fact.value: expected a whole number"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(change, text):
    """With what belongs there and what was found."""
    with pytest.raises(FieldError) as raised:
        from_json({**to_json(FULL), **change}, Whole)
    assert text in str(raised.value)


def test_a_field_without_default_that_may_be_null_must_be_there():
    """Null is said, not left out."""
    with pytest.raises(FieldError, match="label: expected a value or null, found nothing"):
        from_json({"kind": "one"}, Whole)


@pytest.mark.parametrize("document", [None, [], 5, "text"])
def test_a_document_that_is_no_object_is_named_as_a_whole(document):
    """By the name that its reader gives it, or the path where it stands."""
    with pytest.raises(FieldError, match="the report: expected an object"):
        from_json(document, Whole, whole="the report")
    with pytest.raises(FieldError, match="results: expected an object"):
        from_json(document, Whole, path="results")


def test_bytes_that_are_no_text_become_question_marks():
    """A file name may hold any bytes; JSON may not."""
    assert to_json({"name": "a\udcff", "ü": "ü"}) == {"name": "a?", "ü": "ü"}
