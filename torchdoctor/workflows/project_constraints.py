"""Constraints files for a project that pip installs: one for each family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.detect import machine_from_options
from torchdoctor.project import ProjectChange
from torchdoctor.project.pyproject import read_file
from torchdoctor.report.formats import describe_stack, format_text
from torchdoctor.resolve import Request, resolve

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.project.result import ProjectResult
    from torchdoctor.resolve.family_cover import Family
    from wheels_index import Snapshot

__all__ = ["constraint_changes"]


def constraint_changes(
    result: ProjectResult, families: tuple[Family, ...], snapshot: Snapshot
) -> tuple[ProjectChange, ...]:
    """Return a file for each family that holds its builds; a Mac's builds have no local version."""
    changes = []
    for family in families:
        text = _constraints(result, family, snapshot)
        path = result.project.path / f"constraints-{canonicalize_name(family.variant)}.txt"
        changes.append(
            ProjectChange(
                path=path,
                before=read_file(path),
                after=f"{text}\n".encode(),
                notes=(
                    message(
                        "{file}: torch {torch}, {variant}",
                        file=path.name,
                        torch=family.torch,
                        variant=family.variant,
                    ),
                ),
            )
        )
    return tuple(changes)


def _constraints(result: ProjectResult, family: Family, snapshot: Snapshot) -> str:
    """The lines of a file: the same in every language, so that a check in CI finds what a person wrote."""
    machines = [result.machines[name] for name in family.machines] or [_any_machine(result)]
    by_system = {machine.os == "macos": machine for machine in machines}
    lines = {is_mac: _lines(machine, family, snapshot) for is_mac, machine in by_system.items()}
    index_url = next(each.index_url for each in result.families if each.variant == family.variant)
    pins = next(iter(lines.values()))
    if len(lines) > 1:
        pins = [_with_marker(line, "sys_platform != 'darwin'") for line in lines[False]]
        pins += [_with_marker(line, "sys_platform == 'darwin'") for line in lines[True]]
    head = [f"# torchdoctor project: the builds of {family.variant}", f"--extra-index-url {index_url}"]
    return "\n".join([*head, *pins])


def _lines(machine: Machine, family: Family, snapshot: Snapshot) -> list[str]:
    request = Request(torch=SpecifierSet(f"=={family.torch}"), variant=family.variant)
    plan = resolve(machine, request, snapshot)
    text = format_text(describe_stack(plan, machine, snapshot=snapshot), "constraints")
    return [line for line in text.splitlines() if not line.startswith(("#", "-"))]


def _with_marker(line: str, marker: str) -> str:
    return f"{Requirement(line)}; {marker}"


def _any_machine(result: ProjectResult) -> Machine:
    """A Linux machine with the project's Python, for a family that was only named."""
    python = next((machine.python.version for machine in result.machines.values()), "3.12")
    return machine_from_options(platform="linux", python_version=python, driver=None, gpus=(), libc=None)
