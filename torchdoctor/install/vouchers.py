"""Who vouched for the hash of a wheel that was installed: what the record of the environment says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from torchdoctor.sources.vouched_files import known_hashes
from torchdoctor.sources.vouching import is_of_torch, is_official_index
from wheels_index import InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.resolve import Plan
    from wheels_index import Snapshot

__all__ = ["Voucher", "recorded_vouchers", "voucher_of"]

# facts: the file's hash is known. official, vendor, pypi: that index gave it. lock: a lock that the user named.
# index: an index of the user's. folder: the file lay in a folder, or was built here. first-download: nobody gave a
# hash, so it is that of the first download. trust: nobody who is trusted knows the file; the user took it all the same.
Voucher = Literal[
    "facts", "official", "vendor", "pypi", "lock", "index", "folder", "first-download", "trust",
]  # fmt: skip
_WEAK: frozenset[Voucher] = frozenset(("first-download", "trust"))
_PYPI_HOSTS = ("files.pythonhosted.org", "pypi.org")


def voucher_of(fetched: FetchedWheel, plan: Plan | None, facts: Snapshot, *, from_lock: bool) -> Voucher:
    """Return who vouched for a wheel; `facts` are those that the plan rests on."""
    wheel = fetched.wheel
    if plan is not None and wheel.filename in plan.unvouched:
        return "trust"
    if fetched.first_seen:
        return "first-download"
    if is_of_torch(wheel.name) and fetched.sha256 in _known(wheel.filename, facts):
        return "facts"
    if from_lock:
        return "lock"
    place = _by_place(wheel.url)
    if is_of_torch(wheel.name) and place == "index":
        # Nobody else may say what a file of torch is, whoever transported it: see sources/vouching.py.
        if plan is None:
            return "trust"  # a record named it, and no policy has looked at the file
        return "vendor" if plan.vendor else "official"
    return place


def recorded_vouchers(*records: Mapping[str, Any]) -> dict[str, Voucher]:
    """Return whose word a hash rests on by the records, where that was nobody's who is trusted; the last one counts.

    What a record says of those who are trusted is not believed: another may have written it.
    """
    found: dict[str, Voucher] = {}
    for record in records:
        files = record.get("files")
        for entry in files if isinstance(files, list) else ():
            if isinstance(entry, dict) and entry.get("vouched_by") in _WEAK:
                found[str(entry.get("sha256"))] = cast("Voucher", entry["vouched_by"])
    return found


def _known(filename: str, facts: Snapshot) -> frozenset[str]:
    try:
        return known_hashes(facts, Wheel.from_filename(filename))
    except InvalidWheel:
        return frozenset()


def _by_place(url: str) -> Voucher:
    if url.startswith("file:"):
        return "folder"
    if is_official_index(url):
        return "official"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "index"
    return "pypi" if parts.scheme == "https" and parts.hostname in _PYPI_HOSTS else "index"
