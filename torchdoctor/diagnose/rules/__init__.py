"""Every rule there is, theme by theme, from the machine up to the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.rules import (
    amd,
    amd_targets,
    apple_intel,
    companions,
    conda_build,
    container,
    container_inside,
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
    python_versions,
    replaced,
    requirements,
    room,
    runtime,
    triton_compile,
    visibility,
    vision,
    wheel,
    windows,
    wsl,
)

if TYPE_CHECKING:
    from torchdoctor.diagnose.rule import Rule

__all__ = ["RULES"]

_THEMES = (
    hardware,
    gpu_state,
    kernel_module,
    nodes,
    driver,
    visibility,
    container,
    container_inside,
    wsl,
    amd,
    amd_targets,
    apple_intel,
    room,
    network,
    download,
    index,
    no_build,
    python_versions,
    macs,
    install,
    windows,
    wheel,
    replaced,
    conda_build,
    generation,
    other_hardware,
    companions,
    vision,
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
