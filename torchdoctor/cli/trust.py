"""Whether the Python of an environment may run: not where another user can change what it runs, unless one agrees."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torchdoctor.core.i18n import message, translate
from torchdoctor.core.shell_words import quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["ask_to_trust", "require_trust", "trust_option"]

F = TypeVar("F", bound="Callable[..., Any]")
_GIVEN = "torchdoctor.trust-env"


def trust_option(function: F) -> F:
    """`--trust-env`, which is asked for by the functions of this module and no argument of the command."""
    return click.option(
        "--trust-env",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Run the Python of the environment although another user can change it.",
    )(function)


def _remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    ctx.meta[_GIVEN] = value


def ask_to_trust(python: Path, *, is_proof: bool = False) -> str | None:
    """Return why the Python of an environment may not run; None where it is ours, or somebody agreed.

    A person at a terminal is asked. `is_proof`: the command exists to run it and the user named it, which is consent,
    but not for the administrator, as whom nothing of another user runs by mistake.
    """
    from torchdoctor.core.system.environment_trust import (
        environment_above,
        foreign_environment,
        is_administrator,
        trust_environment,
    )

    reason = foreign_environment(python)
    folder = environment_above(python)
    if reason is None or folder is None:
        return None
    if not (_is_given() or (is_proof and not is_administrator()) or _is_agreed(reason, folder)):
        return reason
    trust_environment(folder)
    return None


def require_trust(python: Path, *, is_proof: bool = False) -> None:
    """Raise `EnvironmentUnusable` where the Python of an environment may not run, with the reason and the way to it."""
    from torchdoctor.errors import EnvironmentUnusable

    reason = ask_to_trust(python, is_proof=is_proof)
    if reason is not None:
        raise EnvironmentUnusable(
            message("{python} is not run: {reason}", python=python, reason=reason),
            fix=message(
                "if you trust whoever that is, give --trust-env; `torchdoctor doctor {folder} --no-import` runs "
                "nothing of it",
                folder=quoted(str(python.parent.parent)),
            ),
            code="foreign-environment",
        )


def _is_given() -> bool:
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_GIVEN))


def _is_agreed(reason: str, folder: Path) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    question = message(
        "{reason}. The Python of {folder} would run as you, with all that is put there. Run it?",
        reason=reason,
        folder=folder,
    )
    return click.confirm(translate(question), default=False, err=True)
