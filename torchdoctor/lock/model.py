"""A lock and its text: a pylock.toml (PEP 751) that is the same byte for byte each time, and holds no password."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.net.urls import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from torchdoctor.fetch.model import FetchedWheel

__all__ = ["Lock", "LockedWheel"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedWheel:
    """One file of the lock. `sha256` is None when no index gives one; `size` is in bytes."""

    name: str
    version: str
    filename: str
    url: str
    sha256: str | None
    size: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The files of a plan's whole closure, for one kind of machine.

    `environment` is a marker and `requires_python` a specifier that say for which (None: not said); `variant` is
    torch's.
    """

    wheels: tuple[LockedWheel, ...]
    environment: str | None = None
    requires_python: str | None = None
    variant: str | None = None

    @property
    def text(self) -> str:
        """The lock as the text of a pylock.toml; the files' places without credentials."""
        return self._text({})

    def text_beside(self, names: Iterable[str]) -> str:
        """The lock as it lies in one folder with these files."""
        return self._text({name: {"path": name} for name in names})

    def _text(self, places: dict[str, dict[str, Any]]) -> str:
        import tomli_w

        document: dict[str, Any] = {"lock-version": "1.0"}
        if self.environment is not None:
            document["environments"] = [self.environment]
        if self.requires_python is not None:
            document["requires-python"] = self.requires_python
        document["created-by"] = "torchdoctor"
        document["packages"] = [
            _package(row, places.get(row.filename, {"url": strip_credentials(row.url)}))
            for row in sorted(self.wheels, key=lambda row: (row.name, row.filename))
        ]
        if self.variant is not None:
            document["tool"] = {"torchdoctor": {"variant": self.variant}}
        return tomli_w.dumps(document)

    def without(self, names: Container[str]) -> Lock:
        """The lock less the packages named."""
        return replace(self, wheels=tuple(row for row in self.wheels if row.name not in names))

    def confirmed(self, fetched: Iterable[FetchedWheel]) -> Lock:
        """The lock with hash and size of the files that are there now."""
        known = {row.wheel.filename: row for row in fetched}
        return replace(
            self,
            wheels=tuple(
                replace(row, sha256=known[row.filename].sha256, size=known[row.filename].size)
                if row.filename in known
                else row
                for row in self.wheels
            ),
        )


def _package(row: LockedWheel, place: dict[str, Any]) -> dict[str, Any]:
    wheel: dict[str, Any] = {"name": row.filename, **place}
    if row.size is not None:
        wheel["size"] = row.size
    wheel["hashes"] = {"sha256": row.sha256} if row.sha256 else {}
    return {"name": row.name, "version": row.version, "wheels": [wheel]}
