"""In which order sources are asked for torch, and which indexes serve everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import UsageError
from torchdoctor.sources.mirrors import AUTO, mirror
from torchdoctor.sources.source import OFFICIAL, PYPI, Source, as_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.sources.installer_config import Setting

__all__ = ["Sources", "order_sources"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Who is asked for what.

    `torch` are asked in this order for torch and its companions. The rest serves what torch depends on:
    `indexes` in order of priority, then `default_index`, and `find_links` beside them. `ignored` says which
    settings of pip and uv name no place. `mirrors` may serve the files of the others side by side with them.
    """

    torch: tuple[Source, ...]
    indexes: tuple[Source, ...]
    default_index: Source | None
    find_links: tuple[Source, ...]
    ignored: tuple[str, ...] = ()
    mirrors: tuple[Source, ...] = ()

    def without(self, urls: Iterable[str]) -> Sources:
        """The sources less those at `urls`, which turned out to be out of reach."""
        gone = frozenset(urls)
        default = self.default_index
        return Sources(
            torch=tuple(row for row in self.torch if row.url not in gone),
            indexes=tuple(row for row in self.indexes if row.url not in gone),
            default_index=default if default is not None and default.url not in gone else None,
            find_links=tuple(row for row in self.find_links if row.url not in gone),
            ignored=self.ignored,
            mirrors=tuple(row for row in self.mirrors if row.url not in gone),
        )


def order_sources(
    *,
    index_url: str | None = None,
    find_links: Sequence[str] = (),
    mirror_name: str | None = None,
    by_speed: Sequence[str] = (),
    configured: Sequence[Setting] = (),
    offline: bool = False,
) -> Sources:
    """Explicit ones, the mirror asked for, the official index, pip's and uv's settings, PyPI.

    The dependencies of torch come from what was given explicitly, then from the user's own indexes; the
    official index is never asked for them, so a name on one can never stand in for a package of the other.
    The mirror `auto` stands for those named in `by_speed`, the fastest first, which then also serve each other's
    files side by side; the user's own index comes before a mirror of PyPI that nobody named. Where pip or uv is told to
    ask no index, only what was given explicitly and what is configured as find-links is asked.
    Raises `UsageError` for a place that is no URL, no folder, or an unknown mirror.
    """
    explicit = [_source(place, "flat", "--find-links") for place in find_links]
    given = [_source(index_url, "either", "--index-url")] if index_url else []
    auto = mirror_name == AUTO
    mirrors = [mirror(name) for name in (by_speed if auto else [mirror_name] if mirror_name else [])]
    companions = [row for _, row in mirrors if row is not None]
    banned = any(row.kind == "no-index" for row in configured)
    usable, ignored = _usable([row for row in configured if not banned or row.kind == "find-links"])
    last = [] if banned else [PYPI]
    settings = [_from_setting(row) for row in usable]
    own_mirrors = [row for row, _ in mirrors]
    official = [] if banned or OFFICIAL in own_mirrors else [OFFICIAL]
    torch = [*given, *explicit, *own_mirrors, *official, *settings, *last]
    own = [row for row in settings if row.layout == "simple"]
    defaults = [row for row, setting in zip(settings, usable, strict=True) if setting.kind == "index"]
    extra = [row for row in own if row not in defaults]
    near = [] if auto and mirrors and mirrors[0][0] == OFFICIAL else companions[:1]
    default = (defaults or near or last) if auto else (near or defaults or last)
    sources = Sources(
        torch=_distinct(torch),
        indexes=_distinct([*given, *extra, *default[1:]]),
        default_index=default[0] if default else None,
        find_links=_distinct([*explicit, *(row for row in settings if row.layout == "flat")]),
        ignored=ignored,
        mirrors=_distinct([*own_mirrors, *companions]) if auto else (),
    )
    if not offline:
        return sources
    everything = (*sources.torch, *sources.indexes, *sources.find_links, *_some(sources.default_index))
    return sources.without(row.url for row in everything if not row.local)


def _usable(configured: Sequence[Setting]) -> tuple[list[Setting], tuple[str, ...]]:
    """Settings that name a place; one that does not is no reason to stop, since nobody typed it now."""
    usable, ignored = [], []
    for row in configured:
        try:
            as_url(row.place, origin=row.origin)
        except UsageError as error:
            ignored.append(message("{what}; it is ignored", what=error.message))
        else:
            usable.append(row)
    return usable, tuple(ignored)


def _source(place: str, layout: str, origin: str) -> Source:
    url = as_url(place, origin=origin)
    return Source(
        name=redact_url(place), url=url, layout="flat" if layout == "flat" else "either", origin=origin
    )


def _from_setting(setting: Setting) -> Source:
    return Source(
        name=redact_url(setting.place),
        url=as_url(setting.place, origin=setting.origin),
        layout="flat" if setting.kind == "find-links" else "simple",
        origin=setting.origin,
    )


def _some(source: Source | None) -> list[Source]:
    return [source] if source is not None else []


def _distinct(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple({(row.url.rstrip("/"), row.layout): row for row in reversed(list(sources))}.values())[::-1]
