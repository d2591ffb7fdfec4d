"""The page of a failure: what it looks like, why it happens, how to make sure, what to do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.messages import SYSTEMS, WHERE
from torchdoctor.diagnose.placeholders import example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.diagnose.rule import Rule, Step

__all__ = ["list_page", "page_json", "page_of"]


def page_of(rule: Rule, translate: Callable[[str], str] = str) -> str:
    """The page as Markdown, made from the rule alone."""
    lines = [
        f"# {translate(rule.title)}",
        "",
        f"`{rule.id}` · {translate(rule.severity)} · {translate(', ').join(SYSTEMS[name] for name in rule.os)}",
        "",
    ]
    known = _known(rule.id)
    lines += ["## " + translate("What it looks like"), "", "```text", *known["seen_as"], "```", ""]
    lines += ["## " + translate("Why"), "", translate(rule.explanation), ""]
    if rule.find:
        lines += ["## " + translate("How to make sure"), "", translate(rule.find), ""]
    lines += ["## " + translate("What to do"), ""]
    for text, command in _steps(rule, translate):
        lines += [text, ""] if text else []
        lines += ["```sh", command, "```", ""] if command else []
    if rule.explains:
        lines += [
            translate("Often mistaken for: {names}.").format(
                names=translate(", ").join(f"`{name}`" for name in rule.explains)
            ),
            "",
        ]
    if known["threads"]:
        lines += ["## " + translate("Where it was seen"), "", *(f"- <{url}>" for url in known["threads"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def list_page(rules: Sequence[Rule]) -> str:
    """Every failure with a link to its page, from the machine up to the running program."""
    lines = [
        "# Failures",
        "",
        (
            "What `torchdoctor diagnose` and `torchdoctor doctor` tell apart. `torchdoctor "
            "explain ID` prints a page."
        ),
    ]
    layer = None
    for rule in sorted(rules, key=lambda row: (row.layer, row.id)):
        if rule.layer != layer:
            layer = rule.layer
            lines += ["", f"## {layer.name.replace('_', ' ').capitalize()}", ""]
        lines.append(f"- [{rule.id}]({rule.id}.md): {rule.title}")
    lines += ["", "```{toctree}", ":hidden:", ":glob:", "", "*", "```"]
    return "\n".join(lines) + "\n"


def page_json(rule: Rule, translate: Callable[[str], str] = str) -> dict[str, Any]:
    """The page's parts as a document."""
    known = _known(rule.id)
    return {
        "schema": 1,
        "id": rule.id,
        "severity": rule.severity,
        "title": translate(rule.title),
        "os": list(rule.os),
        "seen_as": known["seen_as"],
        "explanation": translate(rule.explanation),
        "check": translate(rule.find),
        "fix": [part for pair in _steps(rule, translate) for part in pair if part],
        "threads": known["threads"],
    }


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, dict[str, Any]]:
    import json
    from importlib.resources import files

    text = (files("torchdoctor.diagnose") / "data" / "failures.json").read_text("utf-8")
    catalogue: dict[str, dict[str, Any]] = json.loads(text)
    return catalogue


def _known(name: str) -> dict[str, Any]:
    return _catalogue().get(name, {"seen_as": [], "threads": []})


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
