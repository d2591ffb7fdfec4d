"""A snapshot with what a live index listed laid over it: new files, variants and releases, without new code."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from wheels_index._companions import CompanionPairs, declared_torch
from wheels_index._lazy_wheels import LazyWheels
from wheels_index._merge import (
    NO_BUILDS,
    DigestConflict,
    merged_builds,
    merged_wheels,
    with_pypi_pythons,
)
from wheels_index._stored_files import Group, groups_from_json, groups_of, groups_to_json
from wheels_index.release import COMPANIONS, PLATFORMS, Release
from wheels_index.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheels_index._stored_files import File
    from wheels_index.wheel import Wheel

__all__ = ["DigestConflict", "LiveSnapshot", "Overlay", "declared_torch", "overlay"]

_SCHEMA = 1
_NO_REQUIREMENTS: Mapping[str, Sequence[str]] = MappingProxyType({})
_MAX_LINE_COUNT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlay:
    """What an index listed on `as_of` (an ISO date), and what new companions declare of torch.

    `requires` maps `torchvision-0.31.0` to the `Requires-Dist` lines of its metadata. `pypi` says that the files are
    PyPI's: they name no variant, and a file of the same name on the official index has other bytes.
    """

    as_of: str
    groups: tuple[Group, ...]
    requires: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pypi: bool = False

    @classmethod
    def of(
        cls,
        wheels: Iterable[Wheel],
        *,
        as_of: str,
        requires: Mapping[str, Sequence[str]] = _NO_REQUIREMENTS,
        pypi: bool = False,
    ) -> Overlay:
        """Keep the releases: pre-releases, development builds and yanked files are left out."""
        kept = [wheel for wheel in wheels if not (wheel.version.is_prerelease or wheel.yanked)]
        return cls(
            as_of=as_of,
            groups=groups_of(kept if pypi else map(_with_macos_variant, kept)),
            requires={k: tuple(v) for k, v in requires.items()},
            pypi=pypi,
        )

    def without_hashes(self) -> Overlay:
        """Return what a place listed that nobody vouches for: names, without hashes and without what files declare."""
        groups = tuple(replace(group, files=tuple(map(_without_hash, group.files))) for group in self.groups)
        return replace(self, groups=groups, requires={})

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON that `from_json` reads."""
        return {
            "schema": _SCHEMA,
            "as_of": self.as_of,
            "pypi": self.pypi,
            "requires": {name: list(lines) for name, lines in self.requires.items()},
            "groups": groups_to_json(self.groups),
        }

    @classmethod
    def from_json(cls, data: Any) -> Overlay:
        """Read what `to_json` gave; raises `ValueError` for anything else."""
        if not isinstance(data, dict) or data.get("schema") != _SCHEMA:
            raise ValueError(f"not rows of schema {_SCHEMA}")
        as_of = data.get("as_of")
        if not isinstance(as_of, str) or not _is_date(as_of):
            raise ValueError("as_of: not a date")
        return cls(
            as_of=as_of,
            groups=groups_from_json(data.get("groups")),
            requires=_checked_requirements(data.get("requires")),
            pypi=data.get("pypi") is True,
        )


def overlay(
    snapshot: Snapshot,
    wheels: Iterable[Wheel],
    *,
    as_of: str,
    requires: Mapping[str, Sequence[str]] = _NO_REQUIREMENTS,
) -> LiveSnapshot:
    """Lay wheels seen on an index on `as_of` over a snapshot.

    >>> from wheels_index import Wheel, bundled
    >>> name = "torch-2.99.0+cu134-cp312-cp312-manylinux_2_28_x86_64.whl"
    >>> wheel = Wheel.from_filename(name, url=f"https://download.pytorch.org/whl/cu134/{name}")
    >>> live = overlay(bundled(), [wheel], as_of="2027-01-01")
    >>> str(live.versions()[0]), live.release("2.99").platforms["linux_x86_64"].variants
    ('2.99.0', ('cu134',))
    """
    return LiveSnapshot(snapshot, Overlay.of(wheels, as_of=as_of, requires=requires))


