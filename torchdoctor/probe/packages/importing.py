"""One package in a process of its own: it is imported, then the operation that proves it runs on each device."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import os
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Iterator

from .. import devices, facts
from ..attempts import Attempts
from ..message import joined, sentence
from ..operations.registry import OPERATIONS, Operation
from ..step import Outcome, Step, broken, failed, passed, skipped
from ..torch_errors import says
from .limits import IMPORT_SECONDS

if TYPE_CHECKING:
    from ..events import Channel

__all__ = ["run"]

_MAX_CHARACTERS = 400
# What the dynamic linkers of Linux, macOS and Windows say, and Python of a module.
_TELLING = re.compile(
    "cannot open shared object|undefined symbol|[Ll]ibrary not loaded|[Ss]ymbol not found|DLL load failed"
    "|No module named"
)
_MAX_CAUSES = 10
_KINDS = {"cpu": "CPU", "cuda": "GPU (CUDA, ROCm)", "xpu": "GPU (XPU)", "mps": "GPU (MPS)"}


def run(request: dict[str, Any], channel: Channel) -> None:
    """Run the request: `modules`, the id of an `operation` or null, `devices` or null, and what has `finished`."""
    # Some packages read the arguments of the program that imports them.
    sys.argv[:] = [""]
    channel.send("hello", values=facts.of_python())
    finished = {(name, device): status for name, device, status in request["finished"]}
    attempts = Attempts(channel, float(request["scale"]))
    modules = [str(name) for name in request["modules"]]
    if ("import", "cpu") in finished:
        outcome = _import(modules)
    else:
        step = Step("import", "", _nothing, "once", IMPORT_SECONDS)
        outcome = attempts.attempt(step, "cpu", lambda: _import(modules))
    operation = OPERATIONS.get(request["operation"])
    if outcome.status == "pass" and operation is not None:
        _prove(operation, request["devices"], finished, attempts, channel)
    channel.send("end")


def _prove(
    operation: Operation,
    requested: list[str] | None,
    finished: dict[tuple[str, str], str],
    attempts: Attempts,
    channel: Channel,
) -> None:
    """Run the operation on each device that it is for; where there is none, skip it with the reason."""
    step = Step("operation", "", operation.run, "each", operation.limit)
    torch = importlib.import_module("torch")
    there, _ = devices.chosen(requested, devices.present(torch))
    fitting = [device for device in there if devices.kind(device) in operation.kinds]
    for device in fitting:
        if (step.id, device) in finished:
            continue
        outcome = attempts.attempt(step, device, partial(operation.run, torch, device))
        if (
            outcome.status == "fail"
            and devices.kind(device) != "cpu"
            and says(outcome.detail, "device-unusable")
        ):
            # After such an error every later call raises it again. A new process runs the next one.
            channel.send("again")
            os._exit(0)
    if not fitting:
        wanted = joined([_KINDS[kind] for kind in operation.kinds], " or ")
        text = sentence("it runs on {wanted}, and there is none here", wanted=wanted)
        attempts.report(step, "cpu", skipped("no-device-for-it", text), 0.0)


def _nothing(_torch: object, _device: str) -> Outcome:
    raise NotImplementedError


def _import(modules: list[str]) -> Outcome:
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  # a package that calls sys.exit() cannot be imported either
            return _not_imported(name, error)
    return passed(sentence("{names} is imported", names=joined(modules)))


def _not_imported(module: str, error: BaseException) -> Outcome:
    """The exception, and the first cause of it: a library that does not load is named only there."""
    *_, first = _causes(error)
    texts = list(dict.fromkeys(_summary(one) for one in (error, first)))
    text = sentence("import {module}: {error}", module=module, error=joined(texts, "; "))
    return failed("import-raised", text, broken(error).evidence)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, the one that it was raised from, and so on."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen and len(seen) < _MAX_CAUSES:
        seen.append(current)
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _summary(error: BaseException) -> str:
    """The exception with the first line of its text, and with the last line that names what cannot be loaded."""
    lines = [line for line in (" ".join(line.split()) for line in str(error).splitlines()) if line]
    telling = [line for line in lines[1:] if _TELLING.search(line)]
    text = " … ".join([*lines[:1], *telling[-1:]])
    name = type(error).__name__
    return (name + ": " + text if text else name)[:_MAX_CHARACTERS]
