"""What the code says to people is in the catalogue: an error or a report that no language could say fails here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import torchdoctor
from torchdoctor import errors

CODE = Path(torchdoctor.__file__).parent
ERRORS = {name for name in errors.__all__ if name.isidentifier()}
REPORTS = {"stage", "note", "warn", "detail", "ask", "retry"}
# What is typed is the same in every language.
COMMAND = re.compile(r"(torchdoctor|python|uv|--)[\w -]*")


def _prose(node):
    """Whether it is a text of several words that is written here and is none that can be translated."""
    if isinstance(node, ast.IfExp):
        return _prose(node.body) or _prose(node.orelse)
    if isinstance(node, ast.BinOp):
        return _prose(node.left) or _prose(node.right)
    if isinstance(node, ast.JoinedStr):
        text = "".join(row.value if isinstance(row, ast.Constant) else "\0" for row in node.values)
    else:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return bool(re.search(r"[a-z]{2,} [a-z]{2,}", text)) and not COMMAND.match(text)


def _told(call):
    """The arguments of a call that people read."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    report = isinstance(call.func, ast.Attribute) and name in REPORTS
    if report or name in ERRORS:
        yield from call.args[1:] if name in ("stage", "retry") else call.args[:1]
        yield from (row.value for row in call.keywords if row.arg == "fix")


def test_every_error_and_report_can_be_translated():
    """They are made by `message`, so that `--lang` reaches them."""
    wrong = [
        f"{path.relative_to(CODE)}:{text.lineno}"
        for path in CODE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        for text in _told(call)
        if _prose(text)
    ]
    assert wrong == []
