"""Every rule there is, theme by theme, from the machine up to the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rules import (
    amd,
    apple_intel,
    companions,
    container,
    device,
    driver,
    environment,
    hardware,
    install,
    network,
    notebook,
    runtime,
    triton_compile,
    wheel,
    windows,
)

if TYPE_CHECKING:
    from torchdoctor.diagnosis.rule import Rule

__all__ = ["RULES"]

_THEMES = (
    hardware,
    driver,
    device,
    container,
    amd,
    apple_intel,
    network,
    install,
    windows,
    wheel,
    companions,
    environment,
    notebook,
    triton_compile,
    runtime,
)

RULES: tuple[Rule, ...] = tuple(rule for theme in _THEMES for rule in theme.RULES)
"""The rules of every theme; the order is of no consequence."""
