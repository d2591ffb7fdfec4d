"""A pasted text of any kind -> evidence: every parser reads all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Evidence
from torchdoctor.diagnose.parsers.collect_env import parse_collect_env
from torchdoctor.diagnose.parsers.derived import derive_observations
from torchdoctor.diagnose.parsers.descriptions import without_diffs
from torchdoctor.diagnose.parsers.environment_hints import parse_environment_hints
from torchdoctor.diagnose.parsers.images import parse_images
from torchdoctor.diagnose.parsers.installer_logs import parse_installer_logs
from torchdoctor.diagnose.parsers.nvidia_smi import parse_nvidia_smi
from torchdoctor.diagnose.parsers.nvidia_smi_query import parse_nvidia_smi_query, without_smi_query
from torchdoctor.diagnose.parsers.own import read_own_output
from torchdoctor.diagnose.parsers.package_lists import parse_package_lists
from torchdoctor.diagnose.parsers.prose import parse_prose
from torchdoctor.diagnose.parsers.shell_session import parse_shell_session
from torchdoctor.diagnose.parsers.speakers import is_documentation, silent, without_other_voices
from torchdoctor.diagnose.text import plain_text

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Observation
    from torchdoctor.diagnose.text import Text

__all__ = ["parse_report"]

# The most trusted first: what a report states, what lists and logs name. What paths and words let guess comes after.
_STATED = (parse_collect_env, parse_nvidia_smi_query, parse_nvidia_smi)
_NAMED = (parse_package_lists, parse_installer_logs)


def parse_report(raw: str, *, printed: bool = False) -> Evidence:
    """Return the facts of a report, log, traceback or post. It never raises; a text without facts gives none.

    A manual or a change log gives no facts: it speaks of no machine. What torchdoctor itself printed is read as data.
    `printed` if programs printed all of the text.
    """
    own = read_own_output(raw)
    described = _facts_of(plain_text(own.heads)) if own.heads else ()
    evidence = Evidence(facts=(*own.facts, *described)).merged_with(_parse_rest(own.rest))
    return replace(evidence, text=replace(evidence.text, printed=True)) if printed else evidence


def _parse_rest(raw: str) -> Evidence:
    whole = plain_text(without_diffs(raw))
    if is_documentation(whole):
        return Evidence(text=silent(whole))
    text = without_smi_query(without_other_voices(whole))
    hints = (*parse_environment_hints(whole), *parse_images(whole), *parse_prose(text))
    return Evidence(facts=(*_facts_of(whole, text), *hints), text=text)


def _facts_of(whole: Text, claimed: Text | None = None) -> tuple[Observation, ...]:
    """Return what is stated of the machine; what a session printed is read where somebody claims it."""
    facts: list[Observation] = [fact for parse in _STATED for fact in parse(whole)]
    facts += parse_shell_session(whole if claimed is None else claimed)
    facts += [fact for parse in _NAMED for fact in parse(whole)]
    return (*facts, *derive_observations(facts))
