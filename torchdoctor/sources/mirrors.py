"""The known mirrors of the PyTorch index, from `mirrors.toml`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import joined, message
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
    """Return every mirror by name: its `base`, `layout`, what it `lacks`, and the `source` of these facts."""
    table: dict[str, Any] = tomllib.loads(_TABLE.read_text("utf-8"))
    return table


def mirror_names() -> tuple[str, ...]:
    """Return the names that `--mirror` takes."""
    return tuple(mirror_table())


def mirror(name: str) -> tuple[Source, Source | None]:
    """Return a mirror of the PyTorch index and the PyPI mirror on its host; raises `UsageError` for an unknown name."""
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


def mirrors_by_speed(report: Callable[[str], None]) -> tuple[str, ...]:
    """Return the names of the mirrors that answer, the official index among them, the fastest first.

    `report` receives a line for each. Raises `SourceFailed` when none answers.
    """
    table = mirror_table()
    pages = {mirror_page(row): name for name, row in table.items()}
    measurements = measure_all(pages)
    for measurement in measurements:
        what = measurement.failure or message(
            "{rate:.1f} MB/s, first byte after {latency:.0f} ms",
            rate=(measurement.rate or 0) / 1e6,
            latency=1000 * (measurement.latency or 0),
        )
        report(f"--mirror {AUTO}: {pages[measurement.url]}: {what}")
    names = tuple(pages[url] for url in fastest(measurements))
    if not names:
        raise SourceFailed(
            message(
                "no mirror can be read: {names}",
                names=joined((f"{pages[row.url]}: {row.failure}" for row in measurements), "; "),
            ),
            fix=message("check the network and the proxy settings, or name a folder with --find-links"),
            code="unreachable",
        )
    return names
