"""Messages that are English where they are compared and the user's language where they are shown."""

from __future__ import annotations
