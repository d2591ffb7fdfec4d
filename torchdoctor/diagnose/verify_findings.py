"""VerifyReport -> findings: what each check that did not pass means, and how to fix it.

The tables package_causes.toml and verify_causes.toml map the codes of checks to causes; the rules of diagnose read the
tracebacks of the rest.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.i18n.messages import transform
from torchdoctor.core.shell_words import quoted
from torchdoctor.core.visible import visible_line
from torchdoctor.diagnose.cause_table import filled_steps, verify_causes
from torchdoctor.diagnose.companion_versions import companions_for
from torchdoctor.diagnose.fix_commands import is_plain_word
from torchdoctor.diagnose.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torchdoctor.diagnose.model import Severity
    from torchdoctor.verify import CheckResult, VerifyReport

    Translate = Callable[[str], str]

__all__ = ["checks_with_known_cause", "findings_from", "messages", "package_cause_ids", "verify_causes"]

_LOCAL = re.compile(r"cpu|xpu|cu\d{2,3}|rocm\d(?:\.\d){1,2}")
# Beyond this many lines a traceback says nothing new.
_MAX_TRACEBACK_LINES = 60
_MAX_EVIDENCE_CHARACTERS = 400
_MAX_EVIDENCE_LINES = 20
# Codes of checks whose sentence is that of an exception.
_RAISED = ("exception", "import-raised")


def findings_from(report: VerifyReport, translate: Translate = str) -> tuple[Finding, ...]:
    """Return the causes of failures and warnings, each once, errors first.

    `translate` turns the table's English into the language of the texts.
    """
    values = _placeholders(report.environment)
    found: dict[str, Finding] = {}
    unknown = []
    explained = False
    for check in report.checks:
        cause = _cause_of(check) if check.status in ("fail", "warn") else None
        if cause is not None:
            finding = _finding(check, cause, values, translate)
            _add(found, finding)
            explained |= finding.severity == "error" and not _is_of_package(check)
        if check.status == "fail" and (cause is None or cause.get("unexplained", False)):
            unknown.append(check)
    # With an error's cause known, the other failures follow from it, and a rule that reads them could only guess.
    if not explained:
        for finding in _findings_in_tracebacks(report.environment, unknown, translate, tuple(found)):
            _add(found, _as_known(found.get(finding.id), finding))
    order = ("error", "warning", "note")
    return tuple(sorted(found.values(), key=lambda finding: order.index(finding.severity)))


def _as_known(known: Finding | None, finding: Finding) -> Finding:
    """What a check only warned of is an error where a traceback follows from it: its own texts, with both evidences."""
    if known is None:
        return finding
    evidence = tuple(dict.fromkeys((*known.evidence, *finding.evidence)))
    return replace(
        known, severity=finding.severity, evidence=evidence[:_MAX_EVIDENCE_LINES], explains=finding.explains
    )


def checks_with_known_cause(report: VerifyReport) -> tuple[CheckResult, ...]:
    """Return the failed checks whose cause is in the table: their tracebacks add nothing.

    A crash or a hang is not among them: only its evidence shows where it happened.
    """
    causes = ((check, _cause_of(check)) for check in report.checks if check.status == "fail")
    return tuple(check for check, cause in causes if cause and not cause["id"].startswith("process-"))


def messages() -> Iterator[str]:
    """Yield every text of the table that is translated; a step of a fix is a sentence, or a command as it is."""
    for cause in verify_causes():
        yield cause["title"]
        yield cause["explanation"]
        yield from (step for step in cause["fix"] if step[:1].isupper())


def _add(found: dict[str, Finding], finding: Finding) -> None:
    """Keep each cause once, with the highest severity of the checks that show it; of packages, with all of them."""
    known = found.get(finding.id)
    if known is None or (known.severity != "error" and finding.severity == "error"):
        found[finding.id] = finding
    elif finding.id in package_cause_ids():
        evidence = tuple(dict.fromkeys((*known.evidence, *finding.evidence)))
        found[finding.id] = replace(
            known,
            evidence=evidence[:_MAX_EVIDENCE_LINES],
            fix=tuple(dict.fromkeys((*known.fix, *finding.fix))),
        )


def _is_of_package(check: CheckResult) -> bool:
    return check.id.startswith(("package:", "operation:"))


@functools.cache
def package_cause_ids() -> frozenset[str]:
    """Return the ids of the causes of packages that could not be imported or proven."""
    return frozenset(
        cause["id"] for cause in verify_causes() if cause["check"].startswith(("package", "operation"))
    )


def _cause_of(check: CheckResult) -> Mapping[str, Any] | None:
    """Return the first row of the tables that fits the check."""
    text = _foreign_text(check)
    for cause in verify_causes():
        if not re.fullmatch(cause["check"], check.id):
            continue
        if check.code in cause.get("codes", ()) or ("text" in cause and re.search(cause["text"], text)):
            return cause
    return None


def _foreign_text(check: CheckResult) -> str:
    """The sentence of an exception is torch's; every other sentence is our own and decides nothing."""
    return "\n".join((*check.evidence, check.detail) if check.code in _RAISED else check.evidence)


