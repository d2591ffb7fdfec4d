"""The errors a user can meet: what happened, why, what to do next, and the exit status."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "EnvironmentUnusable",
    "InstallFailed",
    "KernelFailed",
    "NoSolution",
    "NotConfirmed",
    "SourceFailed",
    "TorchdoctorError",
    "UsageError",
]


class TorchdoctorError(Exception):
    """Root of every error raised on purpose.

    `message` says what happened and why, `fix` what to do next. `code` is a stable kebab-case word that scripts may
    rely on: the one given, else the class's own. The process ends with `exit_status`; every class has its own.
    """

    code: str = "error"
    exit_status: ClassVar[int] = 70

    def __init__(self, message: str, *, fix: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return self.message


class UsageError(TorchdoctorError):
    """The options contradict each other or name something that is not there."""

    code = "usage"
    exit_status = 2


class EnvironmentUnusable(TorchdoctorError):
    """The environment or interpreter named is missing, or is not one we may touch."""

    code = "environment"
    exit_status = 2


class NoSolution(TorchdoctorError):
    """No build fits this machine and this request."""

    code = "no-solution"
    exit_status = 3


class SourceFailed(TorchdoctorError):
    """An index, mirror or folder could not be read, or served the wrong bytes."""

    code = "source"
    exit_status = 4


class InstallFailed(TorchdoctorError):
    """The installation failed; the environment is as it was."""

    code = "install"
    exit_status = 5


class NotConfirmed(TorchdoctorError):
    """A change was asked for and nobody said yes; what was there is as it was."""

    code = "not-confirmed"
    exit_status = 5


class KernelFailed(TorchdoctorError):
    """The kernel could not be registered, or did not run a cell."""

    code = "kernel"
    exit_status = 1
