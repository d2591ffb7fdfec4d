"""An inventory to and from JSON, the format that `report` writes under `environment`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import UsageError
from torchdoctor.inventory.model import Inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import Converter

__all__ = ["SCHEMA", "from_json", "plain", "to_json"]

SCHEMA = 1


def to_json(inventory: Inventory) -> dict[str, Any]:
    """Every field, in the order of the class, after `schema`; nothing that was not found has a value."""
    return {"schema": SCHEMA, **plain(inventory)}


def plain(value: Any) -> Any:
    """What JSON can hold: lists of tuples, tables of dataclasses, and `?` for bytes of a name that are no text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {row.name: plain(getattr(value, row.name)) for row in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(row) for key, row in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(row) for row in value]
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return value if value is None or isinstance(value, (int, float, bool)) else str(value)


def from_json(document: Any) -> Inventory:
    """Read what `to_json` writes; fields it does not know are left.

    Raises `UsageError` with the path of the field that is wrong, or for a schema of a newer torchdoctor.
    """
    fix = "write it anew with `torchdoctor report --format json`"
    if not isinstance(document, dict):
        raise UsageError(message("the inventory is not an object"), fix=fix, code="bad-inventory")
    if document.get("schema") != SCHEMA:
        raise UsageError(
            message(
                "the inventory has schema {schema!r:.20}, and this torchdoctor reads {known}",
                schema=document.get("schema"),
                known=SCHEMA,
            ),
            fix=message("{fix}, or use the torchdoctor that wrote it", fix=fix),
            code="bad-inventory",
        )
    from cattrs import BaseValidationError, transform_error

    try:
        inventory: Inventory = _converter().structure(document, Inventory)
    except BaseValidationError as error:
        raise _wrong(transform_error(error, path="environment")[0], fix) from error
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise _wrong(str(error), fix) from error
    return inventory


def _wrong(said: str, fix: str) -> UsageError:
    return UsageError(
        message("the inventory cannot be used: {said}", said=said[:300]), fix=fix, code="bad-inventory"
    )


@cache
def _converter() -> Converter:
    """One that takes each value as it is: no text is made of a number, and no list of a text."""
    from cattrs import Converter

    converter = Converter()
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    return converter


def _exactly(kind: type) -> Callable[[Any, Any], Any]:
    def take(value: Any, _: Any) -> Any:
        # True is an int to Python; a text that can be translated is a text.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(message("expected {name}, found {value!r:.60}", name=kind.__name__, value=value))
        return value

    return take
