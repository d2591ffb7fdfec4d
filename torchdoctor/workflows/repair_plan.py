"""Repairs -> what each does, decided and with its sizes: what is shown, what a dry run says and what is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plurals
from torchdoctor.core.requirement_names import project_of
from torchdoctor.core.versions import public_version
from torchdoctor.doctor.recorded_family import REPLACED
from torchdoctor.doctor.repair_model import Reinstall, Relocate
from torchdoctor.errors import InstallFailed, TorchdoctorError
from torchdoctor.install.hold.model import read_hold
from torchdoctor.install.relocate import plan_relocation
from torchdoctor.workflows.file_repair import plan_file_repair
from torchdoctor.workflows.install_model import InstallOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.core.fs.user_folders import UserFolders
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.doctor.repair_model import Repair
    from torchdoctor.requirements import StackRequest
    from torchdoctor.workflows.file_repair import FileRepair
    from torchdoctor.workflows.install_model import InstallResult
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["PlannedRepair", "plan_repair"]

_MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRepair:
    """A repair as it would be made: `what` says it for people, `refusal` why it cannot be made.

    An installation has its `options` and what was `decided` by them; where single files are enough, `files` are those.
    """

    repair: Repair
    what: str
    refusal: str = ""
    options: InstallOptions | None = None
    decided: InstallResult | None = None
    files: FileRepair | None = None


def plan_repair(
    repair: Repair,
    python: PythonInfo,
    sources: SourceOptions,
    *,
    system: System,
    folders: UserFolders,
    report: Reporter,
) -> PlannedRepair:
    """Decide a repair by the solver of an install, within what is installed; nothing of the environment is changed."""
    if isinstance(repair, Relocate):
        try:
            plan_relocation(repair.folder, python.site_packages)
        except InstallFailed as error:
            refusal = joined((error.message, error.fix), "; ")
            return PlannedRepair(repair=repair, what=repair.what, refusal=refusal)
    if not isinstance(repair, Reinstall):
        return PlannedRepair(repair=repair, what=repair.what)
    options = _install_options(repair, python, sources, folders)
    try:
        decided = _decided(options, repair, system, report)
    except TorchdoctorError as error:
        refusal = joined((error.message, error.fix), "; ")
        return PlannedRepair(repair=repair, what=repair.what, refusal=refusal)
    if not (decided.to_fetch or decided.changes or repair.leftovers):
        why = message("everything that torch requires is there, so an installation would change nothing")
        return PlannedRepair(repair=repair, what=repair.what, refusal=why)
    files = None
    if decided.to_fetch and not decided.changes:
        files = plan_file_repair(python, decided.to_fetch, folders.cache, offline=sources.offline)
    return PlannedRepair(
        repair=repair, what=_what(repair, decided, files), options=options, decided=decided, files=files
    )


def _decided(options: InstallOptions, repair: Reinstall, system: System, report: Reporter) -> InstallResult:
    from torchdoctor.workflows.install import run_install

    # Damaged packages are pinned here alone: nobody has asked for them.
    pinned = replace(
        options,
        dry_run=True,
        may_run=True,
        stack=_stack((*repair.asked, *((pin, pin) for pin in repair.pins))),
    )
    decided = run_install(pinned, system=system, report=report)
    _refuse_other_torch(repair, decided)
    return decided


def _refuse_other_torch(repair: Reinstall, decided: InstallResult) -> None:
    """Raise `InstallFailed` where torch or a companion that belongs would be replaced by another version."""
    for change in decided.changes:
        before, after = public_version(change.before), public_version(change.after)
        if change.name in repair.kept and before is not None and before != after:
            raise InstallFailed(
                message(
                    "{name} {before} belongs here, and no source has it: {after} would take its place",
                    name=change.name,
                    before=change.before,
                    after=change.after,
                ),
                fix=message("name a source that has it, with --index-url or --find-links"),
                code="other-version",
            )


def _install_options(
    repair: Reinstall, python: PythonInfo, sources: SourceOptions, folders: UserFolders
) -> InstallOptions:
    return InstallOptions(
        folder=python.prefix,
        cache=folders.cache,
        data=folders.data,
        request=repair.request,
        sources=sources,
        stack=_stack(repair.asked),
        drop_unneeded=bool(REPLACED & set(repair.findings)),
        reinstall=repair.reinstall,
        hold=read_hold(python.prefix) is not None,
        verify=False,
        assume_yes=True,
    )


def _stack(asked: Iterable[tuple[str, str]]) -> StackRequest:
    """Return what must be met beside torch, so that other packages may change with it."""
    from torchdoctor.requirements import AskedRequirement, StackRequest

    return StackRequest(
        requirements=tuple(
            AskedRequirement(line=line, name=project_of(line), origin=origin) for line, origin in asked
        )
    )


def _what(repair: Reinstall, decided: InstallResult, files: FileRepair | None) -> str:
    """Say which packages are installed, changed and reinstalled or which files put back, with their sizes."""
    texts: list[str] = []
    if files is not None:
        texts += [
            message(
                "put back {files} of {name} {version} from its wheel ({size})",
                files=plurals.files(len(part.rows)),
                name=part.wheel.name,
                version=part.wheel.version,
                size=_size(part.fetched_bytes),
            )
            for part in files.parts
        ]
    else:
        before = {change.name: change.before for change in decided.changes}
        new, changed, again = [], [], []
        for wheel in decided.to_fetch:
            if wheel.name not in before:
                again.append(_named(f"{wheel.name} {wheel.version}", wheel.size))
            elif (old := before[wheel.name]) is None:
                new.append(_named(f"{wheel.name} {wheel.version}", wheel.size))
            else:
                text = message("{name} {before} to {after}", name=wheel.name, before=old, after=wheel.version)
                changed.append(_named(text, wheel.size))
        texts += [message("install {names} into the environment", names=joined(new))] if new else []
        texts += [message("change {names}", names=joined(changed))] if changed else []
        texts += [message("reinstall {names}", names=joined(again))] if again else []
        gone = [f"{change.name} {change.before}" for change in decided.changes if change.after is None]
        texts += [message("remove {names}", names=joined(gone))] if gone else []
    texts += [repair.removal] if repair.leftovers else []
    return joined(texts, "; ") if texts else repair.what


def _named(package: str, size: int | None) -> str:
    return package if size is None else message("{package} ({size})", package=package, size=_size(size))


def _size(count: int) -> str:
    return message("nothing to download") if not count else f"{max(count / _MEGABYTE, 0.1):.1f} MB"
