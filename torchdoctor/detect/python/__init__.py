"""Python interpreters: which one is meant, what it is, where its packages are."""

from __future__ import annotations
