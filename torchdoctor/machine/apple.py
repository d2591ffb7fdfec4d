"""The chip of a Mac, by sysctl."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.machine.fact import Fact, absent, found, unknown
from torchdoctor.machine.model import Apple

if TYPE_CHECKING:
    from torchdoctor.machine.seam import World

__all__ = ["parse_brand", "probe_apple"]


def probe_apple(world: World) -> Fact[Apple]:
    """Apple's own chip; an Intel Mac has none. sysctl tells the truth under Rosetta too."""
    source = "sysctl machdep.cpu.brand_string"
    answer = world.run(["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"])
    if not answer.ok:
        return unknown(answer.cause, source)
    chip = parse_brand(answer.stdout)
    return found(Apple(chip=chip), source) if chip else absent(source, why=answer.stdout.strip()[:80])


def parse_brand(text: str) -> str | None:
    """`Apple M2 Pro` as it stands; None for another maker's chip."""
    match = re.fullmatch(r"Apple [\w ]{1,40}", text.strip(), re.ASCII)
    return match[0] if match else None
