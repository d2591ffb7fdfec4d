"""How long a package may take."""

from __future__ import annotations

__all__ = ["IMPORT_SECONDS"]

# A cold import of a large package with torch takes half a minute on a slow disk.
IMPORT_SECONDS = 120.0
