"""Checks of the machine: its system, and its processors, memory and disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, plurals
from torchdoctor.detect.summary import summary
from torchdoctor.doctor.checks.model import CheckText, fact_lines

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp

__all__ = ["describe_resources", "describe_system"]

_MIB_IN_GIB = 1024


def describe_system(check_up: CheckUp) -> CheckText:
    """Operating system, C library, Python and accelerators."""
    text = summary(check_up.detection.machine, check_up.detection.facts)
    return CheckText(text=text, evidence=fact_lines(check_up, "os"))


def describe_resources(check_up: CheckUp) -> CheckText:
    """How many threads, how much memory and how much free disk there are."""
    values = {fact.name: fact.fact.value for fact in check_up.detection.facts if fact.fact.state == "found"}

    def gib(name: str) -> str:
        value = values.get(name)
        return f"{value / _MIB_IN_GIB:.1f} GiB" if isinstance(value, int) else "?"

    limit = values.get("system.memory.limit")
    count = values.get("system.cpu.allowed") or values.get("system.cpu.threads")
    text = message(
        "{threads}, {memory} of memory, {disk} free for the environment",
        threads=plurals.threads(count) if isinstance(count, int) else message("unknown threads"),
        memory=gib("system.memory.limit" if isinstance(limit, int) else "system.memory.total"),
        disk=gib("system.disk.environment"),
    )
    return CheckText(text=text, evidence=fact_lines(check_up, "system"))
