"""ENV of `install`: a folder, and not a word that means a package, a version or a build."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import UsageError

__all__ = ["NewEnvironment"]

_VERSION = re.compile(r"v?(\d+(?:\.\d+){1,2})")
# A project, its extras, and what its versions must be.
_REQUIREMENT = re.compile(r"([A-Za-z][\w.-]*)(\[[\w.,-]+\])?\s*((?:===|[=!~<>]=|[<>]).*)?")
_ANY_GPU_BUILD = frozenset({"cuda", "gpu", "rocm", "auto"})
_MAX_CHARACTERS = 200


class NewEnvironment(click.Path):
    """The path of an environment as it was typed; raises `UsageError` for a bare word that means something else.

    A word with a separator (./timm) is a folder, and so is one that exists.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, once the word was looked at."""
        text = os.fspath(value)
        separators = {os.sep, os.altsep or os.sep, "/"}
        if isinstance(text, str) and not separators & set(text) and not Path(text).exists():
            _refuse_other_word(text)
        return super().convert(value, param, ctx)


def _refuse_other_word(text: str) -> None:
    instead = _instead(text) if len(text) <= _MAX_CHARACTERS else None
    if instead is None:
        return
    meant = " ".join(["torchdoctor install", *instead])
    raise UsageError(
        message(
            "ENV is a folder, and {word!r} looks like a package, a version or a build",
            word=text,
        ),
        fix=message(
            "did you mean {meant}? For a folder of that name: torchdoctor install ./{word}",
            meant=meant,
            word=text,
        )
        if re.fullmatch(r"[\w.-]+", text)
        else message("did you mean {names}?", names=meant),
    )


def _instead(word: str) -> tuple[str, ...] | None:
    """Return the options that say what the word means; None for a word that can only be a folder."""
    from torchdoctor.requirements.known_names import is_known_name
    from wheels_index import UnknownVariant, variant

    lowered = word.lower()
    if lowered in _ANY_GPU_BUILD:
        return ("--variant auto",)
    if number := _VERSION.fullmatch(lowered):
        return (f"--torch {number[1]}",)
    try:
        return (f"--variant {variant(lowered).name}",)
    except UnknownVariant:
        pass
    requirement = _REQUIREMENT.fullmatch(word)
    if requirement is None:
        return None
    name, extras, versions = requirement.groups()
    if name.lower() in ("torch", "pytorch") and not extras:
        exact = (versions or "").strip().removeprefix("==")
        return (f"--torch {quoted(exact)}",) if exact else ()
    if versions or extras or is_known_name(name):
        return (f"--with {quoted(word)}",)
    return None
