"""For pip: a command, a requirements file, a constraints file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.lock import Lock
    from torchdoctor.report.formats.stack_text import StackText

__all__ = ["constraints", "locked_requirements", "pip_command", "requirement_lines", "requirements"]


def pip_command(text: StackText) -> str:
    """Return one line for a shell. The index is added to those that pip has, which serve everything else."""
    options = [word for option in text.index_options for word in option.split()]
    return shlex.join(["pip", "install", *text.lines, *options])


def requirements(text: StackText) -> str:
    """Return a file for `pip install -r`, to which lines can be added."""
    about = [
        message("{title}: pip install -r requirements.txt", title=text.title),
        message(
            "with uv: uv pip install --index-strategy unsafe-best-match -r requirements.txt",
        ),
    ]
    if text.overrides:
        about.append(
            message(
                "pip has no overrides; uv takes these with --override: {lines}",
                lines=" ".join(text.overrides),
            )
        )
    return "\n".join(
        [*_comments(about if text.index_url else about[:1] + about[2:]), *requirement_lines(text)]
    )


def locked_requirements(text: StackText, lock: Lock) -> str:
    """Return everything of a lock as a requirements file; with hashes where every one is known, as pip wants it."""
    about = [message("{title}: pip install -r requirements.txt", title=text.title)]
    is_hashed = all(wheel.sha256 for wheel in lock.wheels)
    if not is_hashed:
        about.append(message("no index gives the hash of every file, so none stands here"))
    lines = [
        f"{wheel.name}=={wheel.version}" + (f" --hash=sha256:{wheel.sha256}" if is_hashed else "")
        for wheel in sorted(lock.wheels, key=lambda wheel: wheel.name)
    ]
    return "\n".join([*_comments(about), *text.index_options, *lines])


def constraints(text: StackText) -> str:
    """Return a file for `pip install -c`: it installs nothing, and lets only this family of builds in."""
    about = message("{title}: pip install -c constraints.txt -r requirements.txt", title=text.title)
    limits = [pin.line for pin in text.family]
    limits += [pin.line for pin in text.others if pin.line in text.plan.constraints]
    return "\n".join([*_comments([about]), *text.index_options, *map(_without_extras, limits)])


def requirement_lines(text: StackText) -> list[str]:
    """Return the lines of a requirements file: the index, then everything that is to be installed."""
    return [*text.index_options, *text.lines]


def _without_extras(line: str) -> str:
    """A constraint must have no extras: https://pip.pypa.io/en/stable/user_guide/#constraints-files."""
    name, bracket, rest = line.partition("[")
    return name + rest.partition("]")[2] if bracket else line


def _comments(texts: Sequence[str]) -> list[str]:
    return [f"# {' '.join(translate(text).split())}" for text in texts]
