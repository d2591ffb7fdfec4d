"""The text of a kernel.json -> what it says, or why it says nothing.

https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from torchdoctor.core.i18n.messages import message

__all__ = ["NotASpec", "Spec", "parse_spec"]


class NotASpec(ValueError):
    """What Jupyter could not use; `why` says what is wrong with it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


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
    """Read a kernel.json; raises `NotASpec`, with the place where there is one, when Jupyter could not use it."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotASpec(
            message(
                "line {line}, column {column}: {why}", line=error.lineno, column=error.colno, why=error.msg
            )
        ) from error
    except RecursionError as error:
        raise NotASpec(message("it is nested too deeply")) from error
    if not isinstance(document, dict):
        raise NotASpec(message("it holds a {kind}, not an object", kind=type(document).__name__))
    argv = document.get("argv")
    if (
        not isinstance(argv, list)
        or not argv
        or not all(isinstance(word, str) for word in argv)
        or not argv[0]
    ):
        raise NotASpec(message("it has no argv, the command that starts the kernel"))
    settings = document.get("env", {})
    if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
        raise NotASpec(message("its env does not give each variable a text"))
    for name in ("display_name", "language"):
        if not isinstance(document.get(name, ""), str):
            raise NotASpec(message("its {name} is not a text", name=name))
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict):
        raise NotASpec(message("its metadata is not an object"))
    if document.get("interrupt_mode", "signal") not in ("signal", "message"):
        raise NotASpec(message("its interrupt_mode is neither signal nor message"))
    conda = metadata.get("conda_env_path")
    return Spec(
        argv=tuple(argv),
        display_name=document.get("display_name", ""),
        language=document.get("language", ""),
        settings=tuple(settings.items()),
        conda_path=conda if isinstance(conda, str) and conda else None,
        document=document,
    )