def _finding(
    check: CheckResult, cause: Mapping[str, Any], values: Mapping[str, str], translate: Translate
) -> Finding:
    severity: Severity = cause["severity"]
    if check.status == "warn" and severity == "error":
        severity = "warning"
    evidence = message(
        "{check} on {device}: {detail}", check=check.id, device=check.device, detail=check.detail
    )
    return Finding(
        id=cause["id"],
        severity=severity,
        title=translate(cause["title"]),
        evidence=(transform(evidence, lambda text: text[:_MAX_EVIDENCE_CHARACTERS]),),
        explanation=translate(cause["explanation"]),
        fix=tuple(
            filled_steps([translate(step) for step in cause["fix"]], {**values, **_values_of(check, cause)})
        ),
    )


def _values_of(check: CheckResult, cause: Mapping[str, Any]) -> dict[str, str]:
    """Return what a fix can name of one check: itself, its package, and what the row's text captured."""
    match = re.search(cause["text"], _foreign_text(check)) if "text" in cause else None
    values = {
        "check": check.id,
        "package": check.id.partition(":")[2],
        **(match.groupdict() if match else {}),
    }
    # The id of a check may have a colon in it: package:vllm.
    return {name: value for name, value in values.items() if value and is_plain_word(value.replace(":", "-"))}


def _findings_in_tracebacks(
    environment: Mapping[str, Any],
    failed: Sequence[CheckResult],
    translate: Translate,
    known: Sequence[str],
) -> tuple[Finding, ...]:
    """Return what the rules find in the tracebacks of these checks, and which of the causes `known` explain them.

    A cause that a check states is certain, so the rules that claim the same words only from the words step back.
    """
    if not failed:
        return ()
    from torchdoctor.diagnose.engine import diagnose
    from torchdoctor.diagnose.evidence import Evidence, Observation
    from torchdoctor.diagnose.parsers.parse import parse_report

    lines = [f"{name}=={environment[name]}" for name in ("torch", "torchvision") if environment.get(name)]
    for check in failed:
        lines += [*check.evidence[-_MAX_TRACEBACK_LINES:], check.detail]
    stated = Evidence(
        facts=tuple(Observation(name="reported.finding", value=name, source=name) for name in known)
    )
    diagnosis = diagnose(stated.merged_with(parse_report("\n".join(lines), printed=True)), translate)
    return tuple(
        finding
        for finding in diagnosis.findings
        if finding.confidence != "possible" and (finding.id not in known or finding.explains)
    )


def _placeholders(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the values for the table's fixes that are known of this environment, quoted for its shell.

    What is no plain word, or no path that can be printed, is not known: torch and its files may say anything.
    """
    version = str(environment.get("torch") or "")
    variant = str(environment.get("variant") or version.partition("+")[2])
    public = version.partition("+")[0]
    local = variant if _LOCAL.fullmatch(variant) else None
    python, prefix = (_quoted_path(environment.get(name)) for name in ("executable", "prefix"))
    values = {
        "torch": public or None,
        "release": f"{public}+{local}" if public and local else public or None,
        "numpy": environment.get("numpy"),
        **companions_for(public),
        "index": f"https://download.pytorch.org/whl/{local}" if local else None,
    }
    words = {name: str(value) for name, value in values.items() if value}
    plain = {name: value for name, value in words.items() if name == "index" or is_plain_word(value)}
    # PowerShell calls a quoted program by `&`.
    program = f"& {python}" if python and python.startswith("'") and _is_of_windows(python) else python
    return {**plain, **{name: path for name, path in (("python", program), ("prefix", prefix)) if path}}


def _quoted_path(path: object) -> str | None:
    """The path as one word of the shell of its system; None where it holds what cannot be shown as it is."""
    if not isinstance(path, str) or not path or visible_line(path) != path:
        return None
    return quoted(path, windows=_is_of_windows(path))


def _is_of_windows(path: str) -> bool:
    return re.match(r"'?(?:[A-Za-z]:[\\/]|\\\\)", path) is not None
