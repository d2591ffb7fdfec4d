"""Secure Boot, as the firmware's variable says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.core.system import System

__all__ = ["probe_secure_boot"]

_FOLDER = "/sys/firmware/efi"
# Its name ends in the id of the UEFI specification's global variables.
_VARIABLE = f"{_FOLDER}/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# Four bytes of attributes, then the value: https://docs.kernel.org/filesystems/efivarfs.html
_SIZE = 5


def probe_secure_boot(system: System) -> Fact[bool]:
    """Whether the firmware starts, and the kernel loads, only what a known key has signed."""
    if not system.exists(_FOLDER):
        return absent(_FOLDER, why=message("the firmware is not UEFI, or this is a container"))
    text = system.read_text(_VARIABLE, limit=16)
    if text is None or len(text) != _SIZE or text[-1] not in "\0\1":
        return unknown(message("it cannot be read"), _VARIABLE)
    return found(text[-1] == "\1", _VARIABLE)
