"""A stack for one machine: markers evaluated, and Pythons that a project is not for refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from torchdoctor.core.i18n import message
from torchdoctor.core.markers import marker_holds
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.markers import Environment

    from torchdoctor.requirements.model import AskedRequirement, StackRequest

__all__ = ["stack_for_environment"]


def stack_for_environment(stack: StackRequest, environment: Environment) -> StackRequest:
    """Return what of the stack counts where markers have these values, without its markers.

    Raises `UsageError` where a project is not for that Python.
    """
    full_version = Version(environment["python_full_version"].rstrip("+"))
    for asked in stack.pythons:
        specifier = Requirement(asked.line).specifier
        if not specifier.contains(full_version, prereleases=True):
            raise UsageError(
                message(
                    "{origin}: the project is for Python {wanted}, and this is Python {version}",
                    origin=asked.origin,
                    wanted=specifier,
                    version=environment["python_version"],
                ),
                fix=message("choose another Python with --python"),
                code="project-python",
            )
    return replace(
        stack,
        requirements=tuple(_counting(stack.requirements, environment)),
        constraints=tuple(_counting(stack.constraints, environment)),
        preferred=tuple(_counting(stack.preferred, environment)),
        overrides=tuple(
            line
            for text in stack.overrides
            if (line := _counting_line(text, environment, "--override")) is not None
        ),
    )


def _counting(asked: Iterable[AskedRequirement], environment: Environment) -> Iterable[AskedRequirement]:
    for each in asked:
        line = _counting_line(each.line, environment, each.origin)
        if line is not None:
            yield replace(each, line=line)


def _counting_line(line: str, environment: Environment, origin: str) -> str | None:
    """Return the line without its marker; None where the marker is false."""
    requirement = Requirement(line)
    if requirement.marker is None:
        return line
    counts = marker_holds(requirement.marker, environment)
    if counts is None:
        raise UsageError(
            message(
                "{origin}: the marker of {line!r} compares what cannot be compared", origin=origin, line=line
            ),
            fix=message("correct the marker"),
            code="requirements-line",
        )
    requirement.marker = None
    return str(requirement) if counts else None