class LiveSnapshot(Snapshot):
    """A snapshot under an overlay. A release is merged when it is asked for; known digests always stay."""

    __slots__ = ("_base", "_by_release", "_pairs", "_refused", "_wheels", "overlay")

    def __init__(self, base: Snapshot, overlay: Overlay) -> None:
        super().__init__(base.folder)
        self._base = base
        self.overlay = overlay
        self._refused: dict[Version, tuple[DigestConflict, ...]] = {}
        self._by_release: dict[tuple[str, Version], list[Group]] | None = None
        self._pairs: CompanionPairs | None = None

    @property
    def digest(self) -> str:
        """As of a snapshot, with what was listed live."""
        listed = json.dumps(self.overlay.to_json(), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(f'{self._base.digest} {listed}'.encode()).hexdigest()}"

    @property
    def refused(self) -> tuple[DigestConflict, ...]:
        """The files that the index gives another digest than the known one; reads every release."""
        for release in self.releases():
            len(release.pypi_wheels if self.overlay.pypi else release.wheels)
        return tuple(
            dict.fromkeys(conflict for conflicts in self._refused.values() for conflict in conflicts)
        )

    @property
    def as_of(self) -> str:
        """The ISO date on which an index of PyTorch was last read; PyPI does not have all builds."""
        return self._base.as_of if self.overlay.pypi else max(self._base.as_of, self.overlay.as_of)

    def versions(self) -> tuple[Version, ...]:
        """Return the torch versions, newest first: those known, and those newer than the oldest known.

        A version counts as a release when a file of it names a variant.
        """
        if self._versions is None:
            known = self._base.versions()
            found = {
                version
                for (project, version), groups in self._groups().items()
                if project == "torch" and any(group.variant for group in groups)
            }
            oldest = known[-1] if known else Version("0")
            new = (version for version in found - set(known) if version > oldest)
            self._versions = tuple(sorted((*known, *new), reverse=True))
        return self._versions

    def projects(self) -> tuple[str, ...]:
        """Return the other projects of which files were seen."""
        seen = {group.project for group in self.overlay.groups} - {"torch", *COMPANIONS}
        return tuple(sorted({*self._base.projects(), *seen}))

    def project(self, name: str) -> tuple[Wheel, ...]:
        """Return the files seen of another project, those known first."""
        groups = (group for group in self.overlay.groups if group.project == name)
        found = [wheel for group in groups for wheel in group.wheels(seen=self.overlay.as_of)]
        return merged_wheels(self._base.project(name), found)[0]

    def _groups(self) -> Mapping[tuple[str, Version], list[Group]]:
        if self._by_release is None:
            found: defaultdict[tuple[str, Version], list[Group]] = defaultdict(list)
            for group in self.overlay.groups:
                version = group.version
                found[group.project, version if version.local is None else Version(version.public)].append(
                    group
                )
            self._by_release = dict(found)
        return self._by_release

    def _read(self, version: Version) -> Release:
        known = version in self._base.versions()
        if known and not self._concerns(version):
            return self._base.release(version)
        note = f"seen on {'PyPI' if self.overlay.pypi else 'the index'} on {self.overlay.as_of}"
        if not known:
            return self._merged(self._new_release(version, note), note)
        release = self._base.release(version)
        pairs = self._companion_pairs()
        companions = pairs.for_known_release(version, release.companions, note=note, pypi=self.overlay.pypi)
        return self._merged(replace(release, companions=MappingProxyType(companions)), note)

    def _concerns(self, version: Version) -> bool:
        """Say whether the overlay has a file of the release or of anything that may go with it."""
        release = self._base.release(version)
        pairs = {
            (name, other) for name, companion in release.companions.items() for other in companion.versions
        }
        return bool(self.overlay.requires) or not self._groups().keys().isdisjoint(
            {("torch", version), *pairs}
        )

    def _merged(self, release: Release, note: str) -> Release:
        wanted = [("torch", release.version)]
        wanted += [
            (name, version)
            for name, companion in release.companions.items()
            for version in companion.versions
        ]
        groups = [group for key in wanted for group in self._groups().get(key, ())]
        if self.overlay.pypi:
            return self._with_pypi(release, groups, note)

        def wheels() -> tuple[Wheel, ...]:
            found = (wheel for group in groups for wheel in group.wheels(seen=self.overlay.as_of))
            merged, self._refused[release.version] = merged_wheels(release.wheels, found)
            return merged

        torch = (
            (f[0], group.variant)
            for group in groups
            if group.project == "torch" and group.variant
            for f in group.files
        )
        return replace(
            release,
            wheels=LazyWheels(wheels),
            platforms=MappingProxyType(merged_builds(release.platforms, torch, note=note)),
            sources=MappingProxyType({**release.sources, "live": note}),
        )

    def _with_pypi(self, release: Release, groups: Sequence[Group], note: str) -> Release:
        """Return a release with PyPI's files of it, and the Pythons of its torch."""

        def wheels() -> tuple[Wheel, ...]:
            found = (wheel for group in groups for wheel in group.wheels(seen=self.overlay.as_of))
            merged, self._refused[release.version] = merged_wheels(release.pypi_wheels, found)
            return merged

        torch = [f[0] for group in groups if group.project == "torch" for f in group.files]
        return replace(
            release,
            pypi_wheels=LazyWheels(wheels),
            platforms=MappingProxyType(with_pypi_pythons(release.platforms, torch)),
            sources=MappingProxyType({**release.sources, "live PyPI": note}),
        )

    def _new_release(self, version: Version, note: str) -> Release:
        """Return a release of which nothing is known but its companions."""
        before = next((known for known in self._base.versions() if known < version), None)
        release = self._base.release(before) if before is not None else None
        return Release(
            version=version,
            released=None,
            requires_python=None,
            yanked=False,
            platforms=MappingProxyType(dict.fromkeys(PLATFORMS, NO_BUILDS)),
            companions=MappingProxyType(self._companion_pairs().for_new_release(version, release, note=note)),
            wheels=(),
            pypi_wheels=(),
            numpy=MappingProxyType({}),
            setuptools=None,
            triton=None,
            pypi_cuda_toolkit=None,
            pypi_cudnn=None,
            sources=MappingProxyType({"live": note}),
            as_of=self.overlay.as_of,
        )

    def _companion_pairs(self) -> CompanionPairs:
        if self._pairs is None:
            files = {
                key: [f[0] for group in groups for f in group.files] for key, groups in self._groups().items()
            }
            self._pairs = CompanionPairs(files if self.overlay.requires else {}, self.overlay.requires)
        return self._pairs


