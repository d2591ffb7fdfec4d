"""Changes one setting in the config file and keeps all else in it, comments too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torchdoctor.cli.config.parser import ConfigError, parse_config
from torchdoctor.core.fs import atomic_write
from torchdoctor.core.i18n.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.cli.config.parser import Config

__all__ = ["change"]


def change(path: Path, key: str, values: Sequence[str] | None, *, check: Callable[[Config], None]) -> bool:
    """Set `key` to `values`, or take it out where they are None; the file is replaced whole, or not at all.

    `check` raises `ConfigError` for a file that cannot be used; to take something out is allowed in such a one too.
    Raises `ConfigError` also where the file cannot be written. False where there was nothing to take out.
    """
    import tomlkit

    try:
        before = path.read_text("utf-8-sig") if path.exists() else ""
        parse_config(before, path=str(path))
        document = tomlkit.parse(before)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            message("{file} cannot be read: {why}", file=path, why=error), fix=message("correct or remove it")
        ) from error
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}(\.[A-Za-z0-9-]{1,60}){0,3}", key):
        raise ConfigError(
            message("{key!r} is not a setting", key=key[:80]),
            fix=message("write it as in install.mirror, or lang"),
        )
    *tables, last = key.split(".")
    inside: Any = document
    for name in tables:
        if not isinstance(inside.setdefault(name, tomlkit.table()), dict):
            raise ConfigError(
                message("{key} is a setting, not a table", key=name), fix=message("correct {file}", file=path)
            )
        inside = inside[name]
    if values is None:
        if last not in inside:
            return False
        del inside[last]
        _replace(path, tomlkit.dumps(document))
        return True
    rows = [_value(text) for text in values]
    inside[last] = rows[0] if len(rows) == 1 and not _is_list(inside.get(last)) else rows
    after = tomlkit.dumps(document)
    try:
        check(parse_config(after, path=str(path)))
    except ConfigError as error:
        raise ConfigError(
            message("{what}; nothing was written", what=error.message), fix=error.fix, code=error.code
        ) from error
    _replace(path, after)
    return True


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _value(text: str) -> str | int | bool:
    """As TOML would have it where that is plain; every option takes text as well."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"\d{1,9}", text) else text


def _replace(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A config file may be a link into somebody's collection of dotfiles: that stays.
        atomic_write(path.resolve(), text, durable=True)
    except OSError as error:
        raise ConfigError(
            message("{file} cannot be written: {why}", file=path, why=error.strerror or error),
            fix=message("make its folder writable, or name another file with TORCHDOCTOR_CONFIG"),
        ) from error
