"""Names the rules that stand in for facts about a build that is newer than the facts."""

from __future__ import annotations

from torchdoctor.core.i18n import joined, message

__all__ = ["stand_in_rules"]


def stand_in_rules(*rules: str | None) -> str:
    """Return the rules in brackets, with a space before them; an empty text where every one is None."""
    named = [rule for rule in rules if rule]
    return message(" ({rules})", rules=joined(named, "; ")) if named else ""
