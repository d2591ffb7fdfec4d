"""The tables that map the codes of checks to causes: package_causes.toml and verify_causes.toml."""

from __future__ import annotations

import functools
import re
import sys
from importlib import resources
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.bounded import bounded
from torchdoctor.diagnose.catalogue import failures_by_id
from torchdoctor.diagnose.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["filled_steps", "finding_by_id", "verify_causes"]

_TABLES = ("package_causes.toml", "verify_causes.toml")


@functools.cache
def verify_causes() -> tuple[dict[str, Any], ...]:
    """Return the rows of both tables; verify_causes.toml says what each key means."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    folder = resources.files("torchdoctor.diagnose")
    texts = (folder.joinpath(name).read_text("utf-8") for name in _TABLES)
    causes = [cause for text in texts for cause in tomllib.loads(text)["cause"]]
    return tuple({**cause, "text": bounded(cause["text"])} if "text" in cause else cause for cause in causes)


def finding_by_id(identifier: str, seen: str, translate: Callable[[str], str] = str) -> Finding | None:
    """Return a cause of the tables as it is where nothing is known of the environment.

    None for the id of a failure of the catalogue, and for any other.
    """
    cause = next((cause for cause in verify_causes() if cause["id"] == identifier), None)
    if cause is None or identifier in failures_by_id():
        return None
    return Finding(
        id=cause["id"],
        severity=cause["severity"],
        title=translate(cause["title"]),
        evidence=(seen,),
        explanation=translate(cause["explanation"]),
        fix=tuple(filled_steps([translate(step) for step in cause["fix"]], {})),
    )


def filled_steps(steps: Sequence[str], values: Mapping[str, str]) -> Iterator[str]:
    """Yield the steps with their values filled in, without those that need an unknown value."""
    for step in steps:
        needed = set(re.findall(r"\{(\w+)\}", step))
        if needed <= set(values):
            yield step.format_map(values)
