"""Messages that are English where they are compared and the user's language where they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.i18n.catalog import current_language, set_language, set_program_language
    from torchdoctor.core.i18n.messages import Message, joined, message, plural, translate

__all__ = [
    "Message",
    "current_language",
    "joined",
    "message",
    "plural",
    "set_language",
    "set_program_language",
    "translate",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "catalog": ("current_language", "set_language", "set_program_language"),
            "messages": ("Message", "joined", "message", "plural", "translate"),
        },
    )
