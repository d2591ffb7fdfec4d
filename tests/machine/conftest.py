"""Property tests here start processes or run beside those that do: a slow example is no fault."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("machine", deadline=None)
settings.load_profile("machine")
