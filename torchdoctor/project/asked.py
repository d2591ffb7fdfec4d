"""What a project asks of torch on one machine: its requirements as a request, and the Python that it runs with."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchdoctor.core.markers import marker_holds
from torchdoctor.project.pyproject import read_file, table_at
from torchdoctor.project.specifiers import without_local
from torchdoctor.resolve import Request
from wheels_index import COMPANIONS, TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.detect import Machine
    from torchdoctor.project.recognize import ProjectFolder
    from wheels_index import Snapshot

__all__ = ["machine_with_project_python", "pinned_torch", "project_request"]

_SYSTEMS = {"linux": ("linux", "Linux"), "windows": ("win32", "Windows"), "macos": ("darwin", "Darwin")}
_PROCESSORS = {("windows", "x86_64"): "AMD64", ("windows", "arm64"): "ARM64"}


def project_request(
    project: ProjectFolder, machine: Machine, *, torch: SpecifierSet | None, with_: Iterable[str]
) -> Request:
    """Return what the project asks of torch and its companions on a machine; `torch` limits it further."""
    specifiers = torch or SpecifierSet()
    required: dict[str, SpecifierSet] = {
        name: SpecifierSet() for name in map(canonicalize_name, with_) if name in COMPANIONS
    }
    environment = _marker_environment(machine)
    for requirement in _torch_lines(project):
        if requirement.marker is not None and not _holds(requirement, environment):
            continue
        name = canonicalize_name(requirement.name)
        public = without_local(requirement.specifier)
        if name == "torch":
            specifiers &= public
        else:
            required[name] = required.get(name, SpecifierSet()) & public
    return Request(torch=specifiers if str(specifiers) else None, required=required)


def pinned_torch(project: ProjectFolder) -> bool:
    """Whether the project itself names one version of torch."""
    return any(
        canonicalize_name(requirement.name) == "torch"
        and any(each.operator in ("==", "===") and "*" not in each.version for each in requirement.specifier)
        for requirement in project.requirements()
    )


def machine_with_project_python(machine: Machine, project: ProjectFolder, snapshot: Snapshot) -> Machine:
    """Return the machine with the Python that the project will run with there.

    It is the one of `.python-version`, the machine's own if the project admits it, or the oldest that it admits: uv
    fetches what is missing.
    """
    named = _python_version_file(project)
    if named is not None:
        return _with_python(machine, named)
    wanted = project.pyproject.requires_python if project.pyproject is not None else None
    if wanted is None and project.launcher is not None:
        wanted = f"=={project.launcher.python}.*" if project.launcher.python else None
    try:
        admitted = SpecifierSet(wanted or "")
    except InvalidSpecifier:
        return machine
    if admitted.contains(machine.python.version.rstrip("+"), prereleases=True):
        return machine
    known = sorted(
        {
            label
            for release in snapshot.releases()
            for builds in release.platforms.values()
            for label in builds.pythons
            if not label.endswith("t")
        },
        key=Version,
    )
    fitting = next((label for label in known if admitted.contains(f"{label}.99")), None)
    return _with_python(machine, f"{fitting}.0") if fitting else machine


def _torch_lines(project: ProjectFolder) -> Iterator[Requirement]:
    """What always counts: the dependencies, and what `[tool.uv]` adds to every requirement."""
    lines = list(project.requirements())
    if project.pyproject is not None:
        uv = table_at(project.pyproject.document, "tool", "uv")
        for key in ("constraint-dependencies", "override-dependencies"):
            rows = uv.get(key)
            for line in rows if isinstance(rows, list) else ():
                try:
                    lines.append(Requirement(line))
                except (InvalidRequirement, TypeError):
                    continue
    yield from (line for line in lines if canonicalize_name(line.name) in TORCH_PROJECTS and line.url is None)


def _holds(requirement: Requirement, environment: dict[str, str]) -> bool:
    return marker_holds(requirement.marker, environment) is not False  # uv will say more of nonsense


def _marker_environment(machine: Machine) -> dict[str, str]:
    """https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers."""
    short = ".".join(machine.python.version.split(".")[:2])
    platform, system = _SYSTEMS[machine.os]
    return {
        "sys_platform": platform,
        "platform_system": system,
        "platform_machine": _PROCESSORS.get((machine.os, machine.arch), machine.arch),
        "os_name": "nt" if machine.os == "windows" else "posix",
        "python_version": short,
        "python_full_version": machine.python.version,
        "implementation_name": machine.python.implementation,
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def _python_version_file(project: ProjectFolder) -> str | None:
    """The version in `.python-version`, where it is a plain one."""
    content = read_file(project.path / ".python-version") or b""
    first = content.decode("utf-8", errors="replace").strip().partition("\n")[0].strip()
    return first if re.fullmatch(r"3\.\d{1,2}(\.\d{1,2})?", first) else None


def _with_python(machine: Machine, version: str) -> Machine:
    return replace(machine, python=replace(machine.python, version=version, free_threaded=False))
