"""Our own JSON in a text: each document is found, and what only looks like one costs little."""

from __future__ import annotations

import json

import pytest

from torchdoctor.diagnose.parsers.own import documents
from torchdoctor.diagnose.parsers.own.documents import json_documents

DOCUMENT = '{"schema": 1, "findings": [{"id": "driver-too-old", "title": "t"}]}'


def test_documents_are_found_where_they_stand():
    """After prose, over several lines, and after one that is no document of ours."""
    spread = json.dumps(json.loads(DOCUMENT), indent=1).splitlines()
    lines = ["my report:", DOCUMENT, '{"schema": 1, "other": 2}', "and", *spread, "bye"]
    first, second = json_documents(lines)
    assert (first.lines, second.lines) == ((1,), tuple(range(4, 4 + len(spread))))
    assert [finding[1] for finding in (*first.findings, *second.findings)] == ["driver-too-old"] * 2


def test_a_document_inside_another_programs_document_is_not_read_twice():
    """The search goes on where the outer one ends."""
    outer = '{"schema": 1, "other": {"schema": 1, "findings": []}}'
    (found,) = json_documents([outer, DOCUMENT])
    assert found.lines == (1,)


@pytest.mark.parametrize(
    "beginning", ['{"schema": 1, "x": "', '{"schema": 1, "x": [', '{"schema": 1, ', '{"schema": 1}\n']
)
def test_beginnings_without_an_end_are_not_each_read_to_the_end(beginning, monkeypatch):
    """The text would be read as many times as it is long."""
    text, read = beginning * 4000, []

    class Counting(json.JSONDecoder):
        def raw_decode(self, text, start=0):
            try:
                document, end = super().raw_decode(text, start)
            except json.JSONDecodeError as error:
                read.append(error.pos - start)
                raise
            read.append(end - start)
            return document, end

    monkeypatch.setattr(documents.json, "JSONDecoder", Counting)
    monkeypatch.setattr(documents, "_READ_IN_VAIN", 1000)
    json_documents(text.split("\n"))
    assert sum(read) <= 2 * len(text) + 1000
