"""The published JSON schemas describe what torchdoctor writes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.docs.test_json import EXAMPLES, SCHEMAS, _schema_name

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
MACHINES = sorted((Path(__file__).parents[1] / "machines").glob("*.json"))


def _schema(name):
    return json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_a_schema_is_valid_and_linked_from_the_page(path):
    """By the rules of its dialect."""
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))
    assert f"schemas/{path.name}" in PAGE.read_text("utf-8")


def test_every_documented_contract_has_a_schema():
    """And the machine and the inventory, which stand in several of them."""
    named = {_schema_name(title) for title in EXAMPLES} | {"machine", "inventory"}
    assert {path.stem for path in SCHEMAS.glob("*.json")} == named


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_of_the_page_is_valid(title):
    """But for its words that stand for what another example shows."""
    errors = jsonschema.Draft202012Validator(_schema(_schema_name(title))).iter_errors(EXAMPLES[title])
    assert [error.message for error in errors if not isinstance(error.instance, str)] == []


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_a_recorded_machine_is_valid(path):
    """The machine that detection makes of every record."""
    jsonschema.validate(json.loads(path.read_text("utf-8"))["machine"], _schema("machine"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"os": "beos"}, "os"),
        ({"python": None}, "python"),
        ({"wsl": "no"}, "wsl"),
        ({"arch": "x86 64"}, "arch"),
    ],
)
def test_a_wrong_machine_is_refused(change, field):
    """By the limits that its reader holds to."""
    machine = json.loads(MACHINES[0].read_text("utf-8"))["machine"]
    with pytest.raises(jsonschema.ValidationError) as raised:
        jsonschema.validate({**machine, **change}, _schema("machine"))
    assert raised.value.absolute_path[0] == field


def test_unknown_is_null_and_never_missing():
    """A key that is documented is always written."""
    machine = json.loads(MACHINES[0].read_text("utf-8"))["machine"]
    jsonschema.validate({**machine, "libc": None, "nvidia": None}, _schema("machine"))
    with pytest.raises(jsonschema.ValidationError, match="'libc' is a required property"):
        jsonschema.validate(
            {key: value for key, value in machine.items() if key != "libc"}, _schema("machine")
        )
