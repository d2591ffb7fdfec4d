"""Add packages to an environment that has torch: its torch stays, unless what is added needs another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.progress import SilentReporter
from torchdoctor.core.versions import public_version
from torchdoctor.errors import NoSolution, NotConfirmed
from torchdoctor.workflows.install import run_install
from torchdoctor.workflows.recorded_vendor import from_recorded_vendor
from torchdoctor.workflows.torch_there import installed_with_torch
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.inventory.installed import Installed
    from torchdoctor.workflows.install_model import InstallOptions, InstallResult

__all__ = ["run_add"]


def run_add(options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
    """Install what `options.stack` asks for beside the torch that is in `options.folder`.

    Where nothing goes together with that torch, the user is asked whether another one may take its place. Raises
    `EnvironmentUnusable` where there is no torch, `NotConfirmed` where nobody agreed, and what `run_install` raises.
    """
    installed = installed_with_torch(options.folder, system, reading=options.dry_run)
    options = from_recorded_vendor(options, report)
    same, *others = _ways(options, installed)
    try:
        return run_install(same, system=system, report=report)
    except NoSolution as error:
        other, result = _first_that_solves(others, system, error)
        if options.dry_run:
            report.warn(_another_torch(installed, result, error))
            return result
        _agree(installed, result, error, report, assume_yes=options.assume_yes)
    agreed = replace(other, assume_yes=True, allow_downgrade=True)
    return run_install(agreed, system=system, report=report)


def _ways(options: InstallOptions, installed: Installed) -> Iterator[InstallOptions]:
    """What to try: the torch that is there, another release in the same family of builds, any build."""
    torch = installed.named("torch")
    present = {name: found for name in COMPANIONS if (found := installed.named(name)) is not None}
    request = replace(options.request, only_required=True)
    any_version = {name: SpecifierSet() for name in present} | request.required
    if torch is not None:
        variant = torch.build or request.variant
        exact = {name: SpecifierSet(f"=={public_version(found.version)}") for name, found in present.items()}
        release = SpecifierSet(f"=={public_version(torch.version)}")
        yield replace(
            options,
            request=replace(
                request,
                torch=release if request.torch is None else request.torch & release,
                variant=variant,
                required={**exact, **request.required},
            ),
        )
        yield replace(options, request=replace(request, variant=variant, required=any_version))
    yield replace(options, request=replace(request, required=any_version))


def _first_that_solves(
    ways: list[InstallOptions], system: System, error: NoSolution
) -> tuple[InstallOptions, InstallResult]:
    """Return the first way that has a solution, with what it would change; raises `error` where none has."""
    for way in ways:
        try:
            return way, run_install(
                replace(way, dry_run=True, may_run=not way.dry_run), system=system, report=SilentReporter()
            )
        except NoSolution:
            continue
    raise error


def _another_torch(installed: Installed, result: InstallResult, error: NoSolution) -> str:
    torch = installed.named("torch")
    return message(
        "what is added does not go with torch {before}, and would go with torch {after}: {reason}",
        before=torch.version if torch is not None else "?",
        after=result.plan.torch.version,
        reason=error.message,
    )


def _agree(
    installed: Installed, result: InstallResult, error: NoSolution, report: Reporter, *, assume_yes: bool
) -> None:
    what = _another_torch(installed, result, error)
    report.warn(what)
    for change in result.changes:
        report.note(str(change))
    question = message("Put torch {after} in its place?", after=result.plan.torch.version)
    if not assume_yes and not report.ask(question, default=False):
        raise NotConfirmed(
            joined([what, message("nothing was changed")], "; "),
            fix=message(
                "agree with y or --yes, or make another environment: torchdoctor install ENV --with ..."
            ),
            code="other-torch",
        )
