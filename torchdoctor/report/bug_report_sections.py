"""The document of a bug report -> sections of lines for people: the verdict first, the long lists last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Section", "report_sections"]

_MAX_LINE_LENGTH = 600
_MAX_REQUIREMENTS = 40
# Lists that have a section of their own, or that the machine's facts repeat.
_LISTED_ELSEWHERE = ("distributions", "copies", "settings", "variables", "proxies", "certificates", "path")


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of a bug report."""

    title: str
    lines: tuple[str, ...]  # they may contain anything but line breaks and control characters
    is_open: bool = False  # whether it is shown without being unfolded


def report_sections(document: dict[str, Any]) -> tuple[Section, ...]:
    """Return the sections of a document of `report_document` that have something to say."""
    environment = document["environment"] or {}
    parts = (
        ("What this is", True, _head(document)),
        ("Findings", True, _findings(document["findings"])),
        ("What would fit", True, _plan(document)),
        ("Environment", False, _environment(environment, document["environment_error"])),
        ("Packages", False, _packages(environment)),
        ("Imported", False, _checks(document["checks"])),
        ("Kernels", False, _kernels(document["kernels"])),
        ("Machine", False, _facts(document["facts"])),
        ("Settings", False, _settings(environment, document["settings"])),
        ("Variables", False, _variables(environment)),
    )
    sections = (
        Section(title=title, lines=tuple(map(_line, lines)), is_open=is_open)
        for title, is_open, lines in parts
    )
    return tuple(section for section in sections if section.lines)


def _line(text: str) -> str:
    """On one line, without what a terminal would obey; its indentation stays."""
    indent = text[: len(text) - len(text.lstrip(" "))]
    line = sanitize_line(text, limit=_MAX_LINE_LENGTH)
    cut = len(sanitize_line(text, limit=_MAX_LINE_LENGTH + 1)) > _MAX_LINE_LENGTH
    return f"{indent}{line} …" if cut else f"{indent}{line}"


def _head(document: dict[str, Any]) -> Iterator[str]:
    yield f"torchdoctor {document['torchdoctor']}, {document['created']}"
    yield document["summary"]
    environment = document["environment"]
    if environment is None:
        return
    yield f"environment {environment['prefix']} ({environment['kind']['value']})"
    for name in ("torch", "torchvision", "torchaudio"):
        package = environment[name]["value"]
        if package is not None:
            version, variant = package["version"], package["variant"]["value"]
            yield f"{name} {version or '(version unknown)'}, {variant or 'variant unknown'}"
    if environment["torch"]["state"] == "absent":
        yield "no torch is installed there"


def _findings(findings: list[dict[str, Any]]) -> Iterator[str]:
    if not findings:
        yield "none"
    for finding in findings:
        yield f"{finding['severity']} {finding['id']}: {finding['title']}"
        yield from (f"  seen: {text}" for text in finding["evidence"])
        yield f"  why: {finding['explanation']}"
        yield from (f"  fix: {text}" for text in finding["fix"])


def _plan(document: dict[str, Any]) -> Iterator[str]:
    plan = document["plan"]
    if plan is None:
        yield document["unfit"] or "unknown"
        return
    yield ", ".join(f"{package['name']} {package['version']}" for package in plan["packages"])
    yield from plan["reasons"]
    yield from (f"warning: {text}" for text in plan["warnings"])


def _checks(checks: list[dict[str, Any]]) -> Iterator[str]:
    for check in checks:
        yield f"{check['id']} on {check['device']}: {check['status']}, {check['detail']}"
        yield from (f"  {line}" for line in check.get("evidence", ()))


def _kernels(kernels: list[dict[str, Any]]) -> Iterator[str]:
    for kernel in kernels:
        torch = f"torch {kernel['torch']}" if kernel["torch"] else "no torch"
        problem = f", {kernel['problem']['message']}" if kernel["problem"] else ""
        python = kernel["python"] or kernel["language"] or "unknown"
        yield f"{kernel['name']}: {python}, {torch}{problem} ({kernel['folder']})"


def _environment(environment: dict[str, Any], error: dict[str, str] | None) -> Iterator[str]:
    if error is not None:
        yield f"{error['message']}; {error['fix']}"
    facts = {
        name: fact
        for name, fact in environment.items()
        if isinstance(fact, dict) and name not in _LISTED_ELSEWHERE
    }
    for name, fact in facts.items():
        if fact["state"] != "absent":
            yield from _fact(name, fact)
    yield from _absent(facts)


def _facts(facts: list[dict[str, Any]]) -> Iterator[str]:
    for fact in facts:
        if fact["state"] != "absent":
            yield from _fact(fact["name"], fact)
    yield from _absent({fact["name"]: fact for fact in facts})


def _absent(facts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The absent facts; those with one reason are on one line."""
    names: dict[str, list[str]] = {}
    for name, fact in facts.items():
        if fact["state"] == "absent":
            names.setdefault(f"{fact['why'] or 'not there'} ({fact['source']})", []).append(name)
    for reason, absent in names.items():
        yield f"absent, {reason}: {', '.join(absent)}"


def _fact(name: str, fact: dict[str, Any]) -> Iterator[str]:
    value, source = fact["value"], fact["source"]
    if fact["state"] != "found":
        reason = f", {fact['why']}" if fact["why"] else ""
        yield f"{name}: {fact['state']}{reason} ({source})"
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        yield f"{name}: {len(value)} ({source})"
        yield from (f"  {_shown(item)}" for item in value)
    elif isinstance(value, list):
        yield f"{name}: {' '.join(map(_shown, value))} ({source})"
    else:
        yield f"{name}: {_shown(value)} ({source})"


def _shown(value: Any) -> str:
    """A value on one line; what is null is left out."""
    if isinstance(value, dict):
        if "state" in value and "source" in value:
            return _shown(value["value"]) if value["state"] == "found" else str(value["state"])
        # The packages have a section of their own.
        items = ((key, item) for key, item in value.items() if key != "distribution")
        return ", ".join(f"{key} {_shown(item)}" for key, item in items if item not in (None, [], ""))
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _packages(environment: dict[str, Any]) -> Iterator[str]:
    fact = environment.get("distributions") or {}
    for package in fact.get("value") or ():
        notes = [package["installer"], "asked for" if package["requested"] else None]
        notes += [package["build"], package["channel"], package["installed_at"], package["direct_url"]]
        notes += ["editable" if package["editable"] else None]
        yield f"{package['name']} {package['version'] or '?'} ({', '.join(filter(None, notes))})"
        if package["name"].startswith("torch"):
            yield from (f"  needs {line}" for line in package["requires"][:_MAX_REQUIREMENTS])


def _settings(environment: dict[str, Any], own: list[dict[str, Any]]) -> Iterator[str]:
    for setting in (environment.get("settings") or {}).get("value") or ():
        overridden = "" if setting["used"] else ", overridden"
        yield f"{setting['tool']} {setting['key']} = {setting['value']} ({setting['origin']}{overridden})"
    for setting in own:
        yield f"torchdoctor {setting['key']} = {_shown(setting['value'])} ({setting['origin']})"


def _variables(environment: dict[str, Any]) -> Iterator[str]:
    for name in ("proxies", "variables"):
        for variable in (environment.get(name) or {}).get("value") or ():
            yield f"{variable['name']}={variable['value']}"
    for certificate in (environment.get("certificates") or {}).get("value") or ():
        missing = "" if certificate["there"] else " (not there)"
        yield f"{certificate['variable']}={certificate['path']}{missing}"
