"""A paste of any kind becomes a case file: every reader looks at all of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import CaseFile
from torchdoctor.diagnose.parsers.collect_env import read_collect_env
from torchdoctor.diagnose.parsers.derived import read_derived
from torchdoctor.diagnose.parsers.environment_hints import read_surroundings
from torchdoctor.diagnose.parsers.installer_logs import read_installers
from torchdoctor.diagnose.parsers.nvidia_smi import read_nvidia_smi
from torchdoctor.diagnose.parsers.package_lists import read_packages
from torchdoctor.diagnose.parsers.prose import read_told
from torchdoctor.diagnose.parsers.shell_session import read_session
from torchdoctor.diagnose.text import plain_text

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Fact
    from torchdoctor.diagnose.text import Text

__all__ = ["read_paste"]

# The most trusted first: what a report states, what a session printed, what lists and logs name. What paths and
# words let guess comes after all of them.
_READERS = (
    read_collect_env,
    read_nvidia_smi,
    read_session,
    read_packages,
    read_installers,
)


# What a manual says of a case: "If you see X, reinstall" states no X.
_CASE = re.compile(
    r"(?:^|[.!?:;] |\n)\W{0,6}(?:if|in case) (?:instead |later |ever |still )?you (?:instead |ever |still )?"
    r"(?:get|see|encounter|receive|meet|run into|hit|face|are getting)\b"
    r"(?:(?![.!?]\s|\n\W{0,4}(?:traceback|file \"|\w{0,40}error:))[\s\S]){0,300}"
)


def read_paste(raw: str) -> CaseFile:
    """Read a report, log, traceback or post; whatever it is, there is no error, at the worst no fact."""
    text = _without_cases(plain_text(raw))
    facts: list[Fact] = []
    for reader in _READERS:
        facts.extend(reader(text))
    return CaseFile(
        facts=(*facts, *read_derived(facts), *read_surroundings(text), *read_told(text)), text=text
    )


def _without_cases(text: Text) -> Text:
    rows = _CASE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text.rows)
    return replace(text, rows=rows, lower=rows.replace("\n", " ")) if rows != text.rows else text
