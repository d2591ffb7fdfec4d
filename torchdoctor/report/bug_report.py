"""Everything that was seen -> one redacted document, and that document as sections of lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor._version import __version__
from torchdoctor.core.text import sanitize_line
from torchdoctor.inventory.codec import plain
from torchdoctor.report.redact.redact import redact_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from torchdoctor.core.fact import Fact
    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor import CheckUp
    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.report.redact.redact import Identity

__all__ = ["BugReport", "Section", "report_document", "sections_of"]

_LINE = 600
# Lists that have a section of their own, or that the machine's facts repeat.
_APART = ("distributions", "copies", "settings", "variables", "proxies", "certificates", "path")


@dataclass(frozen=True, kw_only=True, slots=True)
class BugReport:
    """What the report is made of.

    Where `problem` says why the environment's interpreter does not run, `check_up` is of torchdoctor's own, and only
    what it says of the machine counts. `settings` are torchdoctor's, as rows of JSON.
    """

    check_up: CheckUp
    findings: Sequence[Finding]
    tags: Fact[str]
    settings: Sequence[Mapping[str, Any]]
    problem: TorchdoctorError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading of ours, and lines that may hold anything."""

    title: str
    lines: tuple[str, ...]


def report_document(reported: BugReport, *, when: datetime, identity: Identity) -> dict[str, Any]:
    """The whole report as JSON, redacted: what `report --format json` writes, and what the other forms show."""
    check_up, problem = reported.check_up, reported.problem
    facts = [{"name": row.name, **plain(row.fact)} for row in check_up.detection.facts]
    document = {
        "schema": 1,
        "torchdoctor": __version__,
        "created": when.isoformat(timespec="seconds"),
        "summary": check_up.detection.summary(),
        "machine": check_up.detection.machine.to_json(),
        "facts": [*facts, {"name": "python.tags", **plain(reported.tags)}],
        "environment": check_up.inventory.to_json() if problem is None else None,
        "environment_error": _error(problem) if problem is not None else None,
        "checks": [row.to_json() for row in check_up.imported or ()],
        "kernels": [row.to_json() for row in check_up.kernels],
        "plan": check_up.plan.to_json() if check_up.plan is not None else None,
        "unfit": check_up.unfit or None,
        "findings": [row.to_json() for row in reported.findings],
        "settings": list(reported.settings),
    }
    redacted: dict[str, Any] = redact_document(plain(document), identity)
    return redacted


def _error(problem: TorchdoctorError) -> dict[str, str]:
    return {"kind": problem.code, "message": problem.message, "fix": problem.fix}


def sections_of(document: dict[str, Any]) -> tuple[Section, ...]:
    """The document for people: the verdict first, the long lists last."""
    environment = document["environment"] or {}
    parts = (
        ("What this is", _head(document)),
        ("Findings", _findings(document["findings"])),
        ("What would fit", _plan(document)),
        ("Environment", _environment(environment, document["environment_error"])),
        ("Packages", _packages(environment)),
        ("Imported", _checks(document["checks"])),
        ("Kernels", _kernels(document["kernels"])),
        ("Machine", _facts(document["facts"])),
        ("Settings", _settings(environment, document["settings"])),
        ("Variables", _variables(environment)),
    )
    made = (Section(title=title, lines=tuple(map(_line, rows))) for title, rows in parts)
    return tuple(row for row in made if row.lines)


def _line(text: str) -> str:
    """On one line, without what a terminal would obey; its indentation stays."""
    return f"{text[: len(text) - len(text.lstrip(' '))]}{sanitize_line(text, limit=_LINE)}"


def _head(document: dict[str, Any]) -> Iterator[str]:
    yield f"torchdoctor {document['torchdoctor']}, {document['created']}"
    yield document["summary"]
    environment = document["environment"]
    if environment is None:
        return
    yield f"environment {environment['prefix']} ({environment['kind']['value']})"
    for name in ("torch", "torchvision", "torchaudio"):
        row = environment[name]["value"]
        if row is not None:
            yield f"{name} {row['version'] or '(version unknown)'}, {row['variant']['value'] or 'variant unknown'}"
    if environment["torch"]["state"] == "absent":
        yield "no torch is installed there"


