"""The language of the user, and English texts in it."""

from __future__ import annotations

import gettext as _gettext
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DOMAIN",
    "LANGUAGES",
    "LOCALES",
    "Language",
    "can_carry_chinese",
    "choose_language",
    "current_language",
    "gettext",
    "in_catalog",
    "set_language",
    "set_program_language",
]

Language = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = ("en", "zh")
DOMAIN = "torchdoctor"
LOCALES = Path(__file__).with_name("locale")

# In the order in which GNU gettext asks them.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

# Of one thread or asyncio task and those that it starts; None: the program's language.
_context_language: ContextVar[Language | None] = ContextVar("torchdoctor_language", default=None)
_program_language: Language = "en"


def choose_language(requested: str | None, environ: Mapping[str, str], *, encoding: str | None) -> Language:
    """Return the requested language, else the locale's where the output's `encoding` can carry it, else English."""
    if requested in LANGUAGES:
        return requested
    locale = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    chinese = locale.lower().startswith(("zh", "chinese"))
    return "zh" if chinese and can_carry_chinese(encoding) else "en"


def set_language(language: Language) -> None:
    """Use a language in this context: this thread or asyncio task, and the threads that torchdoctor starts from it.

    Other contexts keep theirs, so that one process can answer in several languages at once.
    """
    _context_language.set(language)


def set_program_language(language: Language) -> None:
    """Use a language in every context for which `set_language` has not set another one."""
    global _program_language  # noqa: PLW0603  (what a command line sets once for the whole program)
    _program_language = language


def current_language() -> Language:
    """Return the language of this context, else the program's."""
    return _context_language.get() or _program_language


def gettext(message: str) -> str:
    """Return an English text in the current language; the text itself where the catalogue does not have it."""
    return _translations(current_language()).gettext(message) if message else ""


def in_catalog(message: str) -> bool:
    """Return whether the catalogue of the current language has the text; English has no catalogue."""
    catalogue: Mapping[str, str] = getattr(_translations(current_language()), "_catalog", {})
    return bool(message) and message in catalogue


@cache
def _translations(language: Language) -> _gettext.NullTranslations:
    if language == "en":
        return _gettext.NullTranslations()
    return _gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)


def can_carry_chinese(encoding: str | None) -> bool:
    """Return whether an output in this encoding can show Chinese."""
    try:
        "中文".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
