"""The config file and the `config` command."""

from __future__ import annotations
