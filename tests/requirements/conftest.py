"""A folder of files, read as options of a command name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from torchdoctor.requirements import StackOptions, read_stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.requirements import StackRequest


@dataclass
class Reader:
    """Writes files into a folder and reads them; `questions` are those that the user was asked."""

    folder: Path
    answer: bool = True
    environ: dict[str, str] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    metadata: str | None = None  # what building the project gives

    def write(self, files: Mapping[str, str]) -> None:
        """Write files by their names, which may have folders in them."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def read(self, *files: str, **options: tuple[str, ...]) -> StackRequest:
        def ask(question: str) -> bool:
            self.questions.append(question)
            return self.answer

        return read_stack(
            StackOptions(files=files, **options),
            environ=self.environ,
            folder=self.folder,
            ask=ask,
            build_metadata=None if self.metadata is None else lambda _: self.metadata,
        )


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Files in a folder of their own, with a user who agrees to everything."""
    return Reader(tmp_path)
