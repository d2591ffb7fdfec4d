"""The page of a failure: what it looks like, why it happens, how to make sure, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.diagnosis.advice import example
from torchdoctor.diagnosis.texts import SYSTEMS, WHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.diagnosis.rule import Rule, Step

__all__ = ["page_json", "page_of"]


def page_of(rule: Rule, translate: Callable[[str], str] = str) -> str:
    """The page as Markdown, made from the rule alone."""
    lines = [
        f"# {translate(rule.title)}",
        "",
        f"`{rule.id}` · {rule.severity} · {', '.join(SYSTEMS[name] for name in rule.os)}",
        "",
    ]
    if rule.seen_as:
        lines += [f"## {translate('What it looks like')}", "", "```text", *rule.seen_as, "```", ""]
    lines += [f"## {translate('Why')}", "", translate(rule.explanation), ""]
    if rule.find:
        lines += [f"## {translate('How to make sure')}", "", translate(rule.find), ""]
    lines += [f"## {translate('What to do')}", ""]
    for text, command in _steps(rule, translate):
        lines += [text, ""] if text else []
        lines += ["```sh", command, "```", ""] if command else []
    if rule.explains:
        lines += [
            f"{translate('What follows from it:')} {', '.join(f'`{name}`' for name in rule.explains)}.",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def page_json(rule: Rule, translate: Callable[[str], str] = str) -> dict[str, Any]:
    """The page's parts as a document."""
    return {
        "schema": 1,
        "id": rule.id,
        "severity": rule.severity,
        "title": translate(rule.title),
        "os": list(rule.os),
        "seen_as": list(rule.seen_as),
        "explanation": translate(rule.explanation),
        "check": translate(rule.find),
        "fix": [part for pair in _steps(rule, translate) for part in pair if part],
    }


def _steps(rule: Rule, translate: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    for step in rule.steps:
        row: Step = step
        # A page knows no machine: the last resort of a step needs none either.
        while row.otherwise is not None:
            row = row.otherwise
        text = example(translate(row.text))
        if row.where in WHERE:
            text = f"{translate(WHERE[row.where])} {text}".rstrip()
        yield text, example(row.command)
