"""What `setup.cfg` and `setup.py` say, read as text: no code of the project runs.

https://setuptools.pypa.io/en/latest/userguide/declarative_config.html
"""

from __future__ import annotations

import ast
import configparser
from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.core.text import read_literal
from torchdoctor.requirements.documents import Location, read_text
from torchdoctor.requirements.lines import Place
from torchdoctor.requirements.project_lines import ProjectLines
from torchdoctor.requirements.refusal import refused

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lines_of_setup_cfg", "lines_of_setup_py"]

_FILE = "file:"


def lines_of_setup_cfg(location: Location) -> ProjectLines | None:
    """Return what `[options]` says; None where it says nothing of requirements."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=False)
    try:
        parser.read_string(read_text(location))
    except configparser.Error as error:
        raise refused(
            location.name,
            message("it is not a configuration file: {error}", error=error),
            fix=message("correct the file"),
        ) from error
    groups: dict[str, list[str]] = {}
    files: dict[str, list[Path]] = {}
    rows = [("", parser.get("options", "install_requires", fallback=None))]
    if parser.has_section("options.extras_require"):
        rows += [
            (str(canonicalize_name(name)), value) for name, value in parser.items("options.extras_require")
        ]
    for name, value in rows:
        if value is None:
            continue
        if value.strip().startswith(_FILE):
            names = value.strip().removeprefix(_FILE).split(",")
            files[name] = [(location.folder or location.path or _nowhere()) / each.strip() for each in names]
        else:
            groups[name] = [line.strip() for line in value.splitlines() if line.strip()]
    if not rows[0][1] and not groups and not files:
        return None
    return ProjectLines(
        place=Place(origin=location.name, name=location.name, location=location),
        groups={"": [], **groups},
        name=_name(parser.get("metadata", "name", fallback=None)),
        python=parser.get("options", "python_requires", fallback=None),
        files=files,
    )


def lines_of_setup_py(location: Location) -> ProjectLines | None:
    """Return what the call of `setup` says where that is written out; None where only running the file would tell."""
    try:
        tree = ast.parse(read_text(location))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    values = _constants(tree)
    call = next((node for node in ast.walk(tree) if _is_setup(node)), None)
    if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
        return None
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    requires = _literal(keywords.get("install_requires"), values)
    extras = _literal(keywords.get("extras_require", ast.Dict(keys=[], values=[])), values)
    if not _is_texts(requires) or not isinstance(extras, dict) or not all(map(_is_texts, extras.values())):
        return None
    name, python = (_literal(keywords.get(key), values) for key in ("name", "python_requires"))
    return ProjectLines(
        place=Place(origin=location.name, name=location.name, location=location),
        groups={
            "": _texts(requires),
            **{str(canonicalize_name(str(key))): _texts(extras[key]) for key in extras},
        },
        name=_name(name),
        python=python if isinstance(python, str) else None,
    )


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Names that are given a value and used once: nothing changes what they hold."""
    uses = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and uses[target.id] == 1 + 1
    }


def _is_setup(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (isinstance(called, ast.Name) and called.id == "setup") or (
        isinstance(called, ast.Attribute) and called.attr == "setup"
    )


def _literal(node: ast.expr | None, values: dict[str, ast.expr]) -> object:
    """The value that is written there, or under the name that stands there; None for anything that is computed."""
    if isinstance(node, ast.Name):
        node = values.get(node.id)
    try:
        return read_literal(node) if node is not None else None
    except ValueError:
        return None


def _is_texts(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)
    )


def _texts(value: object) -> list[str]:
    texts = value.splitlines() if isinstance(value, str) else value
    return (
        [text.strip() for text in texts if isinstance(text, str) and text.strip()]
        if isinstance(texts, (list, tuple))
        else []
    )


def _name(value: object) -> str | None:
    return str(canonicalize_name(value)) if isinstance(value, str) and value.strip() else None


def _nowhere() -> Path:
    raise AssertionError("a project is a folder of this computer")
