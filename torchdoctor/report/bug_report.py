"""Everything that was seen -> one redacted document for a bug report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from torchdoctor._version import __version__
from torchdoctor.core.serde import to_json
from torchdoctor.report.redact import redact_document
from torchdoctor.report.redact.patterns import PUBLIC_PROJECTS, STRUCTURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from torchdoctor.core import Fact
    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor import CheckUp
    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.report.redact import Identity

__all__ = ["BugReport", "report_document"]

_MIN_PARTS = 3  # of the path of an environment in a project's folder: /project/.venv


@dataclass(frozen=True, kw_only=True, slots=True)
class BugReport:
    """What a bug report is made of."""

    check_up: CheckUp  # of torchdoctor's own environment where `problem` is set: then only its machine counts
    findings: Sequence[Finding]
    tags: Fact[str]  # the best wheel tag of the interpreter, and how many it has
    settings: Sequence[Mapping[str, Any]]  # torchdoctor's own, as JSON
    problem: TorchdoctorError | None = None  # why the environment's interpreter does not run


def report_document(report: BugReport, *, when: datetime, identity: Identity) -> dict[str, Any]:
    """Return the whole report as JSON, redacted: what `report --format json` writes and the other forms show.

    `when` is the time of its making; what `identity` holds is taken out of every text.
    """
    check_up, problem = report.check_up, report.problem
    facts = [{"name": fact.name, **to_json(fact.fact)} for fact in check_up.detection.facts]
    document = {
        "schema": 1,
        "torchdoctor": __version__,
        "created": when.isoformat(timespec="seconds"),
        "summary": check_up.detection.summary(),
        "machine": check_up.detection.machine.to_json(),
        "facts": [*facts, {"name": "python.tags", **to_json(report.tags)}],
        "environment": check_up.inventory.to_json() if problem is None else None,
        "environment_error": _error(problem) if problem is not None else None,
        "checks": [result.to_json() for result in check_up.imported or ()],
        "kernels": [kernel.to_json() for kernel in check_up.kernels],
        "plan": check_up.plan.to_json() if check_up.plan is not None else None,
        "unfit": check_up.unfit or None,
        "findings": [finding.to_json() for finding in report.findings],
        "settings": list(report.settings),
    }
    identity = replace(identity, projects=(*identity.projects, *_own_projects(check_up)))
    redacted: dict[str, Any] = redact_document(to_json(document), identity)
    return redacted


def _own_projects(check_up: CheckUp) -> Iterator[str]:
    """The names of what the user works on: the folder of the environment, and packages that are installed from folders.

    A package that everybody knows, such as an editable vllm, is no project of the user's.
    """
    prefix = PurePath(check_up.inventory.prefix)
    if prefix.name.lower() in STRUCTURE and len(prefix.parts) > _MIN_PARTS:
        yield prefix.parent.name
    for package in check_up.inventory.distributions.value or ():
        if package.editable and package.name not in PUBLIC_PROJECTS:
            yield package.name


def _error(problem: TorchdoctorError) -> dict[str, str]:
    return {"kind": problem.code, "message": problem.message, "fix": problem.fix}
