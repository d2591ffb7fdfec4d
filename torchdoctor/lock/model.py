"""A lock, which is the text of a pylock.toml (PEP 751), and what is needed to make one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.urls import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from pathlib import Path

    from torchdoctor.core.hashing import FileDigest
    from torchdoctor.detect import Machine
    from torchdoctor.lock.stand_ins import StandIn
    from torchdoctor.lock.target import Target
    from torchdoctor.sources import Sources
    from wheels_index import Wheel

__all__ = ["Lock", "LockRequest", "LockedWheel", "locked_wheel"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LockRequest:
    """What to lock besides the packages of a plan, for which interpreter, and from where."""

    python: Path  # the interpreter to lock for; with `target` it only runs build tools
    sources: Sources
    environ: Mapping[str, str]
    extras: tuple[str, ...] = ()  # requirement lines that must be met
    optional: tuple[str, ...] = ()  # requirement lines that are left out where no source can meet them
    constraints: tuple[str, ...] = ()  # requirement lines that limit versions and install nothing
    overrides: tuple[str, ...] = ()  # requirement lines that replace what others require of the same project
    prereleases: bool = False  # whether any package may be a pre-release
    excluded: frozenset[str] = frozenset()  # projects that are not installed, whoever requires them
    installed: Mapping[str, str] = field(default_factory=dict)  # versions by name, kept where they still fit
    preferred: Mapping[str, str] = field(default_factory=dict)  # versions of a project's lock, likewise
    upgrade: bool = False  # take the newest versions in the place of those that are installed
    stand_ins: tuple[StandIn, ...] = ()  # packages without a wheel that a solve may choose
    whole_files: Mapping[str, Path] = field(
        default_factory=dict
    )  # by URL: files without a hash that were fetched
    offline: bool = False
    machine: Machine | None = None  # the kind of machine that the lock says it is for
    target: Target | None = None  # set where that machine is not this one
    described: Target | None = None  # set where its interpreter must not run: what uv is told of it instead

    @property
    def kept_versions(self) -> Mapping[str, str]:
        """The versions by name that a solve takes where everything else allows."""
        return dict(self.preferred) if self.upgrade else {**self.preferred, **self.installed}


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedWheel:
    """One file of the lock."""

    name: str  # the normalised name of its project
    version: str
    filename: str
    url: str  # http(s) or file
    sha256: str | None  # None where no index gives one
    size: int | None  # bytes; None where no index gives it


def locked_wheel(wheel: Wheel) -> LockedWheel:
    """Return a file of a plan as a lock names it; the URL is empty where none is known."""
    return LockedWheel(
        name=wheel.project,
        version=str(wheel.version),
        filename=wheel.filename,
        url=wheel.url or "",
        sha256=wheel.sha256,
        size=wheel.size,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The files of a plan's packages and of everything that they need, for one kind of machine."""

    wheels: tuple[LockedWheel, ...]
    environment: str | None = None  # the marker of the machines that it is for; None where it does not say
    requires_python: str | None = (
        None  # the specifier of the Pythons that it is for; None where it does not say
    )
    variant: str | None = None  # torch's

    @property
    def text(self) -> str:
        """The lock as a pylock.toml: the same bytes for the same lock, and no credentials in its URLs."""
        return self._text({})

    def text_beside(self, names: Iterable[str]) -> str:
        """Return the lock as a pylock.toml that lies in one folder with the files of these names."""
        return self._text({name: {"path": name} for name in names})

    def _text(self, places: dict[str, dict[str, Any]]) -> str:
        import tomli_w

        document: dict[str, Any] = {"lock-version": "1.0"}
        if self.environment is not None:
            document["environments"] = [self.environment]
        if self.requires_python is not None:
            document["requires-python"] = self.requires_python
        document["created-by"] = "torchdoctor"
        document["packages"] = [
            _package_table(wheel, places.get(wheel.filename, {"url": strip_credentials(wheel.url)}))
            for wheel in sorted(self.wheels, key=lambda wheel: (wheel.name, wheel.filename))
        ]
        if self.variant is not None:
            document["tool"] = {"torchdoctor": {"variant": self.variant}}
        return tomli_w.dumps(document)

    def without(self, names: Container[str]) -> Lock:
        """Return the lock without the packages of these names."""
        return replace(self, wheels=tuple(wheel for wheel in self.wheels if wheel.name not in names))

    def confirmed(self, digests: Mapping[str, FileDigest]) -> Lock:
        """Return the lock with hash and size of files that were read; `digests` are by file name."""
        return replace(
            self, wheels=tuple(_confirmed(wheel, digests.get(wheel.filename)) for wheel in self.wheels)
        )


def _confirmed(wheel: LockedWheel, digest: FileDigest | None) -> LockedWheel:
    return wheel if digest is None else replace(wheel, sha256=digest.sha256, size=digest.size)


def _package_table(wheel: LockedWheel, place: dict[str, Any]) -> dict[str, Any]:
    file: dict[str, Any] = {"name": wheel.filename, **place}
    if wheel.size is not None:
        file["size"] = wheel.size
    file["hashes"] = {"sha256": wheel.sha256} if wheel.sha256 else {}
    return {"name": wheel.name, "version": wheel.version, "wheels": [file]}
