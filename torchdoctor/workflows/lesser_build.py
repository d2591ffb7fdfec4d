"""A torch that would make way for an older one, or for a build that does less: only where that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.core.versions import public_version
from torchdoctor.errors import InstallFailed
from torchdoctor.inventory.installed import read_installed
from torchdoctor.resolve.family_order import cannot_use_gpu, is_lesser_family

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.inventory.installed import InstalledPackage
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.install_inputs import InstallInputs
    from torchdoctor.workflows.install_model import InstallOptions
    from wheels_index import Snapshot

__all__ = ["LesserBuild", "confirm_lesser_build", "find_lesser_build"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LesserBuild:
    """What would be lost, and how to ask for it."""

    folder: str  # of the environment, for a shell
    before: str  # the installed torch with its build
    after: str
    losses: tuple[str, ...]
    options: str  # those that ask for just this

    @property
    def description(self) -> str:
        """What would change, and why it is no upgrade."""
        return message(
            "{folder} has torch {before}, and what fits and can be had is torch {after}: {losses}",
            folder=self.folder,
            before=self.before,
            after=self.after,
            losses=joined(self.losses),
        )


def find_lesser_build(
    options: InstallOptions, inputs: InstallInputs, plan: Plan, index: Snapshot
) -> LesserBuild | None:
    """Return what the plan would take from the environment unasked; None where it takes nothing or was asked for it.

    A version that excludes the installed one, a variant and a lock are asked for by name. A build that cannot use the
    GPU which is there may make way for any other.
    """
    if not inputs.target.exists or inputs.existing_lock is not None:
        return None
    torch = read_installed(inputs.target.python.site_packages).named("torch")
    if torch is None or cannot_use_gpu(inputs.machine, torch.version, torch.build, index):
        return None
    older = _is_older(plan.torch.version.public, torch.version) and not _asks_for_another(inputs, torch)
    lesser = inputs.asked.variant == "auto" and is_lesser_family(torch.build, plan.variant)
    losses = [message("an older release")] if older else []
    if lesser:
        losses.append(message("a build that can do less"))
    if not losses:
        return None
    asked = [f"--torch {plan.torch.version.public}"] if older else []
    asked += [f"--variant {plan.variant}"] if lesser else []
    return LesserBuild(
        folder=quoted(str(options.folder)),
        before=_named(public_version(torch.version) or torch.version, torch.build),
        after=_named(plan.torch.version.public, plan.variant),
        losses=tuple(losses),
        options=" ".join(asked),
    )


def confirm_lesser_build(
    lesser: LesserBuild | None, report: Reporter, *, allowed: bool, assume_yes: bool, dry_run: bool = False
) -> None:
    """Report what would be lost; raise `InstallFailed` unless it is `allowed` or a person agrees.

    Consent to changes that was given beforehand is none to this. A dry run asks nobody, and raises where the run would
    without a question.
    """
    if lesser is None:
        return
    can_ask = report.can_ask and not assume_yes
    if allowed or can_ask:
        report.warn(lesser.description)
    if allowed or (can_ask and (dry_run or report.ask(message("Take it all the same?"), default=False))):
        return
    raise InstallFailed(
        message("{what}; nothing was changed", what=lesser.description),
        fix=message(
            "keep what is there, or ask for it: torchdoctor install {folder} {options} (or --allow-downgrade)",
            folder=lesser.folder,
            options=lesser.options,
        ),
        code="downgrade",
    )


def _is_older(version: str, installed: str) -> bool:
    try:
        return Version(version) < Version(Version(installed).public)
    except InvalidVersion:
        return False


def _asks_for_another(inputs: InstallInputs, torch: InstalledPackage) -> bool:
    """Whether what is asked of torch or a companion leaves the installed release out."""
    versions, release = inputs.asked.torch, public_version(torch.version)
    if versions is not None and release is not None and not versions.contains(release, prereleases=True):
        return True
    return any(str(specifiers) for specifiers in inputs.asked.required.values())


def _named(version: str, build: str | None) -> str:
    return f"{version}+{build}" if build else version
