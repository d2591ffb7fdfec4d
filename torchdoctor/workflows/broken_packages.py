"""What an install would break among the packages that stay, and a torch that breaks none of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import InstallFailed, NoSolution
from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.requirement_conflicts import broken_requirements, requirements_on
from torchdoctor.lock.target import marker_environment
from torchdoctor.resolve import resolve
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from torchdoctor.detect import Machine
    from torchdoctor.inventory.package_model import Distribution
    from torchdoctor.inventory.requirement_conflicts import BrokenRequirement
    from torchdoctor.lock import Lock
    from torchdoctor.resolve import Request
    from torchdoctor.workflows.target_environment import TargetEnvironment

__all__ = ["BrokenPackages", "broken_packages"]

_MAX_SHOWN = 5


class BrokenPackages:
    """The requirements that a lock breaks, and a release of torch that breaks none of them."""

    def __init__(self, broken: tuple[BrokenRequirement, ...], offered: str | None, folder: str) -> None:
        self._broken, self._offered, self._folder = broken, offered, folder

    def __bool__(self) -> bool:
        return bool(self._broken)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Each requirement with the version that breaks it."""
        return tuple(each.description for each in self._broken)

    @property
    def advice(self) -> str:
        """What to do instead."""
        elsewhere = message("install into an environment of its own: torchdoctor install ENV")
        if self._offered is None:
            return elsewhere
        return message(
            "torch {version} breaks none of them: torchdoctor install {folder} --torch {version}; or {elsewhere}",
            version=self._offered,
            folder=self._folder,
            elsewhere=elsewhere,
        )

    def refuse(self) -> None:
        """Raise `InstallFailed` where anything would break."""
        if self._broken:
            raise InstallFailed(
                message(
                    "other packages in {folder} would stop working together: {which}",
                    folder=self._folder,
                    which=joined(self.descriptions[:_MAX_SHOWN], "; "),
                ),
                fix=self.advice,
                code="conflict",
            )


def broken_packages(
    target: TargetEnvironment, installed: Mapping[str, str], lock: Lock, machine: Machine, request: Request
) -> BrokenPackages:
    """Return which of the environment's packages would no longer get the torch or the like that they require.

    `request` is what was asked for: the torch that is offered is one that the machine can have.
    """
    markers = cast("dict[str, str | AbstractSet[str]]", marker_environment(machine))
    folders = target.python.site_packages if target.exists else ()
    distributions = [each for folder in folders for each in read_folder(str(folder)).distributions]
    after = {wheel.name: wheel.version for wheel in lock.wheels}
    broken = broken_requirements(distributions, installed, after, markers)
    staying = [each for each in distributions if each.name not in after and each.name not in COMPANIONS]
    offered = _offered(staying, markers, machine, request) if broken else None
    return BrokenPackages(broken, offered, quoted(str(target.folder)))


def _offered(
    staying: Sequence[Distribution],
    markers: Mapping[str, str | AbstractSet[str]],
    machine: Machine,
    request: Request,
) -> str | None:
    limits = SpecifierSet()
    for _, requirement in requirements_on("torch", staying, markers):
        limits &= requirement.specifier
    try:
        plan = resolve(machine, replace(request, torch=limits, required={}))
    except NoSolution:
        return None
    return str(plan.torch.version.public)
