"""Our own JSON in a text: the documents of `--json`, whole or with words around them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.parsers.own.part import FINDING, ID, POSSIBLE, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView, Sequence

__all__ = ["json_documents"]

_BEGIN = re.compile(r'\{\s{0,8}"schema"\s?:\s?1\b')
_MAX_DOCUMENTS = 8
# Each beginning may be read to the end of the text before it turns out to be none.
_MAX_BEGINNINGS = 1000
_READ_IN_VAIN = 1 << 20
# A document has at least one of these; another program's of schema 1 hardly has.
_KEYS = frozenset(
    (
        "torchdoctor",
        "findings",
        "verdict",
        "checks",
        "environments",
        "machine",
        "results",
        "kernels",
        "mirrors",
        "error",
    )
)


# The others have all keys of one of these.
_PAIRS = tuple(
    map(
        frozenset,
        (
            ("seen_as", "explanation"), ("failures",), ("cases",), ("settings", "files"), ("key", "file"),
            ("hold", "environment"), ("links_torch", "requires_python"), ("releases",), ("families", "project"),
            ("recorded", "changes"), ("kernel",), ("removed",), ("parts", "path"), ("distributions", "prefix"),
        ),
    )
)  # fmt: skip


def json_documents(lines: Sequence[str]) -> list[Part]:
    """Return the documents of torchdoctor that begin in a text."""
    text = "\n".join(lines)
    if '"schema"' not in text:
        return []
    parts: list[Part] = []
    line, counted = 0, 0
    for document, start, end in _decoded(text):
        if isinstance(document, dict) and _is_ours(document.keys()):
            first = line + text.count("\n", counted, start)
            line, counted = first + text.count("\n", start, end), end
            parts.append(
                Part(
                    lines=tuple(range(first, line + 1)),
                    findings=tuple(_findings(document)),
                    heads=tuple(_heads(document)),
                    is_check="findings" in document,
                )
            )
            if len(parts) == _MAX_DOCUMENTS:
                break
    return parts


def _decoded(text: str) -> Iterator[tuple[Any, int, int]]:
    """Yield each JSON document with where it begins and ends; what is read in vain is bounded."""
    decoder = json.JSONDecoder()
    position, left = 0, len(text) + _READ_IN_VAIN
    for _ in range(_MAX_BEGINNINGS):
        match = _BEGIN.search(text, position)
        if match is None or left <= 0:
            return
        try:
            document, position = decoder.raw_decode(text, match.start())
        except json.JSONDecodeError as error:
            left -= max(error.pos - match.start(), 1)
            position = match.end()
        except (ValueError, RecursionError):
            # A number or a nesting that nobody writes; how far it was read is not said.
            return
        else:
            left -= position - match.start()
            yield document, match.start(), position


def _is_ours(keys: KeysView[str]) -> bool:
    return bool(keys & _KEYS) or any(pair <= keys for pair in _PAIRS)


def _findings(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, name in (("findings", FINDING), ("possible", POSSIBLE)):
        rows = document.get(key)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and isinstance(row.get("id"), str) and ID.fullmatch(row["id"]):
                evidence = row.get("evidence")
                shown = evidence[0] if isinstance(evidence, list) and evidence else row.get("title")
                yield name, row["id"], str(shown)


def _heads(document: dict[str, Any]) -> Iterator[str]:
    """Yield lines in the form of collect_env for the system, the Python, and the torch of the environment."""
    machine, environment = document.get("machine"), document.get("environment")
    if isinstance(machine, dict):
        python = machine.get("python")
        if isinstance(machine.get("os"), str):
            yield f"OS: {machine['os']} ({machine.get('arch')})"
        if isinstance(python, dict) and isinstance(python.get("version"), str):
            yield f"Python version: {python['version']}"
    if isinstance(environment, dict):
        packages = environment.get("packages")
        named = [row for row in packages if isinstance(row, dict)] if isinstance(packages, list) else []
        torch = environment.get("torch") or next((row for row in named if row.get("name") == "torch"), None)
        value = torch.get("value", torch) if isinstance(torch, dict) else torch
        version = value.get("version") if isinstance(value, dict) else value
        if isinstance(version, str):
            yield f"PyTorch version: {version}"
