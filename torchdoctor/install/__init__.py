"""Wheelhouse -> Environment: all or nothing."""

from __future__ import annotations
