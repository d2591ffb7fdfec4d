"""Which project a requirement line is about."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

__all__ = ["project_in", "project_of"]


def project_of(line: str) -> str:
    """Return the normalised name of what a requirement line is about; raises `InvalidRequirement`."""
    return str(canonicalize_name(Requirement(line).name))


def project_in(line: str) -> str | None:
    """Return the normalised name of what a line from anywhere is about; None where it is no requirement."""
    try:
        return project_of(line)
    except (InvalidRequirement, RecursionError):
        return None
