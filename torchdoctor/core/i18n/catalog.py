"""Which language the program speaks, and what an English text is in it."""

from __future__ import annotations

import gettext as _gettext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DOMAIN",
    "LANGUAGES",
    "LOCALES",
    "Language",
    "choose_language",
    "current_language",
    "gettext",
    "in_catalog",
    "set_language",
]

Language = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = ("en", "zh")
DOMAIN = "torchdoctor"
LOCALES = Path(__file__).with_name("locale")

# In the order in which GNU gettext asks them.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

_texts: _gettext.NullTranslations = _gettext.NullTranslations()
_language: Language = "en"


def choose_language(asked: str | None, environ: Mapping[str, str], *, encoding: str | None) -> Language:
    """The language asked for, else the locale's where the output's `encoding` can carry it, else English."""
    if asked in LANGUAGES:
        return asked
    said = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    chinese = said.lower().startswith(("zh", "chinese"))
    return "zh" if chinese and _can_carry("中文", encoding) else "en"


def set_language(language: Language) -> None:
    """Give every later `gettext` in this language."""
    global _texts, _language  # noqa: PLW0603  # one program speaks one language
    _language = language
    if language == "en":
        _texts = _gettext.NullTranslations()
    else:
        _texts = _gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)


def current_language() -> Language:
    """The language in which the program answers."""
    return _language


def gettext(message: str) -> str:
    """The text in the language spoken; the English one where there is none."""
    return _texts.gettext(message) if message else ""


def in_catalog(message: str) -> bool:
    """Whether the catalogue of the language spoken has the text; nothing is ours in English, which has none."""
    catalogue: Mapping[str, str] = getattr(_texts, "_catalog", {})
    return bool(message) and message in catalogue


def _can_carry(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
