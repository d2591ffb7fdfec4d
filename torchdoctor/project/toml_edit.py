"""Changes values of a TOML text and keeps everything else in it: comments, order, spelling.

Existing values are changed with tomlkit; a table that is missing is added behind the rest. What comes out is read
again and compared with what was meant, so that no edit can damage a file.
"""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AddTable",
    "ChangeArray",
    "Edit",
    "SetInTable",
    "SetValue",
    "edit_toml",
    "edited_values",
    "toml_value",
]

_WIDTH = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class SetValue:
    """Set the value at a path; the tables above it are made where they are missing."""

    path: tuple[str, ...]
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeArray:
    """Replace entries of an array by their place, and add others at its end."""

    path: tuple[str, ...]
    replace: Mapping[int, Any] = field(default_factory=dict)
    add: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AddTable:
    """Add a table to an array of tables, which is made where it is missing."""

    path: tuple[str, ...]
    value: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetInTable:
    """Set or remove (None) a key of one table of an array of tables."""

    path: tuple[str, ...]
    place: int
    key: str
    value: Any


Edit = SetValue | ChangeArray | AddTable | SetInTable


def edit_toml(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the edits.

    Raises `UsageError`, which shows what to add by hand, for a file that is laid out so that they cannot be made
    safely.
    """
    if not edits:
        return text
    try:
        wanted = edited_values(tomllib.loads(text), edits)
        edited = _edited(text, edits)
        is_right = tomllib.loads(edited) == wanted
    except Exception:  # noqa: BLE001  (values of another shape, and tomlkit fails in many ways; nothing was written)
        is_right = False
    if is_right:
        return edited
    raise UsageError(
        message("the file is laid out so that it cannot be changed safely; nothing was written"),
        fix=message("add this by hand:\n{tables}", tables="\n".join(_by_hand(edit) for edit in edits)),
        code="toml-layout",
    )


def edited_values(document: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """Return the values of a document with the edits; the document itself stays."""
    values: dict[str, Any] = copy.deepcopy(dict(document))
    for edit in edits:
        *tables, key = edit.path
        table = values
        for name in tables:
            table = table.setdefault(name, {})
        if isinstance(edit, SetValue):
            table[key] = edit.value
        elif isinstance(edit, AddTable):
            table.setdefault(key, []).append(dict(edit.value))
        elif isinstance(edit, SetInTable):
            _set(table[key][edit.place], edit.key, edit.value)
        else:
            for place, value in edit.replace.items():
                table[key][place] = value
            table[key].extend(edit.add)
    return values


def toml_value(value: Any) -> str:
    """Return a value as TOML; a long list has a line for each entry.

    >>> toml_value([{"index": "pytorch-cpu", "extra": "cpu"}])
    '[{ index = "pytorch-cpu", extra = "cpu" }]'
    """
    flat = _flat(value)
    return flat if len(flat) <= _WIDTH or not isinstance(value, list) else _in_lines(value, "")


def _flat(value: Any) -> str:
    import json

    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_flat, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_flat(each)}" for name, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _in_lines(value: Any, margin: str) -> str:
    inner = f"{margin}  "
    rows = [
        _in_lines(each, inner) if isinstance(each, list) and len(_flat(each)) > _WIDTH else _flat(each)
        for each in value
    ]
    return "[\n" + "".join(f"{inner}{row},\n" for row in rows) + f"{margin}]"


def _edited(text: str, edits: Sequence[Edit]) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    later: list[Edit] = [edit for edit in edits if not _edit_in_place(document, edit)]
    edited = tomlkit.dumps(document)
    for edit in edits:
        if isinstance(edit, AddTable):
            block = _by_hand(edit)
            edited = edited.replace(f"{block}[", f"{block}\n[")
        header = f"[{_dotted(edit.path[:-1])}]\n"
        if f"\n{header}" not in f"\n{text}":
            edited = _with_blank_lines(edited, header)
    return edited + _new_tables(edited, later)


def _with_blank_lines(text: str, header: str) -> str:
    """The text with an empty line on both sides of a table that was put into it."""
    before, found, rest = text.partition(f"\n{header}")
    if not found:
        return text
    inside, bracket, behind = rest.partition("\n[")
    gap = "" if before.endswith("\n") else "\n"
    end = "" if inside.endswith("\n") or not bracket else "\n"
    return f"{before}{gap}{found}{inside}{end}{bracket}{behind}"


def _edit_in_place(document: Any, edit: Edit) -> bool:
    """Make the edit if the table that it belongs to has a place in the text."""
    *tables, key = edit.path
    table = _table(document, tables, with_header=isinstance(edit, SetValue))
    if table is None and isinstance(edit, SetValue) and len(tables) > 1:
        table = _new_table_below(_table(document, tables[:-1], with_header=True), tables[-1])
    if table is None:
        return False
    if isinstance(edit, SetValue):
        table[key] = _item(edit.value)
        return True
    if key not in table:
        return False
    array = table[key]
    if isinstance(edit, SetInTable):
        _set(array[edit.place], edit.key, edit.value)
    elif isinstance(edit, AddTable):
        array.append(_item(dict(edit.value)) if _is_inline(array) else _plain_table(edit.value))
    else:
        for place, value in edit.replace.items():
            array[place] = _item(value)
        for value in edit.add:
            array.append(_item(value))
    return True


def _table(document: Any, names: Sequence[str], *, with_header: bool) -> Any:
    """The table of these nested names; None where it is not there, or has no header of its own to write below."""
    from tomlkit.items import Table

    table = document
    for name in names:
        if not isinstance(table, dict) or name not in table:
            return None
        table = table[name]
    return None if with_header and isinstance(table, Table) and table.is_super_table() else table


def _new_table_below(above: Any, name: str) -> Any:
    """A new table of a table that has a header in the text, such as `[project]`."""
    import tomlkit
    from tomlkit.items import Table

    if not isinstance(above, Table) or name in above:
        return None
    above.add(name, tomlkit.table())
    return above[name]


def _is_inline(array: Any) -> bool:
    from tomlkit.items import AoT

    return not isinstance(array, AoT)


def _plain_table(values: Mapping[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.table()
    for key, value in values.items():
        table.add(key, value)
    return table


def _item(value: Any) -> Any:
    """The value as tomlkit writes it, in the spelling of `toml_value`."""
    import tomlkit

    return tomlkit.value(toml_value(value))


def _set(table: Any, key: str, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _new_tables(text: str, edits: Sequence[Edit]) -> str:
    """Tables to stand behind the text."""
    values: dict[tuple[str, ...], list[str]] = {}
    arrays: list[str] = []
    for edit in edits:
        if isinstance(edit, SetValue):
            values.setdefault(edit.path[:-1], []).append(_assignment(edit))
        else:
            arrays.append(_by_hand(edit))
    blocks = [f"[{_dotted(path)}]\n{''.join(lines)}" for path, lines in values.items()] + arrays
    if not blocks:
        return ""
    before = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    return before + "\n".join(blocks)


def _by_hand(edit: Edit) -> str:
    if isinstance(edit, AddTable):
        rows = "".join(f"{key} = {toml_value(value)}\n" for key, value in edit.value.items())
        return f"[[{_dotted(edit.path)}]]\n{rows}"
    if isinstance(edit, SetValue):
        return f"[{_dotted(edit.path[:-1])}]\n{_assignment(edit)}"
    if isinstance(edit, SetInTable):
        return f"[[{_dotted(edit.path)}]]  # {edit.place + 1}\n{edit.key} = {toml_value(edit.value)}\n"
    values = [*edit.replace.values(), *edit.add]
    return f"[{_dotted(edit.path[:-1])}]\n{_key(edit.path[-1])} = {toml_value(values)}\n"


def _assignment(edit: SetValue) -> str:
    return f"{_key(edit.path[-1])} = {toml_value(edit.value)}\n"


def _dotted(path: Sequence[str]) -> str:
    return ".".join(map(_key, path))


def _key(name: str) -> str:
    return (
        name
        if name and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in name)
        else _flat(name)
    )
