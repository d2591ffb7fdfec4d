"""The mirrors that are known, from the data file beside this module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from torchdoctor.errors import UsageError
from torchdoctor.sources.source import Source

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["mirror", "mirror_names", "mirror_table"]


def mirror_table() -> dict[str, Any]:
    """Every mirror's row: `base`, `layout`, what it `lacks`, its `source`."""
    table: dict[str, Any] = tomllib.loads(Path(__file__).with_name("mirrors.toml").read_text("utf-8"))
    return table


def mirror_names() -> tuple[str, ...]:
    """Names that `--mirror` takes."""
    return tuple(mirror_table())


def mirror(name: str) -> tuple[Source, Source | None]:
    """The mirror of the PyTorch index and the PyPI mirror that goes with it; `UsageError` for an unknown name."""
    table = mirror_table()
    if name not in table:
        raise UsageError(
            f"no mirror is called {name!r}", fix=f"choose one of: {', '.join(table)}", kind="no-such-mirror"
        )
    row = table[name]
    origin = f"--mirror {name}"
    companion = row.get("companion_pypi")
    return (
        Source(name=f"mirror {name}", url=row["base"], layout=row["layout"], origin=origin),
        Source(name=f"mirror {name} of PyPI", url=companion, layout="simple", origin=origin)
        if companion
        else None,
    )
