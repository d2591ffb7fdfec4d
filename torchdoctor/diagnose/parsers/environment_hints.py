"""Where a report comes from, by paths, names and words: system, Python, container, WSL, processor, notebook."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation
from torchdoctor.diagnose.parsers.gpu_names import parse_gpu_names
from torchdoctor.diagnose.parsers.pattern_files import environment_hints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.parsers.pattern_files import EnvironmentHint
    from torchdoctor.diagnose.text import Text

__all__ = ["parse_environment_hints"]

_OFFERS = re.compile(
    r"following\splatforms?:[\s`\w.,-]{0,600}|following\spython\s\w{1,20}\stags?:[\s`\w.,-]{0,400}"
    r"|\S{1,200}\.whl(?=\sis\snot\sa\ssupported\swheel)"
    # Environment markers: they say for which machines a line is.
    r"|\b(?:platform_machine|sys_platform|platform_system|os_name)\s{0,2}[!=]=\s{0,2}['\"][\w ]{1,20}['\"]"
)
_DRIVER = re.compile(
    r"\bdrivers?(?: version| ver\.?)?(?: is| are|:|=)? ?v?(?P<v>[2-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b"
    r"|驱动(?:版本)?(?:是|为|:|\uff1a)? ?(?P<w>[2-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b"
    # The branch alone, and what a post answers to "what does nvidia-smi say".
    r"|\bdrivers?(?: version| branch)?(?: is|:)?[ -]v?(?P<b>[2-6]\d{2})\b(?!\.?\d)"
    r"|\bdrivers? (?:are|is|were|was)\b[^.\n\d]{2,60}"
    r"\bversion (?P<c>[3-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b"
    r"|\bnvidia-smi\b[^\d|]{0,12}(?P<s>[2-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b",
    re.ASCII,
)
_WANTED = re.compile(
    r"need|requir|at least|minimum|newer|older|or later|updat|upgrad|install|tried|>=|需要|至少|以上|升级|更新"
)
# The build's part of a version, where a post leaves the number out: torch is there with +rocm6.2.
_TAG = re.compile(
    r"\btorch\b[^.\n]{0,40}\b(?:install(?:ed|s)|have|has|got|is|are|shows?|with)\b[^.\n]{0,24}"
    r"[ '\"(`]\+(?P<tag>cpu|cu\d{2,3}|rocm\d[\d.]{0,6}\d|xpu)\b"
)
_MAX_MATCHES = 20
_DISK = re.compile(
    r"^[\s>|]{0,8}\S{1,80}\s{1,40}[\d.]{1,8}[KMGT]?i?\s{1,20}[\d.]{1,8}[KMGT]?i?\s{1,"
    r"20}[\d.]{1,8}[KMGT]?i?\s{1,20}"
    r"(?P<used>\d{1,3})%\s{1,20}(?P<place>/\S{0,80})"
)
_VERSIONS = (
    re.compile(
        r"\bc?python[ -]?(?:version)?(?: is)?[ :=]{0,3}v?(?P<v>\d\.\d{1,2}(?:\.\d{1,2})?t?)\b(?![\w.]*torch)"
    ),
    re.compile(r"\buv [a-z][\w ./-]{0,60}(?:-p|--python)[ =](?P<v>3\.\d{1,2}(?:\.\d{1,2})?t?)\b"),
    re.compile(r"\bcp(?P<c>3\d{1,2}t?)-(?:cp|abi|none)"),
    re.compile(r"cpython-(?P<c>3\d{1,2}t?)-"),
    re.compile(r"python(?P<c>3\d{1,2})[\\/](?:lib|site|scripts|python)"),
    re.compile(r"\bpy(?P<c>3\d{1,2})\b"),
)


_hints = functools.cache(environment_hints)
# How much of the text around a needle a regular expression sees.
_BEFORE_CHARACTERS, _AFTER_CHARACTERS = 60, 80


def parse_environment_hints(text: Text) -> Iterator[Observation]:
    """Yield facts that paths and words imply; they are less trusted than what a report states."""
    text = _without_offers(text)
    for hint in _hints():
        position = _first(text, hint)
        if position is not None:
            number, line = text.line_at(position)
            yield Observation(name=hint.fact, value=hint.value, source=line, line=number)
    yield from _python(text)
    yield from _disks(text)
    yield from parse_gpu_names(text)
    yield from _drivers(text)
    for match in _TAG.finditer(text.rows):
        number, line = text.line_at(match.start("tag"))
        yield Observation(name="torch.build", value=match["tag"], source=line, line=number)


def _first(text: Text, hint: EnvironmentHint) -> int | None:
    for needle in hint.needles:
        for position in text.find(needle):
            # In ASCII: a Chinese character beside a word is no part of it.
            if hint.regex is None or re.compile(hint.regex, re.ASCII).search(
                text.lower, max(position - _BEFORE_CHARACTERS, 0), position + _AFTER_CHARACTERS
            ):
                return position
    return None


def _without_offers(text: Text) -> Text:
    # An installer lists the systems and Pythons that have wheels: none of them is the one of this report.
    lower = _OFFERS.sub(lambda match: " " * len(match[0]), text.rows)
    return replace(text, lower=lower.replace("\n", " "))


def _drivers(text: Text) -> Iterator[Observation]:
    """The NVIDIA driver's version if a sentence states it, and not as one that something requires."""
    for match in _DRIVER.finditer(text.lower):
        # In the same sentence.
        before = re.split(r"[.!?\n]", text.rows[max(match.start() - 40, 0) : match.start()])[-1]
        if not _WANTED.search(before):
            number, line = text.line_at(match.start())
            yield Observation(
                name="nvidia.driver", value=next(filter(None, match.groups())), source=line, line=number
            )


def _disks(text: Text) -> Iterator[Observation]:
    """Rows of `df -h`: the share in use, in percent, and the mount point."""
    for number, line in zip(text.numbers, text.lines, strict=True):
        if "%" in line and (match := _DISK.match(line)):
            yield Observation(
                name="disk.used", value=f"{match['used']} {match['place']}", source=line, line=number
            )


def _python(text: Text) -> Iterator[Observation]:
    for pattern in _VERSIONS:
        for count, match in enumerate(pattern.finditer(text.lower)):
            if count > _MAX_MATCHES:
                break
            named = match.groupdict()
            digits = named.get("c")
            version = f"{digits[0]}.{digits[1:]}" if digits else named["v"]
            number, line = text.line_at(match.start())
            yield Observation(name="python.version", value=version, source=line, line=number)
