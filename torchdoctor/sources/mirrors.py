"""The mirrors that are known, from the data file beside this module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.sources.source import OFFICIAL, Source
from torchdoctor.sources.speed import fastest, measure_all, mirror_page

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AUTO", "mirror", "mirror_names", "mirror_table", "mirrors_by_speed"]

AUTO = "auto"
_TABLE = Path(__file__).with_name("mirrors.toml")


def mirror_table() -> dict[str, Any]:
    """Every mirror's row: `base`, `layout`, what it `lacks`, its `source`."""
    table: dict[str, Any] = tomllib.loads(_TABLE.read_text("utf-8"))
    return table


def mirror_names() -> tuple[str, ...]:
    """Names that `--mirror` takes."""
    return tuple(mirror_table())


def mirror(name: str) -> tuple[Source, Source | None]:
    """The mirror of the PyTorch index and the PyPI mirror that goes with it; `UsageError` for an unknown name."""
    table = mirror_table()
    if name not in table:
        raise UsageError(
            message("no mirror is called {name!r}", name=name),
            fix=message(
                "choose one of: {names}; or {auto}, which takes the fastest", names=joined(table), auto=AUTO
            ),
            code="no-such-mirror",
        )
    row = table[name]
    if row["base"] == OFFICIAL.url:
        return OFFICIAL, None
    origin = f"--mirror {name}"
    companion = row.get("companion_pypi")
    return (
        Source(
            name=message("mirror {name}", name=name), url=row["base"], layout=row["layout"], origin=origin
        ),
        Source(
            name=message("mirror {name} of PyPI", name=name), url=companion, layout="simple", origin=origin
        )
        if companion
        else None,
    )


def mirrors_by_speed(tell: Callable[[str], None]) -> tuple[str, ...]:
    """Names of the mirrors in reach, the official index among them, the fastest first.

    Raises `SourceFailed` when none answers.
    """
    table = mirror_table()
    pages = {mirror_page(row): name for name, row in table.items()}
    found = measure_all(pages)
    for row in found:
        what = row.failure or message(
            "{rate:.1f} MB/s, first byte after {latency:.0f} ms",
            rate=(row.rate or 0) / 1e6,
            latency=1000 * (row.latency or 0),
        )
        tell(f"--mirror {AUTO}: {pages[row.url]}: {what}")
    names = tuple(pages[url] for url in fastest(found))
    if not names:
        raise SourceFailed(
            message(
                "no mirror can be read: {names}",
                names=joined((f"{pages[row.url]}: {row.failure}" for row in found), "; "),
            ),
            fix=message("check the network and the proxy settings, or name a folder with --find-links"),
            code="unreachable",
        )
    return names
