"""The text of a kernel.json -> KernelSpec, or why it is none.

https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_SPEC_BYTES", "InvalidSpec", "KernelSpec", "parse_spec", "read_spec_text"]

MAX_SPEC_BYTES = 1 << 20


def read_spec_text(path: Path) -> str:
    """Return the text of a kernel.json; raises `OSError` and `ValueError` for a file that is none."""
    return read_regular(path, limit=MAX_SPEC_BYTES).decode("utf-8")


class InvalidSpec(ValueError):
    """Jupyter could not use the spec for the `reason` given."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelSpec:
    """A kernel spec: how the kernel is started, and what a menu shows."""

    argv: tuple[str, ...]
    display_name: str
    language: str
    settings: tuple[tuple[str, str], ...] = ()  # environment variables that it sets
    conda_path: str | None = None  # the environment, when nb_conda_kernels made the spec
    document: dict[str, Any] = field(default_factory=dict)  # all of kernel.json


def parse_spec(text: str) -> KernelSpec:
    """Read a kernel.json; raises `InvalidSpec` when Jupyter could not use it."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidSpec(
            message(
                "line {line}, column {column}: {why}", line=error.lineno, column=error.colno, why=error.msg
            )
        ) from error
    except RecursionError as error:
        raise InvalidSpec(message("it is nested too deeply")) from error
    if not isinstance(document, dict):
        raise InvalidSpec(message("it holds a {kind}, not an object", kind=type(document).__name__))
    argv = document.get("argv")
    if (
        not isinstance(argv, list)
        or not argv
        or not all(isinstance(word, str) for word in argv)
        or not argv[0]
    ):
        raise InvalidSpec(message("it has no argv, the command that starts the kernel"))
    settings = document.get("env", {})
    if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
        raise InvalidSpec(message("its env has a value that is not a string"))
    for name in ("display_name", "language"):
        if not isinstance(document.get(name, ""), str):
            raise InvalidSpec(message("its {name} is not a string", name=name))
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict):
        raise InvalidSpec(message("its metadata is not an object"))
    if document.get("interrupt_mode", "signal") not in ("signal", "message"):
        raise InvalidSpec(message("its interrupt_mode is neither signal nor message"))
    conda = metadata.get("conda_env_path")
    return KernelSpec(
        argv=tuple(argv),
        display_name=document.get("display_name", ""),
        language=document.get("language", ""),
        settings=tuple(settings.items()),
        conda_path=conda if isinstance(conda, str) and conda else None,
        document=document,
    )
