"""Every rule there is, theme by theme, from the machine up to the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rules import driver

if TYPE_CHECKING:
    from torchdoctor.diagnosis.rule import Rule

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (*driver.RULES,)
"""The rules of every theme; the order is of no consequence."""
