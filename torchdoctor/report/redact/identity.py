"""Who a report is of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who runs this, where, and for what, as far as it is known."""

    users: tuple[str, ...] = ()  # user names
    homes: tuple[str, ...] = ()  # paths of home folders
    hosts: tuple[str, ...] = ()  # names of this computer
    projects: tuple[str, ...] = ()  # names of the user's own projects
