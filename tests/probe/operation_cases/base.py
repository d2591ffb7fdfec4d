"""What the cases of operations share: modules that stand in for extensions, and the outcomes."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path
from unittest import mock

import torch

spec = importlib.util.spec_from_file_location(
    "_probe", Path(sys.argv[1], "__init__.py"), submodule_search_locations=[sys.argv[1]]
)
package = importlib.util.module_from_spec(spec)
sys.modules["_probe"] = package
OPERATIONS = importlib.import_module("_probe.operations.registry").OPERATIONS
broken = importlib.import_module("_probe.step").broken
outcomes = {}


def module(name, **values):
    """A module of this name."""
    made = types.ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None)
    made.__dict__.update(values)
    return made


def case(title, operation, modules=(), device="cpu", **replaced):
    """Run the operation with these modules, on the CPU whatever the device is called."""
    with mock.patch.dict(sys.modules, {made.__name__: made for made in modules}):
        patches = [
            mock.patch(name.replace("__", "."), value, create=True) for name, value in replaced.items()
        ]
        for patch in patches:
            patch.start()
        try:
            outcome = OPERATIONS[operation].run(torch, device)
        except Exception as error:  # noqa: BLE001  # as the probe does
            outcome = broken(error)
        for patch in patches:
            patch.stop()
    outcomes[title] = {"status": outcome.status, "code": outcome.code, "detail": outcome.detail}


HOPPER = {"torch__cuda__get_device_capability": lambda _device: (9, 0)}
TURING = {"torch__cuda__get_device_capability": lambda _device: (7, 5)}
AMD = {"torch__version__hip": "6.4"}
