"""Make the JSON schemas that torchdoctor publishes: `python tools/schemas.py`; with --check say which are behind.

`machine.json` and `inventory.json` follow from the dataclasses, with the limits that their readers hold to. The
schemas of the commands follow from the examples of docs/reference/json.md, which the tests hold to what the commands
write. They are shipped in the package, so that a program that reads the documents can check them without a network.
"""

from __future__ import annotations

import json
import re
import sys
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from torchdoctor.core.serde import MaxItems, Pattern, WholeNumber
from torchdoctor.detect import Machine
from torchdoctor.inventory import Inventory
from wheels_index.matrix import Matrix, matrix_schema_file

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "torchdoctor" / "schemas"
PAGE = ROOT / "docs" / "reference" / "json.md"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXAMPLE = re.compile(r"^## ([^\n]+)\n(?:(?!## |```).*\n)*```json\n((?:(?!```).*\n)*)", re.MULTILINE)
_ABSENT = object()
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schemas() -> dict[str, dict[str, Any]]:
    """Return each schema by the name of its file without `.json`."""
    page = PAGE.read_text("utf-8")
    documents = {
        title.strip("`").removeprefix("torchdoctor "): json.loads(text)
        for title, text in _EXAMPLE.findall(page)
    }
    examples = _Examples(documents)
    made = {"machine": _of_type(Machine), "inventory": _inventory()}
    for title, document in documents.items():
        made[file_name(title)] = examples.schema(document, (title,))
    return {
        name: {"$schema": DIALECT, "$id": f"{name}.json", "title": f"torchdoctor {name}", **schema}
        for name, schema in made.items()
    }


def file_name(title: str) -> str:
    """Return the name for a section of the page: `jupyter-kernel check NAME` is `jupyter-kernel-check`."""
    if title == "A command that failed":
        return "error"
    words = [word.lstrip("-") for word in title.split() if not word.isupper() or word == "ID"]
    return "-".join(words).lower()


class _Examples:
    """Schemas from example documents: the keys that are shown are written, new ones may come, unknown is null."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self._documents = documents

    def schema(self, value: Any, path: tuple[str, ...]) -> dict[str, Any]:
        """Return the schema for a value that stands at `path`, the title of its section first."""
        if path[-1] == "machine" and len(path) == 2:  # noqa: PLR2004
            return _of_type(Machine)
        if isinstance(value, str):
            return self._of_text(value, path)
        if isinstance(value, dict):
            return self._of_object(value, path)
        if isinstance(value, list):
            items = {"items": self.schema(value[0], (*path, "[]"))} if value else {}
            return {"type": ["array", "null"], **items}
        if isinstance(value, bool):
            return {"type": ["boolean", "null"]}
        return {} if value is None else {"type": ["number", "null"]}

    def _of_object(self, value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        properties = {key: self.schema(item, (*path, key)) for key, item in value.items() if key != "…"}
        if len(path) == 1 and "schema" in properties:
            properties["schema"] = {"const": 1}
        required = [] if "…" in value else list(properties)
        kind = "object" if len(path) == 1 else ["object", "null"]
        return {"type": kind, "properties": properties, "required": required}

    def _of_text(self, text: str, path: tuple[str, ...]) -> dict[str, Any]:
        """A word such as `as in resolve` stands for what another example shows."""
        if text == "the inventory":
            return {"anyOf": [_inventory(), {"type": "null"}]}
        if not (match := re.fullmatch(r"as in (.+)", text)):
            stands_for_more = re.match(
                r"(by variant: |by dtype: |as recorded |a kernel as in |the same$|the other |one a )", text
            )
            return {} if stands_for_more else {"type": ["string", "null"]}
        if match[1] in self._documents[path[0]]:  # another key of the same document
            return self.schema(self._documents[path[0]][match[1]][0], (path[0], match[1], "[]"))
        names = (match[1], f"{match[1]} FILE", f"jupyter-kernel {match[1]}")
        title = next(title for title in self._documents if title in names)
        last = path[-2:] if path[-1] == "[]" else path[-1:]
        for keys in (path[1:], last, (f"{path[-1]}s", "[]")):
            found = self._at(self._documents[title], keys)
            if found is not _ABSENT and found != text:
                return self.schema(found, (title, *keys))
        if path[-1] != match[1]:
            raise KeyError(f"{path}: {text}")
        return {**self.schema(self._documents[title], (title,)), "type": ["object", "null"]}

    @staticmethod
    def _at(document: Any, keys: tuple[str, ...]) -> Any:
        for key in keys:
            if isinstance(document, list) and document and key == "[]":
                document = document[0]
            elif isinstance(document, dict) and key in document:
                document = document[key]
            else:
                return _ABSENT
        return document


def _inventory() -> dict[str, Any]:
    schema = _of_type(Inventory)
    schema["properties"] = {"schema": {"const": 1}, **schema["properties"]}
    return schema


def _of_type(kind: Any, variables: dict[Any, Any] | None = None) -> dict[str, Any]:
    """The schema of what `core.serde.to_json` writes for a value of the type."""
    variables = variables or {}
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, TypeVar):
        return _of_type(variables[kind]) if kind in variables else {}
    if origin is Annotated:
        schema = _of_type(arguments[0], variables)
        for limit in arguments[1:]:
            schema.update(_limit(limit))
        return schema
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of_type(part, variables) for part in arguments]}
    if origin is tuple:
        items = [_of_type(part, variables) for part in arguments if part is not Ellipsis]
        return (
            {"type": "array", "items": items[0]}
            if Ellipsis in arguments
            else {"type": "array", "prefixItems": items}
        )
    if is_dataclass(origin or kind):
        return _of_dataclass(origin or kind, arguments)
    return {"type": "null"} if kind is types.NoneType else {"type": _TYPES[kind]} if kind in _TYPES else {}


def _of_dataclass(cls: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    variables = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
    properties = {field.name: _of_type(hints[field.name], variables) for field in fields(cls)}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _limit(limit: Any) -> dict[str, Any]:
    if isinstance(limit, Pattern):
        # The readers match the whole text.
        return {} if "\\ud800" in limit.regex else {"pattern": f"^({limit.regex})$"}
    if isinstance(limit, WholeNumber):
        allowed = limit.allowed
        if isinstance(allowed, range):
            return {"minimum": allowed[0], "maximum": allowed[-1]}
        return {"enum": list(allowed)}
    return {"maxItems": limit.count} if isinstance(limit, MaxItems) else {}


def matrix_schema() -> dict[str, Any]:
    """Return the schema of the document of `python -m wheels_index matrix`."""
    about = "What exists of PyTorch and what each build needs, as `python -m wheels_index matrix` writes it."
    return {"$schema": DIALECT, "title": "matrix of wheels_index", "description": about, **_of_type(Matrix)}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schemas, or with --check return 1 where a file differs."""
    texts = {FOLDER / f"{name}.json": _text(schema) for name, schema in schemas().items()}
    texts[matrix_schema_file()] = _text(matrix_schema())
    behind = [path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text]
    behind += [path for path in FOLDER.glob("*.json") if path not in texts]
    if "--check" in arguments:
        print("\n".join(f"{path.name} is behind: python tools/schemas.py" for path in behind))
        return 1 if behind else 0
    for path in behind:
        if path in texts:
            path.parent.mkdir(exist_ok=True)
            path.write_text(texts[path], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
