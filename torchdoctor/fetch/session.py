"""What the downloads of one fetch share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from torchdoctor.core.progress import FetchProgress
    from torchdoctor.fetch.transfer.interfaces import ConnectionLimit

__all__ = ["DownloadSession"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadSession:
    """The cache that all downloads write to, the connections they share, and the sign to stop."""

    cache: Path
    limit: ConnectionLimit
    progress: FetchProgress
    stopped: threading.Event
