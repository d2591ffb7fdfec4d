"""Logs of pip, uv, conda and poetry: the installer, the requirement, the index, and what was replaced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_installer_logs"]

_WHO = (
    (
        "uv",
        re.compile(
            r"\buv (?:pip|sync|add|run|lock|venv|tool)\b|no solution found when resolving|^[ \t]{0,40}\xd7 "
        ),
    ),
    (
        "conda",
        re.compile(
            r"\b(?:conda|mamba|micromamba) (?:install|create|env|update)\b"
            r"|packagesnotfounderror|unsatisfiableerror"
        ),
    ),
    ("poetry", re.compile(r"\bpoetry (?:add|install|lock|update)\b")),
    (
        "pip",
        re.compile(
            r"\bpip3?(?:\.exe)?(?:\d\.\d+)? install\b|looking in indexes:|successfully "
            r"installed|collecting torch|^error: no matching distribution|could not find a "
            r"version that satisfies"
        ),
    ),
)
# What the patterns above want at the start of a line.
_AT_THE_START = ("\xd7 ", "error: no matching distribution")
_INDEX = re.compile(
    r"(?:looking in indexes:|--(?:extra-)?index-url[= ]|--find-links[= ]|-f |-i |indexed at "
    r")\s?(?P<value>https?://\S{4,200})"
)
_FOUND = re.compile(
    r"could not find a version that satisfies the requirement (?P<what>\S{1,80}(?: "
    r"?[<>=!~]=?\s?[\w.+*]{1,30})?).{0,80}?\(from versions:? (?P<list>[^)]{0,4000}?)(?:\)|\berror: no matching|$)"
)
_NONE = re.compile(r"no matching distribution found for (?P<value>\S{1,80})")
_REMOVED = re.compile(
    r"(?:uninstalled torch-|uninstalling torch-|found existing installation: torch )(?P<value>[\w.+]{1,40})"
)
_INSTALLED = re.compile(
    r"(?:successfully installed|installing collected packages).{0,4000}?\btorch-(?P<value>\d[\w.+]{0,40})"
)
_UV_OUT = re.compile(r"^\s{0,6}-\s{1,3}torch==(?P<value>\d[\w.+]{0,40})")
_UV_IN = re.compile(r"^\s{0,6}\+\s{1,3}torch==(?P<value>\d[\w.+]{0,40})")
# `Collecting torch<2.4 (from xformers->-r requirements.txt (line 1))`, `xformers 0.0.27 requires torch==2.3.1`.
_WANTED = re.compile(r"collecting torch(?:[<>=!~][^\s(]{0,60})?\s?\(from (?P<value>[a-z0-9][\w.-]{0,60})")
_WANTED_BY_UV = re.compile(r"\b(?P<value>[a-z][\w.-]{1,60})==\S{1,30} depends on torch[<>=!~]")
_ASKED = re.compile(
    r"\b(?:pip3?|uv pip|poetry|conda|mamba) (?:install|add) (?:-\S{1,30} ){0,"
    r"4}(?P<value>(?!torch)[a-z][\w.-]{1,60})(?:[\s=<>~\[]|$)"
)
# The CUDA that conda was asked for.
_CONDA_CUDA = re.compile(r"\b(?:cudatoolkit|pytorch-cuda)\s?==?\s?(?P<value>\d{1,2}\.\d)")
_PIP = re.compile(r"\bpip(?: version)? (?P<value>\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)\b")

# (a word that the line must have, pattern, fact)
_TABLE = (
    ("http", _INDEX, "index"),
    ("torch", _REMOVED, "torch.removed"),
    ("torch", _INSTALLED, "torch.installed"),
    ("torch==", _UV_OUT, "torch.removed"),
    ("torch==", _UV_IN, "torch.installed"),
    ("no matching distribution", _NONE, "pip.requirement"),
    ("cuda", _CONDA_CUDA, "conda.cuda"),
    ("pip", _PIP, "pip.version"),
    ("(from ", _WANTED, "torch.wanted_by"),
    ("torch", _WANTED_BY_UV, "torch.wanted_by"),
    (" install ", _ASKED, "installed.name"),
)


def parse_installer_logs(text: Text) -> Iterator[Observation]:
    """Yield facts of an installation's log: `installer`, `index`, `pip.*`, `torch.removed`, `torch.installed`."""
    # Most texts have few of the words; patterns without theirs are skipped.
    who = tuple(
        row for row in _WHO if row[1].search(text.lower) or any(word in text.lower for word in _AT_THE_START)
    )
    table = tuple(row for row in _TABLE if row[0] in text.lower)
    for number, line in zip(text.numbers, text.lines, strict=True) if who or table else ():
        lower = line.lower()
        for name, pattern in who:
            if pattern.search(lower):
                yield Observation(name="installer", value=name, source=line, line=number)
        for name, value in _line(lower, table):
            yield Observation(name=name, value=value, source=line, line=number)
    for position in text.find("could not find a version"):
        if match := _FOUND.search(text.lower, position, position + 5000):
            number, line = text.line_at(position)
            yield Observation(name="pip.requirement", value=match["what"], source=line, line=number)
            yield Observation(name="pip.from_versions", value=match["list"].strip(), source=line, line=number)


def _line(line: str, table: tuple[tuple[str, re.Pattern[str], str], ...]) -> Iterator[tuple[str, str]]:
    for word, pattern, name in table:
        if word in line:
            for match in pattern.finditer(line):
                yield name, match["value"].rstrip(".:,;)'\"`")
