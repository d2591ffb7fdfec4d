"""Bring an environment to the newest torch that fits, with everything that was asked for in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n import message
from torchdoctor.install.record import asked_in
from torchdoctor.workflows.install import run_install
from torchdoctor.workflows.recorded_vendor import from_recorded_vendor
from torchdoctor.workflows.torch_there import installed_with_torch
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.workflows.install_model import InstallOptions, InstallResult

__all__ = ["run_upgrade"]


def run_upgrade(
    options: InstallOptions, *, keep_family: bool, system: System, report: Reporter
) -> InstallResult:
    """Install the newest versions of torch, of its companions that are there, and of what was asked for.

    What was asked for in one version stays in it, unless `options` ask for another; what torchdoctor was not asked for
    stays as it is. `keep_family`: torch stays in the family of builds that is there, such as cu126. Raises
    `EnvironmentUnusable` where there is no torch, and what `run_install` raises.
    """
    installed = installed_with_torch(options.folder, system, reading=options.dry_run)
    options = from_recorded_vendor(options, report)
    named = {asked.name for asked in options.stack.requirements}
    # Whoever wrote the record may be another: nothing is fetched from a place that it names, and nothing built unasked.
    recorded = tuple(
        replace(asked, implied=True) for asked in asked_in(options.folder) if asked.name not in named
    )
    for asked in recorded:
        if _is_pinned(asked):
            report.note(
                message("{line} stays, as {origin} asked for it", line=asked.line, origin=asked.origin)
            )
    recorded = tuple(asked for asked in recorded if not _has_place(asked))
    torch = installed.named("torch")
    family = torch.build if keep_family and torch is not None else None
    present = {name: SpecifierSet() for name in COMPANIONS if installed.named(name) is not None}
    request = replace(
        options.request,
        variant=family or options.request.variant,
        only_required=True,
        required={**present, **options.request.required},
    )
    upgraded = replace(
        options,
        request=request,
        stack=replace(options.stack, requirements=(*recorded, *options.stack.requirements)),
        optional=("numpy",) if installed.named("numpy") is not None else (),
        upgrade=True,
    )
    return run_install(upgraded, system=system, report=report)


def _has_place(asked: AskedRequirement) -> bool:
    """Whether a URL or a path was asked for."""
    try:
        return Requirement(asked.line).url is not None
    except InvalidRequirement:
        return True


def _is_pinned(asked: AskedRequirement) -> bool:
    """Whether exactly one version or file was asked for."""
    try:
        requirement = Requirement(asked.line)
    except InvalidRequirement:
        return False
    return requirement.url is not None or any(
        each.operator in ("==", "===") and not each.version.endswith(".*") for each in requirement.specifier
    )
