"""A rule: one failure, what shows it, why it happens, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torchdoctor.diagnose.matchers import Predicate, Sign
    from torchdoctor.diagnose.model import Severity

__all__ = ["Layer", "Rule", "Step", "Where"]

Where = Literal["here", "host", "admin"]


class Layer(IntEnum):
    """Where a failure sits; what is lower breaks what is above it."""

    HARDWARE = 1
    KERNEL_MODULE = 2
    DEVICE_NODES = 3
    DRIVER_LIBRARY = 4
    CONTAINER = 5
    SYSTEM = 6
    INSTALL = 7
    WHEEL = 8
    COMPANIONS = 9
    ENVIRONMENT = 10
    NOTEBOOK = 11
    RUNTIME = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of a fix: a sentence, a command, or both.

    Both are templates with named placeholders. A step whose values are not known is passed over for
    `otherwise`. `os` and `installer` say for whom it is; empty is for all. `where` says who must do it: the
    user here, on the container's or virtual machine's host, or an administrator.
    """

    text: str = ""
    command: str = ""
    where: Where = "here"
    os: tuple[str, ...] = ()
    installer: tuple[str, ...] = ()
    otherwise: Step | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One failure of the catalogue.

    `signs` speak for it, each on its own; any of `unless` forbids it. `explains` are failures that follow
    from this one and are told as such. `title`, `explanation`, `details`, `find` and the steps' texts are
    message ids: English, in details and steps with named placeholders; a detail is told where its values
    are known. `find` says how to make sure.
    """

    id: str
    layer: Layer
    severity: Severity
    title: str
    explanation: str
    signs: tuple[Sign, ...]
    steps: tuple[Step, ...]
    details: tuple[str, ...] = ()
    unless: tuple[Predicate, ...] = ()
    explains: tuple[str, ...] = ()
    os: tuple[str, ...] = ("linux", "windows", "macos")
    find: str = ""

    def messages(self) -> tuple[str, ...]:
        """Every text of the rule that is to be translated."""
        texts = [self.title, self.explanation, *self.details, self.find]
        for step in self.steps:
            row: Step | None = step
            while row is not None:
                texts.append(row.text)
                row = row.otherwise
        return tuple(dict.fromkeys(text for text in texts if text))
