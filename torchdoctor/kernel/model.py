"""What is known of a kernel from files alone: what it runs, what that has installed, what is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KernelState", "PlaceKind", "Problem"]

PlaceKind = Literal["JUPYTER_PATH", "environment", "user", "system", "nb_conda_kernels"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a kernel cannot start. `kind` is a stable kebab-case name, `repairable` what `repair` is for."""

    kind: str
    message: str
    fix: str
    repairable: bool = False

    def to_json(self) -> dict[str, Any]:
        """The problem as it stands in `--json`."""
        return {"kind": self.kind, "message": self.message, "fix": self.fix}


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelState:
    """A kernel spec and what it stands for.

    `python` is the interpreter that it runs and `prefix` that one's environment; both are None where the files
    do not tell. `torch` is its version, `build` its variant. `hidden_by` is the folder of the spec of the same
    name that Jupyter takes instead. `settings` are the variables that it sets.
    """

    name: str
    folder: Path
    place: PlaceKind
    display_name: str | None = None
    language: str | None = None
    argv: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    python: Path | None = None
    prefix: Path | None = None
    ipykernel: str | None = None
    torch: str | None = None
    build: str | None = None
    problem: Problem | None = None
    hidden_by: Path | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing in the files keeps it from starting."""
        return self.problem is None

    @property
    def runs_ipykernel(self) -> bool:
        """Whether it is the IPython kernel, the only one that we make and repair."""
        return any(word in ("ipykernel_launcher", "ipykernel") for word in self.argv)

    def to_json(self) -> dict[str, Any]:
        """The kernel as it stands in `--json`; what is not known is null."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "folder": str(self.folder),
            "place": self.place,
            "language": self.language,
            "argv": list(self.argv),
            "env": dict(self.settings),
            "python": str(self.python) if self.python else None,
            "environment": str(self.prefix) if self.prefix else None,
            "ipykernel": self.ipykernel,
            "torch": self.torch,
            "variant": self.build,
            "healthy": self.healthy,
            "problem": self.problem.to_json() if self.problem else None,
            "hidden_by": str(self.hidden_by) if self.hidden_by else None,
        }
