"""Changes of the file system that are whole or not at all: locks, atomic writes, swapped directories."""

from __future__ import annotations
