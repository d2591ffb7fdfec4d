"""Libraries that another build of torch left in the environment, and nothing requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.requirement_names import project_in
from torchdoctor.diagnose import Observation
from torchdoctor.doctor.pip_leftovers import half_metadata
from torchdoctor.install.shared_files import bytes_of_packages
from torchdoctor.inventory.required import marker_environment
from torchdoctor.inventory.torch_dependencies import unneeded_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.inventory import Inventory

__all__ = ["unneeded_observations", "unneeded_sizes"]

_MAX_NAMES = 3


def unneeded_observations(check_up: CheckUp) -> Iterator[Observation]:
    """Yield one observation of all of them, with the room that they take."""
    sizes = unneeded_sizes(check_up)
    if not sizes:
        return
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    shown = names[:_MAX_NAMES] + ([f"… ({len(names)})"] if len(names) > _MAX_NAMES else [])
    yield Observation(
        name="live.unneeded",
        value=" ".join(sorted(sizes)),
        source=message(
            "nothing requires {names}: {size:.1f} GB", names=joined(shown), size=sum(sizes.values()) / 1e9
        ),
    )


def unneeded_sizes(check_up: CheckUp) -> dict[str, int]:
    """Return the bytes of each such package in the environment's own folders, without files that others have too."""
    # A package that has lost its metadata may require any of them. And where torch is none that a companion goes with,
    # it is open which torch stays: they may be the libraries of the one that was replaced.
    if half_metadata(check_up.inventory) or _lacks_its_torch(check_up.inventory):
        return {}
    own = tuple(
        folder for folder in check_up.python.site_packages if check_up.python.prefix in folder.parents
    )
    folders, installed = set(map(str, own)), check_up.inventory.distributions.value or ()
    record = check_up.inventory.install_record.value
    asked = {name for line, _ in (record.asked if record else ()) if (name := project_in(line))}
    names = unneeded_packages(installed, marker_environment(check_up.python), asked)
    there = names & {each.name for each in installed if each.folder in folders}
    return bytes_of_packages(own, there) if there else {}


def _lacks_its_torch(inventory: Inventory) -> bool:
    matches = inventory.companions.value or ()
    return any(match.matches is False or match.same_variant is False for match in matches)
