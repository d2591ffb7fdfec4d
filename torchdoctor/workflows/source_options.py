"""Where the user wants packages to come from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SourceOptions"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceOptions:
    """Where to look for packages, before pip's and uv's settings and the official index."""

    index_url: str | None = None  # an index to ask first
    find_links: tuple[str, ...] = ()  # folders or pages of wheels to look at first
    mirror: str | None = None  # the name of a mirror of the PyTorch index, or "auto" for the fastest
    vendor: str | None = None  # take the builds of this vendor's own index instead of PyTorch's
    trust_mirror: bool = False  # take files of torch that nobody trusted vouches for
    offline: bool = False  # use only folders and the cache
    exclude_newer: str | None = (
        None  # nothing that was uploaded later counts: a date, a time or a length of time
    )
    trust_project: bool = False  # use what a project's own files say of indexes

    @property
    def names_torch(self) -> bool:
        """Whether a place is named that is asked for torch."""
        return bool(self.index_url or self.find_links or self.mirror or self.vendor)
