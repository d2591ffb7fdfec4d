"""What was asked for when an environment was made or changed, by its record."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.inventory.install_record import read_install_record
from torchdoctor.requirements import AskedRequirement

__all__ = ["recorded_requirements"]


def recorded_requirements(prefix: str) -> tuple[AskedRequirement, ...]:
    """Return the requirements in the record of an environment; none where there is no record."""
    record = read_install_record(prefix).value
    asked = []
    for line, origin in record.asked if record is not None else ():
        try:
            name = str(canonicalize_name(Requirement(line).name))
        except InvalidRequirement:  # a person may have edited the file
            continue
        asked.append(AskedRequirement(line=line, name=name, origin=origin))
    return tuple(asked)
