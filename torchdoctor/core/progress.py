"""Progress interfaces of the stages: a terminal implements them, `SilentReporter` ignores them."""

from __future__ import annotations

from typing import Literal, Protocol

__all__ = ["CheckStatus", "FetchProgress", "Reporter", "SilentReporter"]

CheckStatus = Literal["pass", "fail", "skip", "warn"]


class FetchProgress(Protocol):
    """Progress of downloads. Threads call it concurrently."""

    def start(self, total: int | None, files: int) -> None:
        """`files` downloads begin, of `total` bytes together (None: not all sizes are known)."""

    def advance(self, count: int) -> None:
        """`count` more bytes have arrived; negative when some are thrown away."""

    def file(self, filename: str, done: int, size: int | None) -> None:
        """A file has `done` of `size` bytes (None: not known yet); it is finished when they are equal."""

    def retry(self, filename: str, why: str) -> None:
        """An attempt failed for the reason `why`, and another one follows."""

    def note(self, text: str) -> None:
        """Something worth knowing."""


class Reporter(FetchProgress, Protocol):
    """Progress of the whole pipeline, and questions to the user. A reporter decides nothing but their answers."""

    def stage(self, name: str, text: str) -> None:
        """A stage has ended: its name and its result in one sentence."""

    def detail(self, text: str) -> None:
        """Something for users who want more output."""

    def warn(self, text: str) -> None:
        """Something the user should know before relying on the result."""

    def waiting(self, what: str, seconds: float, asked: str = "") -> None:
        """A step has been running for `seconds` and has not ended; `asked` is what it asked a server for last."""

    def check(self, check_id: str, device: str, status: CheckStatus, detail: str) -> None:
        """One check of the verification has ended."""

    def packages(self, done: int, total: int) -> None:
        """So many of all packages have been imported."""

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer."""

    def ask(self, question: str, *, default: bool) -> bool:
        """Ask a yes-or-no question; `default` is the answer of the Enter key, and where nobody can answer."""


class SilentReporter:
    """Reports nothing and asks nobody: every question is answered with no."""

    def start(self, total: int | None, files: int) -> None:
        """Report nothing."""

    def advance(self, count: int) -> None:
        """Report nothing."""

    def file(self, filename: str, done: int, size: int | None) -> None:
        """Report nothing."""

    def retry(self, filename: str, why: str) -> None:
        """Report nothing."""

    def note(self, text: str) -> None:
        """Report nothing."""

    def stage(self, name: str, text: str) -> None:
        """Report nothing."""

    def detail(self, text: str) -> None:
        """Report nothing."""

    def warn(self, text: str) -> None:
        """Report nothing."""

    def waiting(self, what: str, seconds: float, asked: str = "") -> None:
        """Report nothing."""

    def check(self, check_id: str, device: str, status: CheckStatus, detail: str) -> None:
        """Report nothing."""

    def packages(self, done: int, total: int) -> None:
        """Report nothing."""

    @property
    def can_ask(self) -> bool:
        """Return False: nobody can answer."""
        return False

    def ask(self, question: str, *, default: bool) -> bool:  # noqa: ARG002
        """Return False: what needs consent is refused, whatever the default."""
        return False
