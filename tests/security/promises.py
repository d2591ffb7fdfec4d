"""The promises of SECURITY.md sentence by sentence, and the table of attacks that were tried against each."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("promises.toml")
HEADING = "## What torchdoctor promises"
# A sentence ends at a full stop before a capital, a sign of code or the end: not inside of a file's name or a version.
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`\"])")
_ITEM = re.compile(r"[-*] |\d+\. ")


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What somebody who means harm did, what must come of it, and the test that does it."""

    attack: str
    refusal: str
    test: str


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A sentence of SECURITY.md with the tests that hold it."""

    sentence: str
    attacks: tuple[Attack, ...]
    tests: tuple[str, ...]

    @property
    def all_tests(self) -> tuple[str, ...]:
        """Those of the attacks and the others."""
        return (*self.tests, *(attack.test for attack in self.attacks))


def promises() -> list[Promise]:
    """What `promises.toml` has."""
    return [
        Promise(
            sentence=_one_line(row["sentence"]),
            attacks=tuple(Attack(**attack) for attack in row.get("attacks", ())),
            tests=tuple(row.get("tests", ())),
        )
        for row in tomllib.loads(TABLE.read_text("utf-8"))["promise"]
    ]


def promised_sentences(text: str) -> list[str]:
    """The sentences below the heading: of paragraphs and list items, and each row of a table as one."""
    section = text.partition(f"{HEADING}\n")[2].partition("\n## ")[0]
    found: list[str] = []
    for block in _blocks(section):
        found += [block] if block.startswith("|") else _SENTENCE_END.split(block)
    return found


def _blocks(section: str) -> list[str]:
    """Paragraphs, items and rows, each on one line; subheadings, heads and rules of tables are left out."""
    blocks: list[str] = []
    goes_on = False
    lines = section.splitlines()
    for number, line in enumerate(lines):
        text = _one_line(line)
        is_row = text.startswith("|")
        is_head = is_row and _is_rule(lines[number + 1] if number + 1 < len(lines) else "")
        if not text or text.startswith("#") or _is_rule(text) or is_head:
            goes_on = False
            continue
        if goes_on and not is_row and not _ITEM.match(text):
            blocks[-1] += f" {text}"
        else:
            blocks.append(_ITEM.sub("", text, count=1) if _ITEM.match(text) else text)
        goes_on = not is_row
    return blocks


def _is_rule(line: str) -> bool:
    return bool(re.fullmatch(r"\|[-:| ]+\|", line.strip()))


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of a file's test functions, read and not run; none where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )
