"""Source distributions of a copy of PyPI are held against PyPI before any code of theirs runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.workflows.copy_check import CopyCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.model import LockRequest
    from wheels_index import Sdist

__all__ = ["refuse_untrue_sources"]


def refuse_untrue_sources(sdists: Sequence[Sdist], request: LockRequest, report: Reporter) -> None:
    """Raise `SourceFailed` for a file that PyPI has with other bytes, or not at all; say where it cannot be asked."""
    files = tuple(map(_as_locked, sdists))
    check = CopyCheck(Lock(wheels=files), request, settled=(), trusted=request.sources.trusted)
    if lies := check.lies():
        places = joined([redact_url(lie.wheel.url) for lie in lies[:3]])
        raise SourceFailed(
            message(
                "{files}: PyPI has other bytes of it, or no such file, and nothing of it was run",
                files=places,
            ),
            fix=message(
                "nothing was installed; name another source, and report this to the operator of that one"
            ),
            code="hash-conflict",
        )
    check.report_unanswered(report)


def _as_locked(sdist: Sdist) -> LockedWheel:
    return LockedWheel(
        name=sdist.project,
        version=str(sdist.version),
        filename=sdist.filename,
        url=sdist.url,
        sha256=sdist.sha256,
        size=sdist.size,
    )
