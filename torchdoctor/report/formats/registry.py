"""The forms by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.report.formats.conda import environment_yml
from torchdoctor.report.formats.container import devcontainer, dockerfile
from torchdoctor.report.formats.pip import constraints, pip_command, requirements
from torchdoctor.report.formats.toml import poetry, uv

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.report.formats.stack_text import StackText

__all__ = ["FORMATS", "format_text"]

FORMATS: dict[str, Callable[[StackText], str]] = {
    "pip": pip_command,
    "requirements": requirements,
    "constraints": constraints,
    "uv": uv,
    "poetry": poetry,
    "environment.yml": environment_yml,
    "dockerfile": dockerfile,
    "devcontainer": devcontainer,
}


def format_text(text: StackText, form: str) -> str:
    """Return the file or command with this name in `FORMATS`.

    Raises `UsageError` where the form cannot say what the plan says.
    """
    return FORMATS[form](text)
