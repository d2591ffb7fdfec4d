"""What installed packages require, with the extras and markers of each line followed, against what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.markers import marker_holds
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["Required", "marker_environment", "required_by_torch", "required_packages"]

_SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}
_MAX_PACKAGES = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Required:
    """A requirement that counts here, of the installed package `by`; `there` is what is installed of it."""

    by: Distribution
    requirement: Requirement
    name: str  # normalised, of what is required
    there: Distribution | None

    @property
    def is_met(self) -> bool:
        """Whether it is installed in a version that is allowed; one that cannot be read is."""
        if self.there is None:
            return False
        try:
            return self.there.version is None or self.requirement.specifier.contains(
                Version(self.there.version), prereleases=True
            )
        except InvalidVersion:
            return True


def required_packages(
    roots: Iterable[str], distributions: Iterable[Distribution], environment: Mapping[str, str]
) -> Iterator[Required]:
    """Yield what the roots require and what that requires in turn, from the metadata of the first copy of each.

    An extra of a line, as in `cuda-toolkit[cublas]`, is followed into the package that has it. `environment` are the
    values of markers. Packages of conda are not followed: pip's metadata does not say what holds there.
    """
    first: dict[str, Distribution] = {}
    for distribution in distributions:
        first.setdefault(distribution.name, distribution)
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset()) for name in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    yielded: set[tuple[str, str]] = set()
    while waiting and len(seen) < _MAX_PACKAGES:
        name, extras = waiting.pop(0)
        by = first.get(name)
        if by is None or by.kind == "conda" or (name, extras) in seen:
            continue
        seen.add((name, extras))
        for line in by.requires:
            requirement = _applying(line, extras, environment)
            if requirement is None:
                continue
            required = str(canonicalize_name(requirement.name))
            waiting.append((required, frozenset(requirement.extras)))
            if (name, line) not in yielded:
                yielded.add((name, line))
                yield Required(by=by, requirement=requirement, name=required, there=first.get(required))


def required_by_torch(
    distributions: Iterable[Distribution], environment: Mapping[str, str]
) -> frozenset[str] | None:
    """Return the names of torch, its companions and all that they require; None where torch has no metadata.

    NumPy is one of them: torch uses it where it is there, without requiring it.
    """
    installed = list(distributions)
    if not any(each.name == "torch" and each.kind != "conda" for each in installed):
        return None
    names = {each.name for each in required_packages(TORCH_PROJECTS, installed, environment)}
    return frozenset({*TORCH_PROJECTS, "numpy", *names})


def _applying(line: str, extras: frozenset[str], environment: Mapping[str, str]) -> Requirement | None:
    """The requirement of a line where its marker holds, without an extra or for one of these."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    return requirement if marker_holds(requirement.marker, environment, sorted(extras)) else None


def marker_environment(python: PythonInfo) -> dict[str, str]:
    """Return the markers of the environment's own Python: https://peps.python.org/pep-0508/#environment-markers."""
    short = ".".join(python.version.split(".")[:2])
    return {
        "platform_system": _SYSTEMS.get(python.sys_platform, python.sys_platform),
        "platform_python_implementation": _IMPLEMENTATIONS.get(python.implementation, python.implementation),
        "sys_platform": python.sys_platform,
        "platform_machine": python.machine,
        "os_name": "nt" if python.sys_platform == "win32" else "posix",
        "python_version": short,
        "python_full_version": python.version,
        "implementation_name": python.implementation,
        "extra": "",
    }
