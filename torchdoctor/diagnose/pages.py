"""The page of a failure: what it looks like, why it happens, how to make sure, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.messages import SYSTEMS, WHO
from torchdoctor.diagnose.placeholders import example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.diagnose.failure import Failure, FixStep

__all__ = ["list_page", "page_json", "page_of"]


def page_of(failure: Failure, translate: Callable[[str], str] = str) -> str:
    """Return the page as Markdown; `translate` gives the language of its texts."""
    systems = translate(", ").join(SYSTEMS[name] for name in failure.os)
    frequency = [translate(failure.frequency)] if failure.frequency else []
    lines = [
        f"# {translate(failure.title)}",
        "",
        " · ".join((f"`{failure.id}`", translate(failure.severity), systems, *frequency)),
        "",
    ]
    if failure.seen_as:
        lines += ["## " + translate("What it looks like"), "", "```text", *failure.seen_as, "```", ""]
    lines += ["## " + translate("Why"), "", translate(failure.explanation), ""]
    lines += ["## " + translate("How to make sure"), "", translate(failure.confirm), ""]
    lines += ["## " + translate("What to do"), ""]
    for text, command in _steps(failure, translate):
        lines += [text, ""] if text else []
        lines += ["```sh", command, "```", ""] if command else []
    if failure.masks:
        lines += [
            translate("Often mistaken for: {names}.").format(
                names=translate(", ").join(f"`{name}`" for name in failure.masks)
            ),
            "",
        ]
    if failure.threads:
        lines += ["## " + translate("Where it was seen"), "", *(f"- <{url}>" for url in failure.threads), ""]
    return "\n".join(lines).rstrip() + "\n"


def list_page(failures: Sequence[Failure]) -> str:
    """Return the list of every failure with a link to its page, from the machine up to the running program."""
    lines = [
        "# Failures",
        "",
        (
            "What `torchdoctor diagnose` and `torchdoctor doctor` tell apart. `torchdoctor "
            "explain ID` prints a page."
        ),
    ]
    layer = None
    for failure in sorted(failures, key=lambda failure: (failure.layer, failure.id)):
        if failure.layer != layer:
            layer = failure.layer
            lines += ["", f"## {layer.name.replace('_', ' ').capitalize()}", ""]
        lines.append(f"- [{failure.id}]({failure.id}.md): {failure.title}")
    lines += ["", "```{toctree}", ":hidden:", ":glob:", "", "*", "```"]
    return "\n".join(lines) + "\n"


def page_json(failure: Failure, translate: Callable[[str], str] = str) -> dict[str, Any]:
    """Return the parts of the page as the document of `explain --json`."""
    return {
        "schema": 1,
        "id": failure.id,
        "severity": failure.severity,
        "title": translate(failure.title),
        "os": list(failure.os),
        "seen_as": list(failure.seen_as),
        "explanation": translate(failure.explanation),
        "check": translate(failure.confirm),
        "fix": [part for pair in _steps(failure, translate) for part in pair if part],
        "threads": list(failure.threads),
    }


def _steps(failure: Failure, translate: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    for fix in failure.fixes:
        step: FixStep = fix
        # A page knows no machine, and the last fallback of a step needs none.
        while step.fallback is not None:
            step = step.fallback
        text = example(translate(step.text))
        if step.who in WHO:
            text = f"{translate(WHO[step.who])} {text}".rstrip()
        yield text, example(step.command)
