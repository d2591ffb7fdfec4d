"""Whether an environment marker holds, where lines come from anywhere: a lock, metadata, a file of requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.markers import Marker

__all__ = ["marker_holds"]


def marker_holds(
    marker: Marker | None, environment: Mapping[str, object], extras: Iterable[str] = ()
) -> bool | None:
    """Return whether a marker holds without an extra or for one of these; None for one that compares nonsense.

    `'a' in 'aaa'` and `python_version < "x"` have the form of a marker, and packaging raises for them:
    https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
    """
    if marker is None:
        return True
    values: dict[str, Any] = dict(environment)
    try:
        return any(marker.evaluate({**values, "extra": extra}) for extra in ("", *extras))
    except (ValueError, KeyError):
        return None
