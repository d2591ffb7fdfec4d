"""AMD's own builds of torch have the code for each GPU in a package of its own, which an extra brings.

Without it torch says that the GPU is available, and the first kernel fails: https://github.com/ROCm/TheRock/issues/7839
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.requirement_names import project_in
from torchdoctor.diagnose import Observation
from wheels_index import extras_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp

__all__ = ["device_code_observations"]


def device_code_observations(check_up: CheckUp) -> Iterator[Observation]:
    """Yield each target of the machine's AMD GPUs whose package the installed torch names and the environment lacks."""
    inventory, amd = check_up.inventory, check_up.detection.machine.amd
    torch = inventory.distribution("torch")
    if torch is None or amd is None:
        return
    packages = {
        extra.removeprefix("device-"): project_in(line)
        for line in torch.requires
        for extra in extras_of([line])
        if extra.startswith("device-gfx")
    }
    installed = {package.name for package in inventory.distributions.value or ()}
    for gfx in dict.fromkeys(card.gfx for card in amd.gpus):
        package = packages.get(gfx) if gfx is not None else None
        if gfx is None or package is None or package in installed:
            continue
        text = message(
            "torch {version} has its code for {gfx} in {package}, which is not installed",
            version=torch.version or "",
            gfx=gfx,
            package=package,
        )
        yield Observation(name="live.amd.no_device_code", value=gfx, source=text)
