"""What is known of a package before it is imported, and what is to be done with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.verify.model import CheckResult

__all__ = ["ListedPackage", "PackageOptions", "PackageTask", "Selection"]

_MAX_MODULES = 10
_MAX_REQUIREMENTS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedPackage:
    """An installed package, as the environment's interpreter lists it."""

    name: str  # normalised
    version: str
    requires: tuple[
        str, ...
    ]  # its requirement lines about torch, torchvision and torchaudio, with their markers
    modules: tuple[str, ...]  # the names by which it is imported
    kind: str  # of one without modules: stubs, scripts or data
    compiled: bool  # whether it has compiled libraries

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> ListedPackage:
        """Build it from a `package` event of the probe; its texts are somebody's metadata."""
        return cls(
            name=sanitize_line(str(event["name"]), limit=100),
            version=sanitize_line(str(event["version"]), limit=100),
            requires=tuple(
                sanitize_line(str(line), limit=300) for line in event["requires"][:_MAX_REQUIREMENTS]
            ),
            modules=tuple(str(name) for name in event["modules"][:_MAX_MODULES]),
            kind=str(event["kind"]),
            compiled=bool(event["compiled"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageTask:
    """A package that is to be imported; `outside` says how its version is not the one that was asked for.

    `operation` is the id of the operation that proves it, where one is known.
    """

    package: ListedPackage
    needs_torch: bool
    outside: str = ""
    operation: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What is to be imported, and the results that need no import: not installed, nothing to import."""

    tasks: tuple[PackageTask, ...] = ()
    results: Mapping[str, CheckResult] = field(default_factory=dict)
    order: tuple[str, ...] = ()  # the names of all packages, in the order in which they are reported


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageOptions:
    """What to import and how.

    `asked` are the requirements that somebody asked for. With `compiled_only` the others are left out where they have
    no compiled code. `only` limits the packages to these, `skip` leaves these out. `importing` and `proving` say which
    results are reported: of imports, and of the operations of known extensions, on `devices` (None: all). `has_torch`
    says whether torch can be imported, and `torch_mib` what a process takes that does, where that was measured.
    """

    asked: Sequence[AskedRequirement] = ()
    compiled_only: bool = False
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    importing: bool = True
    proving: bool = True
    devices: Sequence[str] | None = None
    has_torch: bool = True
    torch_mib: int | None = None
    scale: float = 1.0
    memory_limit_mib: int | None = None
    cores: int | None = None  # at most so many at a time; None for the cores that there are
