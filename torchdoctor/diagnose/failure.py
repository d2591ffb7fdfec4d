"""A failure of the catalogue: what shows it, why it happens, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torchdoctor.diagnose.matchers import Predicate, Sign
    from torchdoctor.diagnose.model import Severity

__all__ = ["Failure", "FixStep", "Frequency", "Layer", "Repair", "Who"]

Who = Literal["user", "host", "admin"]
Frequency = Literal["very common", "common", "occasional", "rare"]
Repair = Literal["none", "other-build", "same-build", "relocate", "unneeded", "kernel"]


class Layer(IntEnum):
    """Where a failure sits. A failure of a lower layer breaks the layers above it."""

    HARDWARE = 1
    KERNEL_MODULE = 2
    DEVICE_NODES = 3
    DRIVER_LIBRARY = 4
    CONTAINER = 5
    SYSTEM = 6
    INSTALL = 7
    WHEEL = 8
    COMPANIONS = 9
    PACKAGES = 10
    ENVIRONMENT = 11
    NOTEBOOK = 12
    RUNTIME = 13


@dataclass(frozen=True, kw_only=True, slots=True)
class FixStep:
    """One step of a fix: a sentence, a command, or both.

    `text` and `command` are templates with named placeholders; if a value is not known, `fallback` is shown instead.
    `os` and `installer` say for whom the step is; empty means everybody. `when` must match the evidence, else
    `fallback` is shown. `who` must do it: the user, an administrator, or somebody on the host of the container or
    virtual machine.
    """

    text: str = ""
    command: str = ""
    who: Who = "user"
    os: tuple[str, ...] = ()
    installer: tuple[str, ...] = ()
    when: Predicate | None = None
    fallback: FixStep | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One failure, as its file in `failures/` describes it.

    Any of `signs` is evidence for it; any match of `unless` excludes it. `masks` are ids of failures that follow
    from this one and are reported as part of it. `title`, `explanation`, `details`, `confirm` and the texts of
    `fixes` are message ids in English; `details` and `fixes` have named placeholders, and a detail is shown only if
    all its values are known. `confirm` says how to make sure, `asks` are ids of the questions that decide it, the most
    telling first. `os` are the systems on which it happens.

    `repair` says how `doctor --fix` repairs it, for a kernel with the `kernel_problem` that `kernels` reports.
    `seen_as` are lines in which it appears, `threads` the URLs of public reports, which name it with that `frequency`.
    """

    id: str
    layer: Layer
    severity: Severity
    title: str
    explanation: str
    confirm: str
    signs: tuple[Sign, ...]
    fixes: tuple[FixStep, ...]
    details: tuple[str, ...] = ()
    unless: tuple[Sign, ...] = ()
    masks: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    os: tuple[str, ...] = ("linux", "windows", "macos")
    repair: Repair = "none"
    kernel_problem: str | None = None
    seen_as: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    frequency: Frequency | None = None

    def messages(self) -> tuple[str, ...]:
        """Return every text of the failure that is to be translated, each once."""
        texts = [self.title, self.explanation, *self.details, self.confirm]
        for fix in self.fixes:
            step: FixStep | None = fix
            while step is not None:
                texts.append(step.text)
                step = step.fallback
        return tuple(dict.fromkeys(text for text in texts if text))
