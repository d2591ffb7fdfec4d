"""Variables that hide GPUs, CUDA_VISIBLE_DEVICES and its like, read as the runtimes read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System

__all__ = ["VisibleDevices", "parse_visible", "probe_variable", "probe_visible"]

_MAX_CHARACTERS = 4096
_SHOWN = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleDevices:
    """What a variable leaves to see.

    `kind` is none (nothing is left), index, uuid or mig; `shown` are the entries that count, `ignored` those
    that do not, and `why` says why the first of them does not.
    """

    text: str
    kind: str
    shown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    why: str | None = None


def probe_visible(
    system: System, variable: str, *, count: int | None = None, uuids: Sequence[str] = ()
) -> Fact[VisibleDevices]:
    """What the variable says, checked against the number of GPUs and the ids where those are known."""
    text = system.environ.get(variable)
    if text is None:
        return absent(variable, why=message("it is not set"))
    return found(parse_visible(text, count=count, uuids=uuids), variable)


def probe_variable(system: System, variable: str) -> Fact[str]:
    """A variable's text."""
    text = system.environ.get(variable)
    return (
        absent(variable, why=message("it is not set"))
        if text is None
        else found(sanitize_line(text), variable)
    )


def parse_visible(text: str, *, count: int | None = None, uuids: Sequence[str] = ()) -> VisibleDevices:
    """The entries up to the first that is no device: from there on CUDA and HIP see nothing.

    https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    """
    entries = [entry.strip() for entry in text[:_MAX_CHARACTERS].split(",")]
    shown: list[str] = []
    why: str | None = None
    for entry in entries:
        why = _problem(entry, count, uuids)
        if why is not None:
            break
        shown.append(sanitize_line(entry, limit=80))
    ignored = tuple(sanitize_line(entry, limit=80) for entry in entries[len(shown) :][:_SHOWN])
    return VisibleDevices(
        text=sanitize_line(text), kind=_kind(shown), shown=tuple(shown[:1024]), ignored=ignored, why=why
    )


def _kind(shown: Sequence[str]) -> str:
    if not shown:
        return "none"
    return "mig" if shown[0].startswith("MIG-") else "index" if shown[0].isdecimal() else "uuid"


def _problem(entry: str, count: int | None, uuids: Sequence[str]) -> str | None:
    """Why an entry is no device; None when it is one, or may be one."""
    if not entry:
        return "it is empty: every GPU is hidden"
    if entry in ("-1", "NoDevFiles"):
        return message("{entry} hides every GPU from there on", entry=entry)
    if re.fullmatch(r"\d{1,5}", entry, re.ASCII):
        if count is not None and int(entry) >= count:
            return message(
                "there is no GPU {number}: {count} are there, counted from 0", number=int(entry), count=count
            )
        return None
    if re.fullmatch(r"(GPU|MIG)-[\w/-]{1,120}", entry, re.ASCII):
        # A beginning is enough where it is of one device alone.
        if uuids and not any(uuid.startswith(entry) for uuid in uuids):
            return message("no GPU has the id {entry}", entry=entry[:60])
        return None
    return message("{text!r} is neither a number nor an id", text=sanitize_line(entry, limit=40))
