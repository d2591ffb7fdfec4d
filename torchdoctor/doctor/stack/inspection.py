"""Inventory -> StackState: the packages that were asked for or require torch, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.doctor.requirements import marker_environment
from torchdoctor.doctor.stack.extensions import problems_of_extensions
from torchdoctor.doctor.stack.model import StackState
from torchdoctor.doctor.stack.packages import InstalledPackages, canonical, read_requirement
from torchdoctor.doctor.stack.python_tags import problems_of_tags
from torchdoctor.doctor.stack.requirements import (
    asked_requirements,
    problems_of_asked,
    problems_of_requirements,
)
from wheels_index import TORCH_PROJECTS
from wheels_index.extension import extensions

if TYPE_CHECKING:
    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["inspect_stack"]


def inspect_stack(inventory: Inventory, python: PythonInfo) -> StackState:
    """Return what was asked for and what is wrong with it, with what requires torch, and with all they require."""
    packages = InstalledPackages(inventory=inventory, markers=marker_environment(python))
    asked = asked_requirements(packages)
    extras: dict[str, set[str]] = {}
    for requirement, _ in asked:
        extras.setdefault(canonical(requirement), set()).update(requirement.extras)
    own = [
        package
        for package in inventory.distributions.value or ()
        if package.name in extras or package.name in extensions() or _requires_torch(package, packages)
    ]
    roots = [(package.name, frozenset(extras.get(package.name, ()))) for package in own]
    compiled = [package for package in own if package.name not in TORCH_PROJECTS or package.name in extras]
    problems = (
        *problems_of_asked(asked, packages),
        *problems_of_requirements(roots, packages),
        *problems_of_extensions(inventory, python),
        *problems_of_tags(compiled, python),
    )
    return StackState(asked=tuple(extras), judged=len(roots), problems=problems)


def _requires_torch(package: Distribution, packages: InstalledPackages) -> bool:
    """By the lines that the inventory keeps of every package."""
    requirements = (read_requirement(line) for line in package.requires)
    return any(
        requirement is not None and canonical(requirement) in TORCH_PROJECTS and packages.applies(requirement)
        for requirement in requirements
    )
