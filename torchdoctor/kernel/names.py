"""What may name a kernel, what its menu entry says, and which variables it may set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["display_name_of", "distinct", "valid_display_name", "valid_name", "valid_settings"]

# jupyter_client's own rule (jupyter_client/kernelspec.py), with a length that every file system takes, less what a
# shell or Windows would take for something else.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_LONGEST = 200


def valid_name(name: str, *, option: str = "--name") -> str:
    """The name, or `UsageError` when it cannot be a folder's and Jupyter's name everywhere.

    `option` is the one that gives another.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise UsageError(
            message(
                "{name!r} cannot name a kernel: letters, digits, `.`, `_` and `-` can, 100 at most, and no `.` or "
                "`-` at its start",
                name=name[:60],
            ),
            fix=message("choose another with {option}", option=option),
            code="kernel-name",
        )
    return name


def display_name_of(version: str) -> str:
    """What a notebook's menu shows for a torch version such as `2.13.0+cpu`."""
    public, _, build = version.partition("+")
    return f"Python (PyTorch {public}{f' {build}' if build else ''})"


def distinct(display_name: str, name: str, taken: Collection[str]) -> str:
    """The display name, with the kernel's own `name` where a menu shows another kernel under it already."""
    return f"{display_name}, {name}" if display_name in taken else display_name


def valid_display_name(text: str) -> str:
    """The text, or `UsageError` when a menu could not show it."""
    if not text.strip() or len(text) > _LONGEST or not text.isprintable():
        raise UsageError(
            message(
                "{text!r} cannot be shown in a menu: it takes one line of 1 to {most} signs",
                text=text[:60],
                most=_LONGEST,
            ),
            fix=message("choose another with --display-name"),
            code="display-name",
        )
    return text


def valid_settings(lines: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` lines as variables; `UsageError` for a line that is not one."""
    settings = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals or not _VARIABLE.fullmatch(key) or "\0" in value:
            raise UsageError(
                message("{text!r} does not set a variable", text=line[:60]),
                fix=message("write --env KEY=VALUE, such as --env CUDA_VISIBLE_DEVICES=0"),
                code="variable",
            )
        settings[key] = value
    return settings
