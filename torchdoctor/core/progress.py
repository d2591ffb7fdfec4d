"""What the stages tell while they work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torchdoctor.fetch.model import FetchProgress

if TYPE_CHECKING:
    from torchdoctor.verify import CheckResult

__all__ = ["Reporter"]


class Reporter(FetchProgress, Protocol):
    """What the line tells while it works. A reporter never decides anything but `confirm`."""

    def stage(self, name: str, text: str) -> None:
        """A stage is done: what was decided and why."""

    def note(self, text: str) -> None:
        """Something worth knowing on the way."""

    def detail(self, text: str) -> None:
        """Something for those who asked for more."""

    def warn(self, text: str) -> None:
        """Something the user should know before relying on the result."""

    def waiting(self, what: str, seconds: float) -> None:
        """Still at it after so many seconds."""

    def check(self, result: CheckResult) -> None:
        """One check of verify is done."""

    def confirm(self, question: str) -> bool:
        """Ask; False where nobody can answer."""

    def agree(self, question: str) -> bool:
        """Ask before what was asked for is done; True where nobody can answer."""
