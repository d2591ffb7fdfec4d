"""A pasted text of any kind -> evidence: every parser reads all of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Evidence
from torchdoctor.diagnose.parsers.collect_env import parse_collect_env
from torchdoctor.diagnose.parsers.derived import derive_observations
from torchdoctor.diagnose.parsers.environment_hints import parse_environment_hints
from torchdoctor.diagnose.parsers.installer_logs import parse_installer_logs
from torchdoctor.diagnose.parsers.nvidia_smi import parse_nvidia_smi
from torchdoctor.diagnose.parsers.package_lists import parse_package_lists
from torchdoctor.diagnose.parsers.prose import parse_prose
from torchdoctor.diagnose.parsers.shell_session import parse_shell_session
from torchdoctor.diagnose.text import plain_text

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Observation
    from torchdoctor.diagnose.text import Text

__all__ = ["parse_report"]

# The most trusted first: what a report states, what a session printed, what lists and logs name. What paths and
# words let guess comes after all of them.
_PARSERS = (
    parse_collect_env,
    parse_nvidia_smi,
    parse_shell_session,
    parse_package_lists,
    parse_installer_logs,
)


# What a manual says of a case: "If you see X, reinstall" states no X.
_CASE = re.compile(
    r"(?:^|[.!?:;] |\n)\W{0,6}(?:if|in case) (?:instead |later |ever |still )?you (?:instead |ever |still )?"
    r"(?:get|see|encounter|receive|meet|run into|hit|face|are getting)\b"
    r"(?:(?![.!?]\s|\n\W{0,4}(?:traceback|file \"|\w{0,40}error:))[\s\S]){0,300}"
)


def parse_report(raw: str) -> Evidence:
    """Return the facts of a report, log, traceback or post. It never raises; a text without facts gives none."""
    text = _without_cases(plain_text(raw))
    facts: list[Observation] = []
    for parse in _PARSERS:
        facts.extend(parse(text))
    return Evidence(
        facts=(*facts, *derive_observations(facts), *parse_environment_hints(text), *parse_prose(text)),
        text=text,
    )


def _without_cases(text: Text) -> Text:
    rows = _CASE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text.rows)
    return replace(text, rows=rows, lower=rows.replace("\n", " ")) if rows != text.rows else text
