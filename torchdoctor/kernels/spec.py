"""The text of a kernel.json -> what it says, or why it says nothing.

https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Spec", "parse_spec"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """A kernel spec: how the kernel is started, and what a menu shows."""

    argv: tuple[str, ...]
    display_name: str
    language: str
    settings: tuple[tuple[str, str], ...] = ()
    conda_path: str | None = None
    document: dict[str, Any] = field(default_factory=dict)


def parse_spec(text: str) -> Spec:
    """Read a kernel.json; raises ValueError, with the place where there is one, when Jupyter could not use it."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError(f"it holds a {type(document).__name__}, not an object")  # noqa: TRY004
    argv = document.get("argv")
    if (
        not isinstance(argv, list)
        or not argv
        or not all(isinstance(word, str) for word in argv)
        or not argv[0]
    ):
        raise ValueError("it has no argv, the command that starts the kernel")
    settings = document.get("env", {})
    if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
        raise ValueError("its env does not give each variable a text")
    for name in ("display_name", "language"):
        if not isinstance(document.get(name, ""), str):
            raise ValueError(f"its {name} is not a text")  # noqa: TRY004
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is not an object")  # noqa: TRY004
    if document.get("interrupt_mode", "signal") not in ("signal", "message"):
        raise ValueError("its interrupt_mode is neither signal nor message")
    conda = metadata.get("conda_env_path")
    return Spec(
        argv=tuple(argv),
        display_name=document.get("display_name", ""),
        language=document.get("language", ""),
        settings=tuple(settings.items()),
        conda_path=conda if isinstance(conda, str) and conda else None,
        document=document,
    )
