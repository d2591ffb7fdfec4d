"""The probe: runs inside the environment under test and says what works there and how fast.

Handed to the environment's own interpreter as files, so nothing here imports anything but its neighbours,
the standard library (Python 3.8 and later) and torch (2.0 and later). The parent reads `suite` for the names.
"""

from __future__ import annotations

__all__: list[str] = []
