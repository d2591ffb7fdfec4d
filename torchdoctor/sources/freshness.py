"""Whether what is known of PyTorch's builds is so old that a newer release is likely."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from wheels_index import Snapshot

__all__ = ["MAX_AGE_DAYS", "old_facts_warning"]

MAX_AGE_DAYS = 60  # PyTorch brings out a release every two months


def old_facts_warning(snapshot: Snapshot, *, asked: bool) -> str | None:
    """Return a warning where the facts are older than `MAX_AGE_DAYS`; None where they are not.

    For callers that have not read an index of PyTorch: `asked` says whether they have tried to.
    """
    try:
        days = (_today() - date.fromisoformat(snapshot.as_of)).days
    except ValueError:
        return None
    if days <= MAX_AGE_DAYS:
        return None
    if asked:
        return message(
            "what torchdoctor knows of PyTorch's builds is of {as_of}, {days} days ago, and no index of them could be "
            "read: a newer release may fit better",
            as_of=snapshot.as_of,
            days=days,
        )
    return message(
        "what torchdoctor knows of PyTorch's builds is of {as_of}, {days} days ago: `torchdoctor index update` reads "
        "what is new",
        as_of=snapshot.as_of,
        days=days,
    )


def _today() -> date:
    return datetime.now(timezone.utc).date()
