"""Every rule there is, theme by theme, from the machine up to the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnosis.rules import (
    amd,
    apple_intel,
    companions,
    container,
    download,
    driver,
    environment,
    extensions,
    generation,
    gpu_state,
    hardware,
    imports,
    index,
    install,
    kernel_module,
    libraries,
    loader,
    macs,
    network,
    no_build,
    nodes,
    notebook,
    other_hardware,
    requirements,
    room,
    runtime,
    triton_compile,
    visibility,
    wheel,
    windows,
    wsl,
)

if TYPE_CHECKING:
    from torchdoctor.diagnosis.rule import Rule

__all__ = ["RULES"]

_THEMES = (
    hardware,
    gpu_state,
    kernel_module,
    nodes,
    driver,
    visibility,
    container,
    wsl,
    amd,
    apple_intel,
    room,
    network,
    download,
    index,
    no_build,
    macs,
    install,
    windows,
    wheel,
    generation,
    other_hardware,
    companions,
    extensions,
    libraries,
    requirements,
    loader,
    environment,
    imports,
    notebook,
    triton_compile,
    runtime,
)

RULES: tuple[Rule, ...] = tuple(rule for theme in _THEMES for rule in theme.RULES)
"""The rules of every theme; the order is of no consequence."""
