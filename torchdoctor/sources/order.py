"""The order in which sources are asked for torch, and the indexes that serve everything else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import UsageError
from torchdoctor.sources.installer_limits import Limits
from torchdoctor.sources.mirrors import AUTO, mirror
from torchdoctor.sources.source import OFFICIAL, PYPI, Source, as_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.sources.installer_config import IndexSetting

__all__ = ["Sources", "order_sources"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Which source is asked for what: `torch` for torch and its companions, the next three for all other packages."""

    torch: tuple[Source, ...]  # in the order in which they are asked
    indexes: tuple[Source, ...]  # the first has priority
    default_index: Source | None  # asked after `indexes`
    find_links: tuple[Source, ...]  # asked together with the indexes
    ignored: tuple[str, ...] = ()  # why settings of pip and uv that name no place are ignored
    mirrors: tuple[Source, ...] = ()  # may serve files of the other sources, in parallel with them
    # Whether no index comes before another: of one with priority a release counts even without a file for the machine.
    alike: bool = False
    trusted: bool = False  # whether the user takes files of torch that nobody vouches for
    vendor: str | None = None  # whose own builds `torch` are, where PyTorch's are not asked for
    limits: Limits = field(default_factory=Limits)  # of pip's and uv's settings, and of our own options

    def without(self, urls: Iterable[str]) -> Sources:
        """Return the sources without those at `urls`, which turned out to be unreachable."""
        removed = frozenset(urls)
        default = self.default_index
        return replace(
            self,
            torch=tuple(source for source in self.torch if source.url not in removed),
            indexes=tuple(source for source in self.indexes if source.url not in removed),
            default_index=default if default is not None and default.url not in removed else None,
            find_links=tuple(source for source in self.find_links if source.url not in removed),
            mirrors=tuple(source for source in self.mirrors if source.url not in removed),
        )


def order_sources(
    *,
    index_url: str | None = None,
    find_links: Sequence[str] = (),
    mirror_name: str | None = None,
    by_speed: Sequence[str] = (),
    configured: Sequence[IndexSetting] = (),
    trusted: bool = False,
    offline: bool = False,
) -> Sources:
    """Return the sources in order: explicit ones, the mirror, the official index, settings of pip and uv, PyPI.

    torch never comes from an index that a project names, to which the user agreed: that one has all other packages.
    The dependencies of torch come from the explicit index, then from the user's own indexes. The official index is
    never asked for them, so that a name on one index cannot stand in for a package of another. The mirror `auto`
    stands for those named in `by_speed`, the fastest first, which then also serve each other's files in parallel; the
    user's own index comes before a mirror of PyPI that nobody named. Where pip or uv is told to use no index, only
    explicit sources and configured find-links remain. `trusted` says that the user takes what nobody vouches for.

    Raises `UsageError` for a place that is neither a URL nor a folder, and for an unknown mirror.
    """
    explicit_links = [_source(place, "flat", "--find-links") for place in find_links]
    explicit_index = [_source(index_url, "either", "--index-url")] if index_url else []
    is_auto = mirror_name == AUTO
    torch_mirrors, pypi_mirrors = _mirrors(by_speed if is_auto else [mirror_name] if mirror_name else [])
    no_index = any(setting.kind == "no-index" for setting in configured)
    usable, ignored = _split_usable(
        [each for each in configured if not no_index or each.kind == "find-links"]
    )
    from_settings = [_from_setting(setting) for setting in usable]
    of_user = [each for each, setting in zip(from_settings, usable, strict=True) if not setting.of_project]
    official = [] if no_index or OFFICIAL in torch_mirrors else [OFFICIAL]
    fallback = [] if no_index else [PYPI]
    user_defaults = [
        each for each, setting in zip(from_settings, usable, strict=True) if setting.kind == "index"
    ]
    user_links = [each for each in from_settings if each.layout == "flat"]
    extra_indexes = [each for each in from_settings if each not in (*user_defaults, *user_links)]
    mirror_default = [] if is_auto and torch_mirrors[:1] == [OFFICIAL] else pypi_mirrors[:1]
    first, second = (user_defaults, mirror_default) if is_auto else (mirror_default, user_defaults)
    defaults = first or second or fallback
    sources = Sources(
        torch=_distinct([*explicit_index, *explicit_links, *torch_mirrors, *official, *of_user, *fallback]),
        indexes=_distinct([*explicit_index, *extra_indexes, *defaults[1:]]),
        default_index=defaults[0] if defaults else None,
        find_links=_distinct([*explicit_links, *user_links]),
        ignored=ignored,
        mirrors=_distinct([*torch_mirrors, *pypi_mirrors]) if is_auto else (),
        trusted=trusted,
    )
    return _only_local(sources) if offline else sources


def _mirrors(names: Iterable[str]) -> tuple[list[Source], list[Source]]:
    """Return the mirrors of these names for torch, and those of them that have all other packages."""
    mirrors = [mirror(name) for name in names]
    return [torch for torch, _ in mirrors], [others for _, others in mirrors if others is not None]


def _only_local(sources: Sources) -> Sources:
    default = [sources.default_index] if sources.default_index is not None else []
    everything = (*sources.torch, *sources.indexes, *sources.find_links, *default)
    return sources.without(source.url for source in everything if not source.local)


def _split_usable(configured: Sequence[IndexSetting]) -> tuple[list[IndexSetting], tuple[str, ...]]:
    """The settings that name a place, and why each other one is ignored: nobody typed it for this run."""
    usable, ignored = [], []
    for setting in configured:
        try:
            as_url(setting.place, origin=setting.origin)
        except UsageError as error:
            ignored.append(message("{what}; it is ignored", what=error.message))
        else:
            usable.append(setting)
    return usable, tuple(ignored)


def _source(place: str, layout: str, origin: str) -> Source:
    url = as_url(place, origin=origin)
    return Source(
        name=redact_url(place), url=url, layout="flat" if layout == "flat" else "either", origin=origin
    )


def _from_setting(setting: IndexSetting) -> Source:
    return Source(
        name=redact_url(setting.place),
        url=as_url(setting.place, origin=setting.origin),
        layout="flat" if setting.kind == "find-links" else "simple",
        origin=setting.origin,
    )


def _distinct(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Each place once, where it comes first."""
    by_place = {(source.url.rstrip("/"), source.layout): source for source in reversed(list(sources))}
    return tuple(by_place.values())[::-1]
