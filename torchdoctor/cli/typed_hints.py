"""What was meant by commands and options that torchdoctor does not have, and people type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hint_for_command", "hint_for_option"]

# Another word for a command that there is.
_COMMANDS = {
    "check": "torchdoctor doctor",
    "checkup": "torchdoctor doctor",
    "status": "torchdoctor doctor",
    "info": "torchdoctor doctor",
    "detect": "torchdoctor doctor",
    "fix": "torchdoctor doctor --fix",
    "repair": "torchdoctor doctor --fix",
    "test": "torchdoctor verify",
    "benchmark": "torchdoctor bench",
    "update": "torchdoctor upgrade",
    "uninstall": "torchdoctor remove ENV",
    "delete": "torchdoctor remove ENV",
    "rollback": "torchdoctor undo",
    "setup": "torchdoctor install",
    "create": "torchdoctor install ENV",
    "init": "torchdoctor install ENV",
    "sync": "torchdoctor install --lock pylock.toml",
    "lock": "torchdoctor resolve --format pylock",
    "plan": "torchdoctor resolve",
    "list": "torchdoctor index show",
    "search": "torchdoctor index show",
    "mirrors": "torchdoctor index mirrors",
    "kernel": "torchdoctor jupyter-kernel",
    "kernels": "torchdoctor jupyter-kernel list",
    "jupyter": "torchdoctor jupyter-kernel",
    "bundle": "torchdoctor download DIR",
    "version": "torchdoctor --version",
    "collect-env": "torchdoctor report",
    "collect_env": "torchdoctor report",
    "clean": "torchdoctor cache clean",
}


def hint_for_command(name: str) -> str | None:
    """Return the command that a word stands for; None for a word that is not in the table."""
    return _COMMANDS.get(name.lower())


def hint_for_option(command: str, option: str, value: str | None) -> str | None:
    """Return what to write instead of an option that `command` does not have; `value` is the word after it."""
    value = value if value is not None and not value.startswith("-") else None
    written = _OPTIONS.get(option)
    if written is not None and command in ("install", "resolve", "download", "add"):
        return written(value)
    if command == "torchdoctor" and option in ("--fix", "--all"):
        return f"torchdoctor doctor {option}"
    return None


def _variant(kind: str) -> Callable[[str | None], str]:
    """`--cuda 12.6` is `--variant cu126`, and `--rocm 6.4` is `--variant rocm6.4`."""

    def written(value: str | None) -> str:
        if value is None or re.fullmatch(r"\d{1,2}(\.\d{1,2}){0,2}", value) is None:
            return "--variant auto"
        number = value.replace(".", "") if kind == "cu" else value
        return f"--variant {kind}{number}"

    return written


def _same(text: str) -> Callable[[str | None], str]:
    return lambda _: text


def _with_value(option: str) -> Callable[[str | None], str]:
    return lambda value: (
        f"{option} {value}" if value and re.fullmatch(r"[\w.+:/=<>~!,\[\]-]{1,200}", value) else option
    )


_OPTIONS: dict[str, Callable[[str | None], str]] = {
    "--cpu": _same("--variant cpu"),
    "--cpu-only": _same("--variant cpu"),
    "--cuda": _variant("cu"),
    "--rocm": _variant("rocm"),
    "--xpu": _same("--variant xpu"),
    "--backend": _with_value("--variant"),
    "--torch-backend": _with_value("--variant"),
    "--version": _with_value("--torch"),
    "--torch-version": _with_value("--torch"),
    "--pytorch": _with_value("--torch"),
    "--index": _with_value("--index-url"),
    "--extra-index-url": _with_value("--index-url"),
    "--default-index": _with_value("--index-url"),
    "-i": _with_value("--index-url"),
    "--package": _with_value("--with"),
    "--name": _with_value("ENV:"),
    "-n": _with_value("ENV:"),
    "--target": _with_value("ENV:"),
    "-t": _with_value("ENV:"),
    "--upgrade": _same("torchdoctor upgrade ENV"),
    "-U": _same("torchdoctor upgrade ENV"),
}
