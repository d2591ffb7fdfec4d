"""Removes personal data and secrets from a report."""

from __future__ import annotations
