"""Lock and Wheelhouse -> Bundle: a folder that installs without a network."""

from __future__ import annotations
