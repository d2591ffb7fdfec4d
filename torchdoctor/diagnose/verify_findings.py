"""VerifyReport -> Findings: what each check that did not pass means, and what to do about it.

The table verify_causes.toml knows what the checks themselves say; the rules read the tracebacks.
"""

from __future__ import annotations

import functools
import re
import shlex
from importlib import resources
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message, transform
from torchdoctor.diagnose.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torchdoctor.diagnose.model import Severity
    from torchdoctor.verify import CheckResult, VerifyReport

    Translate = Callable[[str], str]

__all__ = ["checks_with_known_cause", "findings_from", "messages"]

# Beyond this many lines a traceback says the same again.
_LINES = 60
_SHOWN = 400


def findings_from(report: VerifyReport, translate: Translate = str) -> tuple[Finding, ...]:
    """The causes of what failed or was warned of, errors first, each once; `translate` gives the texts' language."""
    troubled = [check for check in report.checks if check.status in ("fail", "warn")]
    found: dict[str, Finding] = {}
    unknown = []
    values = _values(report.environment)
    for check in troubled:
        finding = _known(check, values, translate)
        if finding is not None:
            _take(found, finding)
        elif check.status == "fail":
            unknown.append(check)
    # With a cause in hand the other failures follow from it, and a rule that reads them could only guess.
    if not any(finding.severity == "error" for finding in found.values()):
        for finding in _read(report.environment, unknown, translate):
            _take(found, finding)
    return tuple(sorted(found.values(), key=lambda row: ("error", "warning", "note").index(row.severity)))


def messages() -> Iterator[str]:
    """Every text of the table that is to be translated; a step of one is a sentence, or a command as it stands."""
    for row in _causes():
        yield row["title"]
        yield row["explanation"]
        yield from (step for step in row["fix"] if step[:1].isupper())


def _take(found: dict[str, Finding], finding: Finding) -> None:
    """Each cause once, as grave as the gravest check that shows it."""
    known = found.get(finding.id)
    if known is None or (known.severity != "error" and finding.severity == "error"):
        found[finding.id] = finding


def checks_with_known_cause(report: VerifyReport) -> tuple[CheckResult, ...]:
    """The checks whose cause the table knows from what they say: their tracebacks tell no more.

    A crash or a hang is not among them: where it happened stands in its evidence alone.
    """
    values = _values(report.environment)
    found = ((check, _known(check, values)) for check in report.checks if check.status == "fail")
    return tuple(check for check, cause in found if cause and not cause.id.startswith("process-"))


def _known(check: CheckResult, values: Mapping[str, str], translate: Translate = str) -> Finding | None:
    whole = "\n".join((check.detail, *check.evidence))
    for row in _causes():
        if not re.fullmatch(row["check"], check.id) or not re.search(row["seen"], whole):
            continue
        severity: Severity = (
            "warning" if check.status == "warn" and row["severity"] == "error" else row["severity"]
        )
        title, explanation = row["title"], row["explanation"]
        return Finding(
            id=row["id"],
            severity=severity,
            title=translate(title),
            evidence=(
                transform(
                    message(
                        "{check} on {device}: {detail}",
                        check=check.id,
                        device=check.device,
                        detail=check.detail,
                    ),
                    lambda text: text[:_SHOWN],
                ),
            ),
            explanation=translate(explanation),
            fix=tuple(_filled([translate(step) for step in row["fix"]], values)),
        )
    return None


def _read(
    environment: Mapping[str, Any], failed: Sequence[CheckResult], translate: Translate
) -> tuple[Finding, ...]:
    """What the rules make of the tracebacks."""
    if not failed:
        return ()
    from torchdoctor.diagnose.engine import diagnose_text

    lines = [f"{name}=={environment[name]}" for name in ("torch", "torchvision") if environment.get(name)]
    for check in failed:
        lines += [*check.evidence[-_LINES:], check.detail]
    found = diagnose_text("\n".join(lines), translate)
    return tuple(row for row in found.findings if row.confidence != "possible")


def _filled(steps: Sequence[str], values: Mapping[str, str]) -> Iterator[str]:
    for step in steps:
        needed = set(re.findall(r"\{(\w+)\}", step))
        if needed <= set(values):
            yield step.format_map(values)


def _values(environment: Mapping[str, Any]) -> dict[str, str]:
    version = str(environment.get("torch") or "")
    variant = environment.get("variant") or (version.partition("+")[2] or None)
    values = {
        "python": environment.get("executable"),
        "prefix": environment.get("prefix"),
        "torch": version.partition("+")[0] or None,
        "index": f"https://download.pytorch.org/whl/{variant}" if variant else None,
    }
    return {name: shlex.quote(str(value)) for name, value in values.items() if value}


@functools.cache
def _causes() -> tuple[dict[str, Any], ...]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = resources.files("torchdoctor.diagnose").joinpath("verify_causes.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["cause"])
