"""A Mac: its chip by sysctl, Metal by system_profiler, and whether Python runs under Rosetta."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.model import Apple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = [
    "APPLE_NAMES",
    "METAL_NAMES",
    "parse_brand",
    "parse_metal",
    "probe_all_apple",
    "probe_apple",
    "probe_metal",
]

APPLE_NAMES = ("apple.chip", "apple.rosetta")
METAL_NAMES = ("apple.metal",)


def probe_all_apple(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `APPLE_NAMES`."""
    chip = probe_apple(system)
    return {"apple.chip": chip, "apple.rosetta": _rosetta(chip, python)}


def probe_apple(system: System) -> Fact[Apple]:
    """Apple's own chip; an Intel Mac has none. sysctl tells the truth under Rosetta too."""
    source = "sysctl machdep.cpu.brand_string"
    answer = system.run(["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"])
    if not answer.ok:
        return unknown(answer.cause, source)
    chip = parse_brand(answer.stdout)
    return found(Apple(chip=chip), source) if chip else absent(source, why=answer.stdout.strip()[:80])


def parse_brand(text: str) -> str | None:
    """`Apple M2 Pro` as it stands; None for another maker's chip."""
    match = re.fullmatch(r"Apple [\w ]{1,40}", text.strip(), re.ASCII)
    return match[0] if match else None


def _rosetta(chip: Fact[Apple], python: PythonInfo) -> Fact[bool]:
    """An interpreter for Intel on Apple's chip is translated, and gets no current torch."""
    if chip.state == "unknown":
        return unknown(chip.why or "the chip is unknown", chip.source)
    return found(
        chip.state == "found" and python.machine == "x86_64",
        message("{source} and Python", source=chip.source),
    )


def probe_metal(system: System, _python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The newest Metal that the GPU supports, such as `Metal 3`."""
    source = "system_profiler SPDisplaysDataType"
    answer = system.run(["/usr/sbin/system_profiler", "SPDisplaysDataType"])
    if not answer.ok:
        return {"apple.metal": unknown(answer.cause, source)}
    metal = parse_metal(answer.stdout)
    return {"apple.metal": found(metal, source) if metal else absent(source)}


def parse_metal(text: str) -> str | None:
    """The first GPU's `Metal Support: Metal 3`, or the older `Metal: Supported, feature set macOS GPUFamily2 v1`."""
    match = re.search(r"^[ \t]+Metal(?: Support| Family)?:[ \t]+(\S[^\n]{0,80})$", text, re.MULTILINE)
    return sanitize_line(match[1]) or None if match else None
