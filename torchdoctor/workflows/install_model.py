"""What an install is asked to do, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.requirements import StackRequest
from torchdoctor.resolve import Request
from torchdoctor.workflows.change_size import ChangeSize
from torchdoctor.workflows.kernel_model import KernelRequest
from torchdoctor.workflows.source_options import SourceOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torchdoctor.bundle import BundleOrigin
    from torchdoctor.detect import Detection
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install import Environment
    from torchdoctor.install.hold.model import Hold
    from torchdoctor.install.record import PackageChange
    from torchdoctor.kernel import Kernel
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.resolve import Plan
    from torchdoctor.verify import VerifyReport

__all__ = ["InstallOptions", "InstallResult"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallOptions:
    """What `install` is asked to do."""

    folder: Path  # of the environment, which is made where it does not exist
    cache: Path  # torchdoctor's cache folder
    data: Path | None = None  # the folder in which `index update` keeps what it read
    python: str | None = None  # as `--python` takes it: a path, an environment, a version
    request: Request = field(default_factory=Request)
    sources: SourceOptions = field(default_factory=SourceOptions)
    stack: StackRequest = field(default_factory=StackRequest)  # what is asked for besides torch
    optional: tuple[str, ...] = ()  # requirement lines that are left out where no source has them
    upgrade: bool = False  # take the newest versions in the place of those that are installed
    reinstall: frozenset[str] = frozenset()  # packages to replace although their version is installed
    kernel_name: str | None = None  # of the kernel to register; None registers none
    display_name: str | None = None  # of that kernel
    overwrite_kernel: bool = False  # replace a kernel of that name
    drop_unneeded: bool = True  # remove what only the torch that is replaced needed
    hold: bool = True  # have pip and uv keep torch in its family of builds
    verify: bool = True
    dry_run: bool = False  # stop before anything is fetched
    # Of a dry run: whether the environment's Python may run, as somebody agreed to change the environment.
    may_run: bool = False
    lock: Path | None = None  # a pylock.toml to install exactly, instead of resolving
    origin: BundleOrigin | None = None  # what must hold of the bundle in which the lock lies
    decided: InstallResult | None = (
        None  # of a dry run of these options, whose plan and lock are taken as they are
    )
    prove: Callable[[Path], None] | None = (
        None  # checks an environment that was changed before it takes its place
    )
    assume_yes: bool = False  # change an existing environment without asking
    allow_downgrade: bool = False  # let torch become older, or its build one that can do less

    @property
    def kernel(self) -> KernelRequest | None:
        """The kernel to register."""
        if self.kernel_name is None:
            return None
        return KernelRequest(
            name=self.kernel_name, display_name=self.display_name, overwrite=self.overwrite_kernel
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallResult:
    """What came out; the later parts are None where the pipeline was asked to stop before them."""

    detection: Detection
    plan: Plan
    lock: Lock | None = None
    to_fetch: tuple[LockedWheel, ...] = ()  # of a dry run: the files of the lock that are not installed
    size: ChangeSize = field(default_factory=ChangeSize)  # of a dry run: what these files take
    changes: tuple[PackageChange, ...] = ()
    freed: int = 0  # bytes of the packages that are removed
    wheelhouse: Wheelhouse | None = None
    environment: Environment | None = None
    hold: Hold | None = None
    kernel: Kernel | None = None
    verification: VerifyReport | None = None

    @property
    def exit_status(self) -> int:
        """1 when the verification found a problem, else 0."""
        return 1 if self.verification is not None and not self.verification.passed else 0
