"""Lock -> whether its files stay protected: uv follows an index from https to http, and links from there."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.net import open_stream
from torchdoctor.core.net.protection import is_protected
from torchdoctor.core.threads import start_thread
from torchdoctor.core.urls import InsecureRedirect, redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.listed_file import lists_file
from torchdoctor.sources.vouching import vouches

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torchdoctor.lock.model import Lock, LockedWheel
    from torchdoctor.sources import Source, Sources

__all__ = ["ProtectionCheck"]

_WAIT_SECONDS = 10.0  # for indexes that have not answered when everything else is done
_SLOTS = threading.BoundedSemaphore(4)


class ProtectionCheck:
    """Asks each index over https in a background thread where one of its pages leads; `refuse()` waits for that."""

    def __init__(self, lock: Lock, sources: Sources, *, known: Collection[str], offline: bool) -> None:
        default = (sources.default_index,) if sources.default_index is not None else ()
        indexes = [source for source in (*sources.indexes, *default) if not source.local]
        remote = [
            wheel
            for wheel in lock.wheels
            if wheel.filename not in known and wheel.url.startswith(("http://", "https://"))
        ]
        places = [*indexes, *(source for source in sources.find_links if not source.local)]
        unprotected = [source for source in places if not is_protected(source.url)]
        self._downgraded = [redact_url(wheel.url) for wheel in remote if _is_downgraded(wheel, places)]
        asked = [
            source for source in indexes if source.url.startswith("https://") and not vouches(source.url)
        ]
        self._threads = [
            start_thread(partial(self._ask, source, remote)) for source in asked if remote and not offline
        ]
        is_mixed = len(unprotected) < len(places) and not offline
        doubtful = [wheel for wheel in remote if is_mixed and not is_protected(wheel.url)]
        self._unfound = {wheel.url for wheel in doubtful}
        self._threads += [start_thread(partial(self._find, wheel, unprotected)) for wheel in doubtful]

    def refuse(self) -> None:
        """Raise `SourceFailed` where an index that is named over https gave a page or a link over http."""
        until = time.monotonic() + _WAIT_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        downgraded = [*self._downgraded, *map(redact_url, sorted(self._unfound))]
        if downgraded:
            raise SourceFailed(
                message(
                    "an index over https leads to http, which is not protected: {places}",
                    places=joined(dict.fromkeys(downgraded[:3])),
                ),
                fix=message(
                    "nothing was installed; name another index with --index-url or in pip's or uv's settings"
                ),
                code="unprotected",
            )

    def _ask(self, source: Source, wheels: Sequence[LockedWheel]) -> None:
        """Follow the page of a package that the index seems to have."""
        near = [wheel for wheel in wheels if _host(wheel.url) == _host(source.url)]
        page = f"{source.url.rstrip('/')}/{(near or wheels)[0].name}/"
        with _SLOTS:
            try:
                open_stream(page).close()
            except InsecureRedirect:
                self._downgraded.append(redact_url(page))
            except (OSError, ValueError):
                return  # uv has read it, or told why not

    def _find(self, wheel: LockedWheel, unprotected: Sequence[Source]) -> None:
        """Look for a file that comes over http on the pages over http: uv does not say which index listed it."""
        with _SLOTS:
            for source in unprotected:
                listed = lists_file(source, wheel.name, url=wheel.url, sha256=wheel.sha256)
                # A page that only uv may read, such as with a keyring, is that of the index on the file's own host.
                if listed or (listed is None and _host(source.url) == _host(wheel.url)):
                    self._unfound.discard(wheel.url)
                    return


def _is_downgraded(wheel: LockedWheel, indexes: Sequence[Source]) -> bool:
    """Whether a file would come unprotected although every index that may list it is protected."""
    if is_protected(wheel.url):
        return False
    near = [source for source in indexes if _host(source.url) == _host(wheel.url)]
    return all(is_protected(source.url) for source in near or indexes)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
