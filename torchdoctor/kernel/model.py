"""Kernels: as they stand in files, and as they were registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.shell_words import argument

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Kernel", "KernelState", "PlaceKind", "Problem"]

# Where a spec was found: in a folder that a variable names, in an environment, the user's or the system's folder; or
# nb_conda_kernels makes it.
PlaceKind = Literal["JUPYTER_PATH", "environment", "user", "system", "nb_conda_kernels"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a kernel cannot start."""

    kind: str  # a stable kebab-case word
    message: str
    fix: str
    repairable: bool = False  # `torchdoctor jupyter-kernel repair` can repair it

    def to_json(self) -> dict[str, Any]:
        """Return the problem as it stands in `--json`."""
        return {"kind": self.kind, "message": self.message, "fix": self.fix}


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelState:
    """A kernel spec and what it runs, as far as files tell; what they do not tell is None."""

    name: str
    folder: Path
    place: PlaceKind
    display_name: str | None = None
    language: str | None = None
    argv: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()  # environment variables that it sets
    python: Path | None = None  # the interpreter that it runs
    prefix: Path | None = None  # the environment of that interpreter
    ipykernel: str | None = None  # version
    torch: str | None = None  # version
    build: str | None = None  # the variant of torch, such as cu130
    problem: Problem | None = None
    hidden_by: Path | None = None  # the folder of the spec of the same name that Jupyter takes instead

    @property
    def argument(self) -> str:
        """Its name as an argument of a command that is shown."""
        return argument(self.name)

    @property
    def healthy(self) -> bool:
        """Whether the files show no reason why it could not start."""
        return self.problem is None

    @property
    def runs_ipykernel(self) -> bool:
        """Whether it is the IPython kernel, the only one that torchdoctor creates and repairs."""
        return any(word in ("ipykernel_launcher", "ipykernel") for word in self.argv)

    def to_json(self) -> dict[str, Any]:
        """Return the kernel as it stands in `--json`; what is not known is null."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "folder": str(self.folder),
            "place": self.place,
            "language": self.language,
            "argv": list(self.argv),
            "env": [name for name, _ in self.settings],
            "python": str(self.python) if self.python else None,
            "environment": str(self.prefix) if self.prefix else None,
            "ipykernel": self.ipykernel,
            "torch": self.torch,
            "variant": self.build,
            "healthy": self.healthy,
            "problem": self.problem.to_json() if self.problem else None,
            "hidden_by": str(self.hidden_by) if self.hidden_by else None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """A kernel that was registered, and what its cells answered."""

    name: str
    display_name: str
    folder: Path
    executable: str  # the first word of its command
    torch: str  # version
    device: str  # the device that torch uses, such as cuda:0

    def to_json(self) -> dict[str, Any]:
        """Return the kernel as it stands in `--json`."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "folder": str(self.folder),
            "executable": self.executable,
            "torch": self.torch,
            "device": self.device,
            "cell": "ran",
        }
