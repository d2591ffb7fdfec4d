"""The environment's pip.conf: two settings of `pip install` name the hold, beside what the user has there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.install.hold.blocks import insert_block, newline_of, remove_blocks
from torchdoctor.install.hold.model import HOLD_FILE
from torchdoctor.inventory.pip_settings import parse_pip_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["KEYS", "hold_pip_conf", "release_pip_conf"]

# From pip 26 on only `build-constraint` reaches build environments; a pip that does not know it passes over it.
# https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-build-constraint
KEYS = ("constraint", "build-constraint")
# Of one key the value of the environment's file replaces the user's, and that of a command the one of `[global]`.
# https://pip.pypa.io/en/stable/topics/configuration/#precedence-override-order
_SECTION = "install"
_HEADER = re.compile(r"^\[(?P<name>[^\]\n]+)\].*(?:\n|\Z)", re.MULTILINE)
_OURS = re.compile(rf"(?<!\S)file:\S*/{re.escape(HOLD_FILE)}(?!\S)")


def hold_pip_conf(text: str, url: str, inherited: Mapping[str, Sequence[str]]) -> str | None:
    """Return the file with `url` as a further constraint of `pip install`; None where pip would not read it so.

    `inherited` are the values that other files or sections give each key: ours replaces them, so it repeats them.
    Raises `ChangedBlock` where somebody changed what an earlier hold put there.
    """
    text = release_pip_conf(text)
    section, missing = _section(text), []
    for key in KEYS:
        end = _end_of_value(text, section, key) if section is not None else None
        if end is None:
            missing += [f"{key} =", *(f"    {value}" for value in (*inherited.get(key, ()), url))]
        else:
            text = insert_block(text, end, [f"    {url}"])
            section = _section(text)
    if missing:
        header = [] if section is not None else [f"[{_SECTION}]"]
        text = insert_block(text, section[0] if section is not None else len(text), header + missing)
    return text if all(url in _values(text, key) for key in KEYS) else None


def release_pip_conf(text: str) -> str:
    """Return the file as it was before; raises `ChangedBlock` where somebody changed what a hold put there.

    `pip config` writes the file anew without comments; then the values that name a hold are taken out.
    """
    return _without_values(remove_blocks(text, keep=_header_in_use))


def _header_in_use(lines: list[str], after: str) -> str:
    """Return our section header where somebody has added settings to the section behind the block."""
    rest = next((line for line in after.splitlines() if line.strip() and line[0] not in "#;"), "[")
    return f"[{_SECTION}]{newline_of(after)}" if lines[0] == f"[{_SECTION}]" and rest[0] != "[" else ""


def _section(text: str) -> tuple[int, int] | None:
    """Return where the body of `[install]` begins and ends; None where the file has no such section."""
    headers = list(_HEADER.finditer(text))
    for number, header in enumerate(headers):
        if header["name"] == _SECTION:
            following = headers[number + 1 :]
            return header.end(), following[0].start() if following else len(text)
    return None


def _end_of_value(text: str, section: tuple[int, int], key: str) -> int | None:
    """Return where the value of a key ends, with the lines that continue it; None where it is not set."""
    name = key.replace("-", "[-_]")
    value = re.compile(rf"^(?:--)?{name}[ \t]*[=:].*(?:\n|\Z)(?:[ \t]+\S.*(?:\n|\Z))*", re.MULTILINE)
    match = value.search(text, *section)
    return match.end() if match else None


def _values(text: str, key: str) -> list[str]:
    """Return a setting of `pip install` as pip splits it; nothing from a file that pip refuses."""
    return " ".join(
        value for section, name, value in parse_pip_file(text) if (section, name) == (_SECTION, key)
    ).split()


def _without_values(text: str) -> str:
    if not _OURS.search(text):
        return text
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    for number, line in enumerate(lines):
        rest = _OURS.sub("", line)
        empty = rest != line and re.fullmatch(r"\s*(?:[\w-]+\s*[=:])?\s*", rest) is not None
        continued = "".join(lines[number + 1 : number + 2]).startswith((" ", "\t"))
        # A key whose value goes on in the next line stays.
        if not empty or (rest.strip() and continued):
            kept.append(rest if rest == line else rest.rstrip() + line[len(line.rstrip()) :])
    return "".join(kept)
