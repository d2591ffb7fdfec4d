"""One package in a process of its own: its modules are imported, and what they raise is reported."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from .. import facts
from ..attempts import Attempts
from ..message import joined, sentence
from ..step import Outcome, Step, broken, failed, passed

if TYPE_CHECKING:
    from ..events import Channel

__all__ = ["IMPORT_SECONDS", "run"]

# A cold import of a large package with torch takes half a minute on a slow disk.
IMPORT_SECONDS = 120.0
_MAX_CHARACTERS = 400
_MAX_CAUSES = 10


def run(request: dict[str, Any], channel: Channel) -> None:
    """Run the request: `modules`, and the steps that have `finished`."""
    # Some packages read the arguments of the program that imports them.
    sys.argv[:] = [""]
    channel.send("hello", values=facts.of_python())
    attempts = Attempts(channel, float(request["scale"]))
    modules = [str(name) for name in request["modules"]]
    step = Step(
        "import", "it can be imported", lambda _torch, _device: _import(modules), "once", IMPORT_SECONDS
    )
    attempts.attempt(step, "cpu", lambda: step.run(None, "cpu"))
    channel.send("end")


def _import(modules: list[str]) -> Outcome:
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  # a package that calls sys.exit() cannot be imported either
            return _not_imported(name, error)
    return passed(sentence("{names} is imported", names=joined(modules)))


def _not_imported(module: str, error: BaseException) -> Outcome:
    """The exception, and the first cause of it: a library that does not load is named only there."""
    causes: list[BaseException] = [error]
    while len(causes) < _MAX_CAUSES:
        before = causes[-1].__cause__ or (None if causes[-1].__suppress_context__ else causes[-1].__context__)
        if before is None or before in causes:
            break
        causes.append(before)
    texts = list(dict.fromkeys(_last_line(one) for one in (error, causes[-1])))
    text = sentence("import {module}: {error}", module=module, error=joined(texts, "; "))
    return failed("import-raised", text, broken(error).evidence)


def _last_line(error: BaseException) -> str:
    lines = [" ".join(line.split()) for line in str(error).splitlines()]
    text = next((line for line in reversed(lines) if line), "")
    name = type(error).__name__
    return (name + ": " + text if text else name)[:_MAX_CHARACTERS]
