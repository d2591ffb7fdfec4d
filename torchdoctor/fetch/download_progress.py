"""Reports the progress of one download, and suggests a mirror where the official index is slow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.progress import FetchProgress
    from torchdoctor.fetch.transfer.origin import Origin

__all__ = ["DownloadProgress", "is_mirrored"]

_SLOW_AFTER_SECONDS = 15.0
_SLOW_BYTES_PER_SECOND = 1_000_000
_MIRRORED_HOSTS = (
    ".pytorch.org",
    ".pythonhosted.org",
)  # the known mirrors have the files of these hosts, too


def is_mirrored(host: str) -> bool:
    """Return whether the known mirrors have the files of this host."""
    return host.endswith(_MIRRORED_HOSTS)


class DownloadProgress:
    """The observer of the transfer of one file, whose `size` in bytes may become known later."""

    def __init__(
        self, filename: str, size: int | None, origins: Sequence[Origin], progress: FetchProgress
    ) -> None:
        self.size = size
        self._filename, self._origins, self._progress = filename, origins, progress
        self._reported = 0  # bytes
        self._started, self._arrived, self._hinted = time.monotonic(), 0, False

    def arrived(self, count: int) -> None:
        """`count` more bytes of the file are there."""
        self._reported += count
        self._progress.advance(count)
        self._progress.file(self._filename, self._reported, self.size)
        self._arrived += count
        self._suggest_mirror()

    def retry(self, reason: str) -> None:
        """A connection failed, and another one follows."""
        self._progress.retry(self._filename, reason)

    def correct(self, done: int) -> None:
        """Report that `done` bytes are there, whatever was reported before."""
        self._progress.advance(done - self._reported)
        self._reported = done
        self._progress.file(self._filename, done, self.size)

    def _suggest_mirror(self) -> None:
        seconds = time.monotonic() - self._started
        if self._hinted or seconds < _SLOW_AFTER_SECONDS or len(self._origins) > 1:
            return
        self._hinted = True
        host, rate = self._origins[0].host, self._arrived / seconds
        if is_mirrored(host) and rate < _SLOW_BYTES_PER_SECOND:
            self._progress.note(
                message(
                    "{host} sends {fresh:.2f} MB/s to this machine; `--mirror auto` uses the fastest mirror, "
                    "and keeps what has been downloaded",
                    host=host,
                    fresh=rate / 1e6,
                )
            )
