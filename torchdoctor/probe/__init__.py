"""The probe: runs inside the environment under test and reports what works there and how fast.

The environment's own interpreter runs these files, so they import only each other, the standard library (Python 3.8
and later) and torch (2.0 and later). The parent imports `suite` for the names and limits of the steps.
"""

from __future__ import annotations

__all__: list[str] = []
