"""What is looked into while the files of a lock are fetched: their hashes, who vouches for them, and how they come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.fetch.verification import refuse_unprotected
from torchdoctor.lock.missing_hashes import MissingHashCheck
from torchdoctor.lock.protection import ProtectionCheck
from torchdoctor.workflows.copy_check import CopyCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.acquire_model import AcquireContext

__all__ = ["LockChecks", "start_checks"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LockChecks:
    """Checks that run in background threads; what asks for their results waits for them."""

    missing: MissingHashCheck
    copies: CopyCheck
    protection: ProtectionCheck

    def hashless(self) -> tuple[LockedWheel, ...]:
        """Return the files that no index gives a hash for; raises `SourceFailed` for one that came over http."""
        found = self.missing.found()
        for wheel in found:
            refuse_unprotected(replace(wheel, sha256=None))
        return found

    def skip_doubtful(
        self, on_file: Callable[[FetchedWheel], None] | None
    ) -> Callable[[FetchedWheel], None] | None:
        """Return `on_file` without the files that are asked about and not answered for: one may be another's.

        What was unpacked of it would stay behind where the lock is made again.
        """
        doubtful = frozenset(wheel.filename for wheel, _ in self.copies.asked)
        if on_file is None or not doubtful:
            return on_file

        def on_certain_file(fetched: FetchedWheel) -> None:
            name = fetched.wheel.filename
            if name not in doubtful or self.copies.is_right(name):
                on_file(fetched)

        return on_certain_file


def start_checks(context: AcquireContext, plan: Plan, lock: Lock) -> LockChecks:
    """Start to look into the files of a lock, but those of the plan and those that are installed."""
    request = context.lock_request
    planned = {package.wheel.filename for package in plan.packages if package.wheel is not None}
    installed = {wheel.filename for wheel in lock.wheels if context.has(wheel.name, wheel.version)}
    parts = {wheel.filename for wheel in plan.accelerator_wheels}
    return LockChecks(
        missing=MissingHashCheck(lock, request.sources, known=planned | installed, offline=request.offline),
        copies=CopyCheck(lock, request, settled=planned | installed | parts, trusted=request.sources.trusted),
        protection=ProtectionCheck(
            lock, request.sources, known=planned | installed | parts, offline=request.offline
        ),
    )