def _findings(findings: list[dict[str, Any]]) -> Iterator[str]:
    if not findings:
        yield "none"
    for row in findings:
        yield f"{row['severity']} {row['id']}: {row['title']}"
        yield from (f"  seen: {text}" for text in row["evidence"])
        yield f"  why: {row['explanation']}"
        yield from (f"  fix: {text}" for text in row["fix"])


def _plan(document: dict[str, Any]) -> Iterator[str]:
    plan = document["plan"]
    if plan is None:
        yield document["unfit"] or "unknown"
        return
    yield ", ".join(f"{row['name']} {row['version']}" for row in plan["packages"])
    yield from plan["reasons"]
    yield from (f"warning: {text}" for text in plan["warnings"])


def _checks(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield f"{row['id']} on {row['device']}: {row['status']}, {row['detail']}"
        yield from (f"  {line}" for line in row.get("evidence", ()))


def _kernels(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        torch = f"torch {row['torch']}" if row["torch"] else "no torch"
        problem = f", {row['problem']['message']}" if row["problem"] else ""
        yield f"{row['name']}: {row['python'] or row['language'] or 'unknown'}, {torch}{problem} ({row['folder']})"


def _environment(environment: dict[str, Any], error: dict[str, str] | None) -> Iterator[str]:
    if error is not None:
        yield f"{error['message']}; {error['fix']}"
    facts = {name: row for name, row in environment.items() if isinstance(row, dict) and name not in _APART}
    for name, fact in facts.items():
        if fact["state"] != "absent":
            yield from _fact(name, fact)
    yield from _nothing(facts)


def _facts(facts: list[dict[str, Any]]) -> Iterator[str]:
    for fact in facts:
        if fact["state"] != "absent":
            yield from _fact(fact["name"], fact)
    yield from _nothing({fact["name"]: fact for fact in facts})


def _nothing(facts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The absent facts, those of one reason on one line."""
    names: dict[str, list[str]] = {}
    for name, fact in facts.items():
        if fact["state"] == "absent":
            names.setdefault(f"{fact['why'] or 'not there'} ({fact['source']})", []).append(name)
    for reason, rows in names.items():
        yield f"absent, {reason}: {', '.join(rows)}"


def _fact(name: str, fact: dict[str, Any]) -> Iterator[str]:
    value, source = fact["value"], fact["source"]
    if fact["state"] != "found":
        yield f"{name}: {fact['state']}{f', {why}' if (why := fact['why']) else ''} ({source})"
    elif isinstance(value, list) and any(isinstance(row, (dict, list)) for row in value):
        yield f"{name}: {len(value)} ({source})"
        yield from (f"  {_shown(row)}" for row in value)
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
        kept = {key: row for key, row in value.items() if key != "distribution" and row not in (None, [], "")}
        rows = ((key, _shown(row)) for key, row in kept.items())
        return ", ".join(f"{key} {text}" for key, text in rows)
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else str(value)


def _packages(environment: dict[str, Any]) -> Iterator[str]:
    fact = environment.get("distributions") or {}
    for row in fact.get("value") or ():
        notes = [row["installer"], "asked for" if row["requested"] else None, row["build"], row["channel"]]
        notes += [row["installed_at"], row["direct_url"], "editable" if row["editable"] else None]
        yield f"{row['name']} {row['version'] or '?'} ({', '.join(filter(None, notes))})"
        yield from (f"  needs {line}" for line in row["requires"][:40] if row["name"].startswith("torch"))


def _settings(environment: dict[str, Any], own: list[dict[str, Any]]) -> Iterator[str]:
    for row in (environment.get("settings") or {}).get("value") or ():
        yield f"{row['tool']} {row['key']} = {row['value']} ({row['origin']}{'' if row['used'] else ', overridden'})"
    for row in own:
        yield f"torchdoctor {row['key']} = {_shown(row['value'])} ({row['origin']})"


def _variables(environment: dict[str, Any]) -> Iterator[str]:
    for name in ("proxies", "variables"):
        for row in (environment.get(name) or {}).get("value") or ():
            yield f"{row['name']}={row['value']}"
    for row in (environment.get("certificates") or {}).get("value") or ():
        yield f"{row['variable']}={row['path']}{'' if row['there'] else ' (not there)'}"
