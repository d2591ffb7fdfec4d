"""A reporter that keeps what it is told, and gives one answer to every question."""

from __future__ import annotations

from torchdoctor.core.progress import SilentReporter


class Recorder(SilentReporter):
    """`answer` is given to every question; None means that nobody can answer."""

    def __init__(self, answer: bool | None = None) -> None:
        self.answer = answer
        self.questions: list[str] = []
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.stages: dict[str, str] = {}

    @property
    def can_ask(self) -> bool:
        return self.answer is not None

    def ask(self, question: str, *, default: bool) -> bool:
        self.questions.append(str(question))
        return default if self.answer is None else self.answer

    def note(self, text: str) -> None:
        self.notes.append(str(text))

    def warn(self, text: str) -> None:
        self.warnings.append(str(text))

    def stage(self, name: str, text: str) -> None:
        self.stages[name] = str(text)
