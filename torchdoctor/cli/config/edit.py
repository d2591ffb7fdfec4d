"""Changes one setting in the config file and keeps everything else in it, comments too."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.cli.config.parser import ConfigError, parse_config
from torchdoctor.cli.config.settings import MAX_CONFIG_BYTES
from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tomlkit import TOMLDocument

    from torchdoctor.cli.config.parser import Config

__all__ = ["change"]

_KEY = re.compile(r"[A-Za-z0-9-]{1,60}(\.[A-Za-z0-9-]{1,60}){0,3}")


def change(path: Path, key: str, values: Sequence[str] | None, *, check: Callable[[Config], None]) -> bool:
    """Set `key` to `values`, or remove it where they are None; the file is replaced whole, or not at all.

    `check` raises `ConfigError` for a file that cannot be used; a key may be removed from such a file too. Raises
    `ConfigError` also where the file cannot be read or written. Returns False where there was nothing to remove.
    """
    import tomlkit

    document = _read(path)
    if not _KEY.fullmatch(key):
        raise ConfigError(
            message("{key!r} is not a setting", key=key[:80]),
            fix=message("write it as in install.mirror, or lang"),
        )
    *tables, last = key.split(".")
    table = _table(document, tables, path)
    if values is None:
        if last not in table:
            return False
        del table[last]
    else:
        new = [_value(text) for text in values]
        table[last] = new[0] if len(new) == 1 and not _is_list(table.get(last)) else new
    text = tomlkit.dumps(document)
    if values is not None:
        _check_text(text, path, check)
    _replace(path, text)
    return True


def _read(path: Path) -> TOMLDocument:
    import tomlkit

    try:
        raw = read_regular(path, limit=MAX_CONFIG_BYTES) if path.exists() else b""
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            message("{file} cannot be read: {why}", file=path, why=error), fix=message("correct or remove it")
        ) from error
    parse_config(text, path=str(path))
    return tomlkit.parse(text)


def _table(document: TOMLDocument, names: Sequence[str], path: Path) -> Any:
    """Return the table of these nested names, which is made where it is missing."""
    import tomlkit

    table: Any = document
    for name in names:
        if not isinstance(table.setdefault(name, tomlkit.table()), dict):
            raise ConfigError(
                message("{key} is a setting, not a table", key=name), fix=message("correct {file}", file=path)
            )
        table = table[name]
    return table


def _check_text(text: str, path: Path, check: Callable[[Config], None]) -> None:
    try:
        check(parse_config(text, path=str(path)))
    except ConfigError as error:
        raise ConfigError(
            message("{what}; nothing was written", what=error.message), fix=error.fix, code=error.code
        ) from error


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _value(text: str) -> str | int | bool:
    """Return it as TOML would have it where that is plain; every option takes text as well."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"\d{1,9}", text) else text


def _replace(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A config file may be a link into a collection of dotfiles: the link stays.
        atomic_write(Path(os.path.realpath(path)), text, durable=True)
    except OSError as error:
        raise ConfigError(
            message("{file} cannot be written: {why}", file=path, why=error.strerror or error),
            fix=message("make its folder writable, or name another file with TORCHDOCTOR_CONFIG"),
        ) from error
