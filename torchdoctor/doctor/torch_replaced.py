"""Which package replaced torch: by our own record, the times of installation, and who requires what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["Replacement", "replacement_of"]

# One run of an installer writes its packages one after the other; large ones take minutes.
_ONE_RUN = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """torch is another one than was installed before."""

    before: str  # the version that was installed, with its variant where that is known
    now: str  # the version that is installed now
    when: str | None  # when it was installed: UTC, ISO 8601
    culprits: tuple[str, ...]  # `name version` of packages that were installed in the same run

    @property
    def description(self) -> str:
        """Return what happened to torch, when and with which packages, as a sentence."""
        text = message("torch changed from {before} to {now}", before=self.before, now=self.now)
        if self.when:
            text = message("{text} at {time}", text=text, time=self.when)
        if self.culprits:
            text = message(
                "{text}, when {packages} was installed", text=text, packages=joined(self.culprits, " and ")
            )
        return text


def replacement_of(inventory: Inventory) -> Replacement | None:
    """Return how torch was replaced, by our record or by companions that require another one; None if it was not."""
    torch = inventory.torch.value
    if torch is None or torch.version is None:
        return None
    own = inventory.distribution("torch")
    if own is not None and not own.folder.startswith(inventory.prefix):
        return None  # It is in another folder, which hides the environment's own.
    before = _recorded(inventory) or _asked_for(inventory)
    now = torch.version if "+" in torch.version else f"{torch.version}+{torch.variant.value or '?'}"
    culprits = _came_with(own, inventory.distributions.value or ())
    if before is None or _same(before, now) or _wanted(own, culprits):
        return None
    return Replacement(before=before, now=now, when=own.installed_at if own else None, culprits=culprits)


def _wanted(torch: Distribution | None, culprits: Sequence[str]) -> bool:
    """Whether somebody asked for this torch by name. pip marks only such packages as requested, uv marks all."""
    if torch is None or not torch.requested:
        return False
    return torch.installer == "pip" or not culprits


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
        for line in companion.requires:
            pinned = _pin(line)
            if pinned is not None:
                return pinned
    return None


def _pin(line: str) -> str | None:
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        return None
    pins = [specifier.version for specifier in wanted.specifier if specifier.operator == "=="]
    return pins[0] if wanted.name == "torch" and pins else None


def _came_with(torch: Distribution | None, distributions: Sequence[Distribution]) -> tuple[str, ...]:
    """Packages that need torch and were installed in the same run, those asked for by name if there are any."""
    moment = _moment(torch.installed_at) if torch else None
    if torch is None or moment is None:
        return ()
    near = [
        package
        for package in distributions
        if package.name != "torch"
        and (at := _moment(package.installed_at)) is not None
        and abs(at - moment) < _ONE_RUN
    ]
    need = [package for package in near if any(_names_torch(line) for line in package.requires)]
    requested = [package for package in need if package.requested] or need
    return tuple(f"{package.name} {package.version}" for package in requested[:5])


def _names_torch(line: str) -> bool:
    try:
        return Requirement(line).name == "torch"
    except InvalidRequirement:
        return False


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
