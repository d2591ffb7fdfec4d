"""What torchdoctor can repair itself, as values, and how a repair ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from torchdoctor.core.i18n import Message, joined, message, plurals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from torchdoctor.kernel import KernelState
    from torchdoctor.resolve import Plan, Request

__all__ = [
    "KernelRepair", "Outcome", "Reinstall", "Relocate", "RemoveLeftovers", "RemoveUnneeded", "Repair", "Repaired",
]  # fmt: skip

Outcome = Literal["repaired", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reinstall:
    """Install the packages of a plan into the environment."""

    findings: tuple[str, ...]  # the ids of what it repairs
    plan: Plan
    request: Request  # what leads to the plan when it is resolved again, with live sources
    reinstall: frozenset[str]  # packages that are replaced although their version is right
    unchanged: frozenset[str] = frozenset()  # packages of the plan that are installed already
    leftovers: tuple[Path, ...] = ()  # folders of an interrupted installation, removed after the new one
    asked: tuple[tuple[str, str], ...] = ()  # requirement lines that must be met, each with who asked for it
    pins: tuple[str, ...] = ()  # requirement lines of damaged packages that torch does not require
    kept: frozenset[str] = frozenset()  # torch and companions whose installed release belongs here

    @property
    def removal(self) -> str:
        """Return what would be said of the leftovers, for the person who is asked."""
        return _removal(self.leftovers)

    @property
    def what(self) -> str:
        """Return what would be done, for the person who is asked."""
        versions = {package.name: f"{package.name} {package.version}" for package in self.plan.packages}
        again = sorted(versions.get(name, name) for name in self.reinstall)
        new = [text for name, text in versions.items() if name not in self.reinstall | self.unchanged]
        texts = [message("install {names} into the environment", names=joined(new))] if new else []
        texts += [message("reinstall {names}", names=joined(again))] if again else []
        texts += [_removal(self.leftovers)] if self.leftovers else []
        return joined(texts, "; ")


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveLeftovers:
    """Remove what an interrupted installation left, where everything else is complete."""

    findings: tuple[str, ...]
    leftovers: tuple[Path, ...]

    @property
    def what(self) -> str:
        """Return what would be done, for the person who is asked."""
        return _removal(self.leftovers)


def _removal(folders: Iterable[Path]) -> Message:
    return message("remove {folders}, left by an interrupted installation", folders=joined(folders))


@dataclass(frozen=True, kw_only=True, slots=True)
class Relocate:
    """Make the launchers, activate scripts and settings of an environment that was moved name its folder."""

    findings: tuple[str, ...]
    folder: Path
    former: tuple[str, ...]  # the folders that they name

    @property
    def what(self) -> str:
        """Return what would be done, for the person who is asked."""
        return message(
            "rewrite the scripts and settings of {folder} that name {former}",
            folder=self.folder,
            former=joined(self.former),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveUnneeded:
    """Remove packages that nothing requires, and none of the files that other packages have too."""

    findings: tuple[str, ...]
    names: frozenset[str]
    size: int  # bytes

    @property
    def what(self) -> str:
        """Return what would be done, for the person who is asked."""
        return message(
            "remove {packages} that nothing requires ({size:.1f} GB): {names}",
            packages=plurals.packages(len(self.names)),
            size=self.size / 1e9,
            names=joined(sorted(self.names)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelRepair:
    """Make a kernel start again: with `python` where its own is gone, with ipykernel where that is missing."""

    findings: tuple[str, ...]
    kernel: KernelState
    python: Path

    @property
    def what(self) -> str:
        """Return what would be done, for the person who is asked."""
        problem = self.kernel.problem
        if problem is not None and problem.kind == "no-ipykernel":
            return message(
                "install ipykernel into {place}, for the kernel {name}",
                place=self.kernel.prefix,
                name=self.kernel.name,
            )
        return message(
            "make the kernel {name} run {python} ({problem})",
            name=self.kernel.name,
            python=self.python,
            problem=problem.message if problem else "",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """How a repair ended."""

    findings: tuple[str, ...]  # the ids of what it was to repair
    what: str  # what was to be done, for people
    outcome: Outcome
    reason: str = ""  # why it was skipped or failed

    def to_json(self) -> dict[str, Any]:
        """Return the repair as it stands in `--json`."""
        return {
            "findings": list(self.findings),
            "what": self.what,
            "outcome": self.outcome,
            "why": self.reason,
        }


Repair: TypeAlias = Relocate | Reinstall | RemoveLeftovers | RemoveUnneeded | KernelRepair
