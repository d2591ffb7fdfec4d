"""The packages of an environment, listed by its own interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.verify.packages.model import ListedPackage
from torchdoctor.verify.probe_process import ProbeProcess

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["ListingFailed", "list_packages"]

_LISTING_SECONDS = 120.0
_MAX_PACKAGES = 2000
_MAX_MARKERS = 30


class ListingFailed(Exception):
    """The interpreter did not list its packages."""


def list_packages(
    python: Path, names: Iterable[str], folder: Path, environ: Mapping[str, str], memory_mib: int | None
) -> tuple[Mapping[str, str], tuple[ListedPackage, ...]]:
    """Return the markers of an interpreter and its packages that are among `names` or may require torch.

    Raises `ListingFailed` with the reason.
    """
    process = ProbeProcess(python, {"suite": "packages", "asked": sorted(names)}, folder, environ)
    markers: dict[str, str] = {}
    packages: list[ListedPackage] = []
    try:
        while (event := _next(process, memory_mib))["event"] != "end":
            if event["event"] == "markers":
                markers = _markers(event["values"])
            elif event["event"] == "package" and len(packages) < _MAX_PACKAGES:
                packages.append(ListedPackage.from_event(event))
    finally:
        process.stop()
    return markers, tuple(packages)


def _next(process: ProbeProcess, memory_mib: int | None) -> dict[str, Any]:
    try:
        event = process.next_event(_LISTING_SECONDS, memory_mib)
    except TimeoutError as error:
        text = message("took longer than {limit:g} s and was stopped", limit=_LISTING_SECONDS)
        raise ListingFailed(text) from error
    except MemoryError as error:
        raise ListingFailed(str(error)) from error
    if event is None:
        raise ListingFailed(process.ended.text)
    return event


def _markers(values: Mapping[str, Any]) -> dict[str, str]:
    pairs = list(values.items())[:_MAX_MARKERS]
    return {str(name): sanitize_line(str(value)) for name, value in pairs}
