"""The record that `torchdoctor install` writes into an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import parse_install_record

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.inventory.package_model import InstallRecord

__all__ = ["RECORD", "read_install_record"]

RECORD = "torchdoctor.json"
_MAX_BYTES = 4 << 20


def read_install_record(prefix: str) -> Fact[InstallRecord]:
    """Return what the record of an environment says; unknown for a file that torchdoctor did not write."""
    path = f"{prefix}/{RECORD}"
    text = files.read_text(path, limit=_MAX_BYTES)
    if text is None:
        return absent(path)
    record = parse_install_record(text, path=path)
    return found(record, path) if record else unknown(message("it was not written by torchdoctor"), path)
