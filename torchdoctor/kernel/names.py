"""Names of kernels, their display names, and the environment variables that they set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.wheelfile.member_names import device_name
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = [
    "default_display_name",
    "distinct_display_name",
    "parse_settings",
    "validate_display_name",
    "validate_kernel_name",
]

# The rule of jupyter_client (jupyter_client/kernelspec.py), with a length that every file system allows, and without
# names that mean something else to a shell or to Windows.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_MAX_LENGTH = 200


def validate_kernel_name(name: str, *, option: str = "--name") -> str:
    """Return the name; raises `UsageError` when not every file system and Jupyter allow it.

    `option` is the option to choose another name with.
    """
    if not _NAME.fullmatch(name) or device_name(name):
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


def default_display_name(version: str) -> str:
    """Return what a notebook's menu shows for a torch version such as `2.13.0+cpu`."""
    public, _, build = version.partition("+")
    return f"Python (PyTorch {public}{f' {build}' if build else ''})"


def distinct_display_name(display_name: str, name: str, taken: Collection[str]) -> str:
    """Return the display name, with the kernel's `name` added when it is one of `taken`."""
    return f"{display_name}, {name}" if display_name in taken else display_name


def validate_display_name(text: str) -> str:
    """Return the text; raises `UsageError` when a menu could not show it."""
    if not text.strip() or len(text) > _MAX_LENGTH or not text.isprintable():
        raise UsageError(
            message(
                "{text!r} cannot be shown in a menu: it must be one line of 1 to {most} characters",
                text=text[:60],
                most=_MAX_LENGTH,
            ),
            fix=message("choose another with --display-name"),
            code="display-name",
        )
    return text


def parse_settings(lines: Iterable[str]) -> dict[str, str]:
    """Parse `KEY=VALUE` lines; raises `UsageError` for a line that is not one."""
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
