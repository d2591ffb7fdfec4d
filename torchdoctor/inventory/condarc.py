"""Reads the part of YAML that conda's files are written in: scalars, lists and mappings of scalars.

A whole YAML reader would be one more dependency for these few keys. What is written in another way (anchors, tags,
texts over several lines) is never guessed at: its value is None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FILE_KEY", "CondarcValue", "parse_condarc"]

CondarcValue = str | list[str] | dict[str, str]

# The key under which a file stands that is not understood at all.
FILE_KEY = "condarc"
_MAX_LINES = 10_000
_MAX_ITEMS = 50  # of a list or a mapping
# `key:` or `key: value` at the left margin; conda's keys are such words.
_KEY = re.compile(r"([A-Za-z_][\w-]*) *:(?: +(.*))?", re.ASCII)
# What would be no plain text: the signs with which YAML begins something else.
_INDICATORS = "-?:,[]{}#&*!|>'\"%@`"
_NOT_PLAIN = re.compile(r":( |$)| #")
_QUOTED = re.compile(r"""'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)\"""")
_COMMENT = re.compile(rf"{_QUOTED.pattern}|(?:^|(?<= ))(#)")
_FLOW_TOKEN = re.compile(rf"{_QUOTED.pattern}|([\[\]{{}}'\"])|(,)|$")
_BRACKET_OR_QUOTE = re.compile(
    rf"{_QUOTED.pattern}|([\[{{])|([\]}}])|(?:^|(?<=[ \[{{,:-]))(['\"])", re.MULTILINE
)
_CLOSING = ("]", "}")
_ESCAPE = re.compile(r"\\(.)")


class _NotUnderstoodError(Exception):
    """The text is not of the part of YAML that is read here."""


def parse_condarc(text: str, keys: Sequence[str]) -> dict[str, CondarcValue | None]:
    """The values of those `keys` that the file sets, in the order of `keys`; None for one that is not understood.

    A file that is not understood as a whole gives None for `FILE_KEY` and nothing else. Empty values are left out.
    """
    try:
        blocks = dict(_blocks(text))
    except _NotUnderstoodError:
        return {FILE_KEY: None}
    values: dict[str, CondarcValue | None] = {}
    for key in keys:
        if key in blocks:
            try:
                value: CondarcValue | None = _value(blocks[key])
            except _NotUnderstoodError:
                value = None
            if value is None or value:
                values[key] = value
    return values


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each key at the left margin with its lines: what follows the colon, then the lines below it."""
    key, block = "", list[str]()
    for line in _lines(text.removeprefix("\ufeff")):
        if line[0] == " " or line in ("-", *_CLOSING) or line.startswith("- "):
            if not key:
                raise _NotUnderstoodError
            block.append(line)
            continue
        if key:
            yield key, block
        match = _KEY.fullmatch(line)
        if match is None:
            raise _NotUnderstoodError
        key, block = match[1], [(match[2] or "").strip()]
    if key:
        yield key, block


def _lines(text: str) -> list[str]:
    """The lines that say something, without comments and the `---` before them."""
    if not all(sign.isprintable() or sign in "\t\r\n" for sign in text):
        raise _NotUnderstoodError
    lines = [_without_comment(line) for line in text.splitlines()[:_MAX_LINES]]
    lines = [line for line in lines if line]
    if any("\t" in line for line in lines):
        raise _NotUnderstoodError
    if lines[:1] == ["---"]:
        lines.pop(0)
    _refuse_open_brackets("\n".join(lines))
    return lines


def _without_comment(line: str) -> str:
    """The line up to a `#` that stands at its beginning or after a space, and in no quotes."""
    comment = next((match for match in _COMMENT.finditer(line) if match[3]), None)
    return (line[: comment.start()] if comment else line).rstrip()


def _refuse_open_brackets(text: str) -> None:
    """A bracket or quote that stays open over the end of a line at the left margin would swallow the next key."""
    depth = 0
    for number, line in enumerate(text.split("\n")):
        if depth and number and line[0] != " " and line not in _CLOSING:
            raise _NotUnderstoodError
        for match in _BRACKET_OR_QUOTE.finditer(line):
            if match[5]:
                raise _NotUnderstoodError
            depth += bool(match[3]) - bool(match[4])
    if depth:
        raise _NotUnderstoodError


def _value(block: list[str]) -> CondarcValue:
    first, below = block[0], block[1:]
    if first.startswith(("[", "{")):
        return _flow(" ".join([first, *below]))
    if first and below:
        raise _NotUnderstoodError
    if not below:
        return _scalar(first)
    return _block_list(below) if below[0].lstrip().startswith("-") else _block_mapping(below)


def _block_list(lines: list[str]) -> list[str]:
    items = []
    for line in _same_level(lines):
        if line != "-" and not line.startswith("- "):
            raise _NotUnderstoodError
        items.append(_scalar(line[1:].strip()))
    return [item for item in items[:_MAX_ITEMS] if item]


def _block_mapping(lines: list[str]) -> dict[str, str]:
    pairs = dict(_pair(line) for line in _same_level(lines))
    return dict(list(pairs.items())[:_MAX_ITEMS])


def _same_level(lines: list[str]) -> Iterator[str]:
    """The lines without their indentation, which must be the same for all."""
    if len({len(line) - len(line.lstrip()) for line in lines}) != 1:
        raise _NotUnderstoodError
    return (line.strip() for line in lines)


def _flow(text: str) -> list[str] | dict[str, str]:
    """`[a, b]` or `{name: value}`, over one line or several."""
    closing = {"[": "]", "{": "}"}[text[0]]
    if not text.endswith(closing) or len(text) < len("[]"):
        raise _NotUnderstoodError
    parts = _split_at_commas(text[1:-1])
    if not parts[-1]:
        parts.pop()  # a comma may follow the last one
    if not all(parts):
        raise _NotUnderstoodError
    if closing == "]":
        return [item for item in map(_scalar, parts[:_MAX_ITEMS]) if item]
    return dict(map(_pair, parts[:_MAX_ITEMS]))


def _split_at_commas(text: str) -> list[str]:
    """At the commas outside quotes; a bracket inside, or a quote inside a word, is not understood."""
    parts, begin = [], 0
    for match in _FLOW_TOKEN.finditer(text):
        before = text[begin : match.start()].strip()
        is_quoted = match[1] is not None or match[2] is not None
        if match[3] or (is_quoted and before and not before.endswith(":")):
            raise _NotUnderstoodError
        if match[4] or not match[0]:
            parts.append(before)
            begin = match.end()
    return parts


def _pair(text: str) -> tuple[str, str]:
    quoted = _QUOTED.match(text)
    name = quoted[0] if quoted else (re.match(r".+?(?= *:(?: |$))", text) or [""])[0]
    match = re.fullmatch(r" *:(?: +(.*))?", text[len(name) :])
    if not name or match is None:
        raise _NotUnderstoodError
    return _scalar(name), _scalar((match[1] or "").strip())


def _scalar(text: str) -> str:
    if text.startswith(("'", '"')):
        match = _QUOTED.fullmatch(text)
        if match is None or any(escape not in '\\"/' for escape in _ESCAPE.findall(match[2] or "")):
            raise _NotUnderstoodError
        return _ESCAPE.sub(r"\1", match[2]) if match[1] is None else match[1].replace("''", "'")
    if text and (text[0] in _INDICATORS or _NOT_PLAIN.search(text)):
        raise _NotUnderstoodError
    return text
