"""What replaced torch: by our own record, the times of installation, the installer's marks, and who requires what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.inventory import files
from wheels_index import COMPANIONS, TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["Replacement", "replacement_of"]

# One run of an installer writes its packages one after the other; large ones take minutes.
_ONE_RUN = timedelta(minutes=10)
_MAX_SHOWN = 5
# Installer -> the lock from which it brings an environment up to date again and again, and the command that does it.
_PROJECTS = {"uv": ("uv.lock", "uv sync"), "poetry": ("poetry.lock", "poetry install")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """torch is another one than was installed before."""

    before: str  # the version that was installed, with its variant where that is known
    now: str  # the version that is installed now
    when: str | None  # when it was installed: UTC, ISO 8601
    installer: str | None = None  # pip, uv, ...
    culprits: tuple[str, ...] = ()  # `name version` of packages of the same run that brought it
    together: tuple[str, ...] = ()  # without such a package: others that were asked for in the same run
    project: tuple[str, str] | None = None  # a lock beside the environment, and the command that obeys it
    held: bool = False  # whether the environment is held: the command was one that the hold does not reach

    @property
    def description(self) -> str:
        """Return what happened to torch, when and with which packages, as a sentence."""
        text = message("torch changed from {before} to {now}", before=self.before, now=self.now)
        if self.when:
            text = message("{text} at {time}", text=text, time=self.when)
        if self.installer:
            text = message("{text} by {installer}", text=text, installer=self.installer)
        if self.culprits:
            text = message(
                "{text}, when {packages} was installed", text=text, packages=joined(self.culprits, " and ")
            )
        elif self.together:
            text = message(
                "{text}, in one run with {packages}; none of them asks for another torch: it was named itself, by a "
                "requirements file or a project",
                text=text,
                packages=joined(self.together),
            )
        if self.held:
            text = message(
                "{text}; the environment is held, but not for uv where it is not activated, for projects of uv and "
                "Poetry, and for pip with PIP_CONSTRAINT or another configuration",
                text=text,
            )
        if self.project:
            text = message(
                "{text}; `{command}` obeys {lock} and does it again",
                text=text,
                command=self.project[1],
                lock=self.project[0],
            )
        return text


def replacement_of(inventory: Inventory) -> Replacement | None:
    """Return how torch was replaced, by our record or by companions that require another one; None if it was not.

    Another release of the same family is no replacement while every package gets the torch that it requires. Nor is a
    torch that somebody asked for by itself, unless the environment is held.
    """
    torch, own = inventory.torch.value, inventory.distribution("torch")
    if torch is None or torch.version is None:
        return None
    if own is not None and not own.folder.startswith(inventory.prefix):
        return None  # It is in another folder, which hides the environment's own.
    everything = inventory.distributions.value or ()
    before = _recorded(inventory) or _asked_for(inventory)
    now = torch.version if "+" in torch.version else f"{torch.version}+{torch.variant.value or '?'}"
    if (
        before is None
        or _same(before, now)
        or (_same_family(before, now) and not _someone_lacks(now, everything))
    ):
        return None
    run = _same_run(own, everything)
    culprits = [package for package in run if _excludes(package, before)]
    together = [package for package in run if package.requested and package.name not in TORCH_PROJECTS]
    if not culprits and not (own is not None and own.requested and own.installer == "pip"):
        # pip marks what was asked for by name, uv marks everything.
        culprits = _asked_first([package for package in run if _names_torch(package)])
        culprits = [] if _is_uv(own) and together else culprits
    held = _is_held(inventory)
    if own is not None and own.requested and not culprits and not together and not held:
        return None
    return Replacement(
        before=before,
        now=now,
        when=own.installed_at if own else None,
        installer=own.installer if own else None,
        culprits=_shown(_asked_first(culprits)),
        together=() if culprits else _shown(together),
        project=_project(inventory, own),
        held=held and not _same_family(before, now),
    )


def _recorded(inventory: Inventory) -> str | None:
    record = inventory.install_record.value
    version = dict(record.packages).get("torch") if record else None
    if version is None or record is None:
        return None
    return version if "+" in version or not record.variant else f"{version}+{record.variant}"


def _asked_for(inventory: Inventory) -> str | None:
    """The only version that an older torchvision or torchaudio allows, where torch is newer than them."""
    torch = inventory.distribution("torch")
    for name in COMPANIONS:
        companion = inventory.distribution(name)
        if companion is None or torch is None or not _earlier(companion.installed_at, torch.installed_at):
            continue
        for requirement in _on_torch(companion):
            pins = [specifier.version for specifier in requirement.specifier if specifier.operator == "=="]
            if pins:
                return pins[0]
    return None


def _same_run(torch: Distribution | None, distributions: Sequence[Distribution]) -> list[Distribution]:
    """Return the packages that were installed in the same run as torch."""
    moment = _moment(torch.installed_at) if torch else None
    if moment is None:
        return []
    return [
        package
        for package in distributions
        if package.name != "torch"
        and (at := _moment(package.installed_at)) is not None
        and abs(at - moment) < _ONE_RUN
    ]


def _excludes(package: Distribution, version: str) -> bool:
    """Whether a package cannot have been installed beside that torch; companions follow torch and bring none."""
    return package.name not in COMPANIONS and not _allows(package, version)


def _someone_lacks(version: str, distributions: Sequence[Distribution]) -> bool:
    return any(not _allows(package, version) for package in distributions)


def _allows(package: Distribution, version: str) -> bool:
    """A version that cannot be read is allowed."""
    try:
        public = Version(Version(version).public)
    except InvalidVersion:
        return True
    return all(requirement.specifier.contains(public, prereleases=True) for requirement in _on_torch(package))


def _names_torch(package: Distribution) -> bool:
    return any(True for _ in _on_torch(package))


def _on_torch(package: Distribution) -> Iterator[Requirement]:
    for line in package.requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.name == "torch" and "extra" not in str(requirement.marker or ""):
            yield requirement


def _asked_first(packages: Sequence[Distribution]) -> list[Distribution]:
    return [package for package in packages if package.requested] or list(packages)


def _shown(packages: Sequence[Distribution]) -> tuple[str, ...]:
    return tuple(f"{package.name} {package.version}" for package in packages[:_MAX_SHOWN])


def _is_uv(torch: Distribution | None) -> bool:
    return torch is not None and (torch.installer or "").startswith("uv")


def _is_held(inventory: Inventory) -> bool:
    from torchdoctor.install.hold.model import HOLD_FILE

    return files.exists(f"{inventory.prefix}/{HOLD_FILE}")


def _project(inventory: Inventory, torch: Distribution | None) -> tuple[str, str] | None:
    """Return the lock of a project whose tool installed this torch into the project's own environment."""
    installer = (torch.installer or "").split()[:1] if torch is not None else []
    lock, command = _PROJECTS.get(installer[0] if installer else "", ("", ""))
    place = f"{PurePath(inventory.prefix).parent}/{lock}"
    return (place, command) if lock and files.exists(place) else None


def _same_family(before: str, now: str) -> bool:
    try:
        old, new = Version(before).local, Version(now).local
    except InvalidVersion:
        return False
    return old is not None and old == new


def _same(before: str, now: str) -> bool:
    """The same release in the same build; an unknown build is the same as any."""
    try:
        old, new = Version(before), Version(now)
    except InvalidVersion:
        return before == now
    return old.public == new.public and (old.local is None or old.local == new.local)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _earlier(one: str | None, other: str | None) -> bool:
    first, second = _moment(one), _moment(other)
    return first is not None and second is not None and first + _ONE_RUN < second
