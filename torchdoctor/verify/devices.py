"""Names of devices, checked before an interpreter is started."""

from __future__ import annotations

import re

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

__all__ = ["DEVICE_NAMES", "valid_device"]

# The devices that the probe looks for; a number chooses one of several.
DEVICE_NAMES = ("cpu", "cuda", "cuda:0", "xpu", "xpu:0", "mps")
_NAME = re.compile(r"cpu|mps|(cuda|xpu)(:\d{1,3})?")


def valid_device(text: str) -> str:
    """Return the name. Raises `UsageError` when torch can have no device of that name."""
    if not _NAME.fullmatch(text):
        raise UsageError(
            message("{text!r} is not the name of a device", text=text[:60]),
            fix=message("write cpu, cuda, cuda:0, xpu, xpu:0 or mps; torch calls AMD's GPUs cuda as well"),
            code="device",
        )
    return text
