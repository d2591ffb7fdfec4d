"""Joins the stages, one function a command. The only modules that may use several stages."""

from __future__ import annotations
