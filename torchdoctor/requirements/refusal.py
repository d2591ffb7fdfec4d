"""Errors of what was asked for: each names the place, to the line and the column where it is in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import NotConfirmed, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["refused", "refused_line", "require_consent", "shown"]

_MAX_SHOWN = 120


def shown(text: str) -> str:
    """Return what stands in a file as it can be shown: on one line, short, and without passwords of URLs."""
    words = (redact_url(word) if "://" in word else word for word in text.split(" "))
    return sanitize_line(" ".join(words), limit=_MAX_SHOWN)


def refused(place: str, reason: str, *, fix: str, code: str = "requirements") -> UsageError:
    """Return the error for what stands at `place`, such as a file or an option."""
    return UsageError(message("{place}: {reason}", place=place, reason=reason), fix=fix, code=code)


def refused_line(place: str, position: tuple[int, int], text: str, reason: str, *, fix: str) -> UsageError:
    """Return the error for a line of a file; `position` is its line and column."""
    return UsageError(
        message(
            "{place}: {text!r} is not a requirement: {reason}",
            place=f"{place}:{position[0]}:{position[1]}",
            text=shown(text),
            reason=reason,
        ),
        fix=fix,
        code="requirements-line",
    )


def require_consent(question: str, ask: Callable[[str], bool], *, refusal: str) -> None:
    """Ask; raises `NotConfirmed` with `refusal` where nobody says yes."""
    if not ask(question):
        raise NotConfirmed(
            refusal,
            fix=message("agree with y or --yes, or take it out of what is asked for"),
        )
