"""What was asked for and what packages require, against what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.doctor.stack.model import StackProblem
from torchdoctor.doctor.stack.packages import allows, canonical, read_requirement
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.requirements import Requirement

    from torchdoctor.doctor.stack.packages import InstalledPackages
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["asked_requirements", "problems_of_asked", "problems_of_requirements"]

# What these require is judged by the check of torch itself.
_JUDGED_ELSEWHERE = (*TORCH_PROJECTS, "sympy", "jinja2")
_MAX_PACKAGES = 2000


def asked_requirements(packages: InstalledPackages) -> tuple[tuple[Requirement, str], ...]:
    """Return the requirements that somebody asked for, as far as they count on this system, each with where."""
    record = packages.inventory.install_record.value
    asked = []
    for line, origin in record.asked if record is not None else ():
        requirement = read_requirement(line)
        if requirement is not None and packages.applies(requirement):
            asked.append((requirement, origin))
    return tuple(asked)


def problems_of_asked(
    asked: Sequence[tuple[Requirement, str]], packages: InstalledPackages
) -> Iterator[StackProblem]:
    """Yield what was asked for and is missing, or is there in another version."""
    for requirement, origin in asked:
        name = canonical(requirement)
        there = packages.get(name)
        line = f"{name}{requirement.specifier}"
        if there is None:
            yield StackProblem(
                kind="asked-missing",
                package=name,
                requirement=line,
                description=message(
                    "{name} was asked for ({origin}) and is not installed", name=line, origin=origin
                ),
            )
        elif not allows(requirement, there.version):
            yield StackProblem(
                kind="asked-version",
                package=name,
                requirement=line,
                description=message(
                    "{line} was asked for ({origin}), and {version} is installed",
                    line=line,
                    origin=origin,
                    version=there.version,
                ),
            )


def problems_of_requirements(
    roots: Sequence[tuple[str, frozenset[str]]], packages: InstalledPackages
) -> Iterator[StackProblem]:
    """Yield what the roots and all that they require are missing, each once. A root is a name and its extras."""
    waiting = list(roots)
    seen: set[tuple[str, frozenset[str]]] = set()
    told: set[tuple[str, str]] = set()
    while waiting and len(seen) < _MAX_PACKAGES:
        name, extras = waiting.pop(0)
        package = packages.get(name)
        if package is None or (name, extras) in seen:
            continue
        seen.add((name, extras))
        if name in _JUDGED_ELSEWHERE:
            continue
        for requirement in packages.requirements(package, extras):
            required = canonical(requirement)
            problem = _problem(package, requirement, packages.get(required))
            if problem is None:
                waiting.append((required, frozenset(requirement.extras)))
            elif (required, problem.requirement) not in told:
                told.add((required, problem.requirement))
                yield problem


def _problem(
    package: Distribution, requirement: Requirement, there: Distribution | None
) -> StackProblem | None:
    name = canonical(requirement)
    values = {"by": f"{package.name} {package.version}", "wanted": f"{name}{requirement.specifier}"}
    if there is None:
        text = message("{by} requires {wanted}, which is not installed", **values)
        kind = "requirement-missing"
    elif not allows(requirement, there.version):
        text = message("{by} requires {wanted}, but {version} is installed", version=there.version, **values)
        kind = "requirement-version"
    else:
        return None
    return StackProblem(kind=kind, package=package.name, requirement=values["wanted"], description=text)  # type: ignore[arg-type]