def _with_macos_variant(wheel: Wheel) -> Wheel:
    """Return a macOS wheel as the CPU build that each is; the official index keeps it in `whl/cpu/`."""
    untold = wheel.variant is None and wheel.version.local is None
    return replace(wheel, variant="cpu") if untold and "-macosx_" in wheel.filename else wheel


def _without_hash(file: File) -> File:
    name, _, size, sidecar, url = file
    return name, None, size, True if sidecar else None, url


def _is_date(text: str) -> bool:
    parts = text.split("-")
    return [len(part) for part in parts] == [4, 2, 2] and text.replace("-", "").isdecimal() and text.isascii()


def _checked_requirements(data: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(data, dict):
        raise ValueError("requires: not an object")  # noqa: TRY004  (one kind for bad data)
    for name, lines in data.items():
        project, _, version = name.rpartition("-")
        good = isinstance(lines, list) and len(lines) <= _MAX_LINE_COUNT
        if project not in COMPANIONS or not good or not all(isinstance(line, str) for line in lines):
            raise ValueError(f"requires: not lines of a companion: {name[:80]!r}")
        try:
            Version(version)
        except InvalidVersion as error:
            raise ValueError(f"requires: {error}"[:200]) from None
    return {name: tuple(lines) for name, lines in data.items()}
