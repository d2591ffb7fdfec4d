"""Looks into the compiled wheels of a lock before they are installed, whether they go with the torch beside them."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import InstallFailed, NoSolution
from torchdoctor.inventory.extension_misfit import extension_misfit
from torchdoctor.workflows.extension_files import (
    installed_libraries,
    is_compiled,
    is_extension,
    local_libraries,
    remote_libraries,
    torch_symbols,
    worth_a_look,
)
from torchdoctor.workflows.remote_symbols import remote_torch_symbols
from wheels_index.binary import BinaryError, TorchBuild, judge_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.fetch import FetchedWheel
    from torchdoctor.inventory.extension_misfit import ExtensionMisfit
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.acquire_model import AcquireContext
    from wheels_index.binary import ExportedSymbols, PackageLibrary

    _Looked = tuple[LockedWheel, tuple[PackageLibrary, ...]]

__all__ = [
    "MAX_EXCLUDED",
    "exclude_misfit",
    "find_misfit",
    "find_misfit_before_fetch",
    "find_misfit_without_fetch",
    "misfit_in_lock",
    "no_fitting_version",
    "refuse_replacement",
    "skip_extensions",
]

MAX_EXCLUDED = 8  # versions of one package that are passed over
_REMOTE_SECONDS = 30.0  # for all wheels that are looked into at their servers
_RUNTIME = re.compile(r"nvidia-cuda-runtime-cu(\d{2})")


def find_misfit(
    plan: Plan, lock: Lock, wheels: Sequence[FetchedWheel], context: AcquireContext, report: Reporter
) -> ExtensionMisfit | None:
    """Return the first package of the lock that cannot be imported beside its torch; warn of those that lose parts.

    `wheels` were fetched; the others are installed and stay.
    """
    extensions = [
        (fetched.wheel, libraries)
        for fetched in wheels
        if is_extension(fetched) and (libraries := local_libraries(fetched.path))
    ]
    extensions += _installed_extensions(lock, context)
    if not extensions:
        return None
    with contextlib.ExitStack() as files:
        torch = _torch_build(plan, lock, torch_symbols(wheels, context.site_packages, files))
        misfits = [_judge(wheel, libraries, torch, lock) for wheel, libraries in extensions]
    for misfit in misfits:
        if misfit is not None and misfit.fatal:
            return misfit
    for misfit in misfits:
        if misfit is not None:
            report.warn(_partly(misfit))
    return None


def find_misfit_before_fetch(plan: Plan, lock: Lock, context: AcquireContext) -> ExtensionMisfit | None:
    """Return the first package of the lock of which it is known without fetching that it does not go with its torch.

    Of known extensions and of large wheels some parts are read at their server. What cannot be read in parts is
    looked into when it was fetched. What is installed is judged by the names of torch too where torch stays.
    """
    with contextlib.ExitStack() as files:
        torch = _torch_build(plan, lock, _symbols_that_stay(lock, context, files))
        for wheel, libraries in _before_fetch(plan, lock, context):
            misfit = _judge(wheel, libraries, torch, lock) if libraries else None
            if misfit is not None and misfit.fatal:
                return misfit
    return None


def find_misfit_without_fetch(
    plan: Plan, lock: Lock, context: AcquireContext, report: Reporter
) -> ExtensionMisfit | None:
    """Return what `find_misfit` would return, for a lock of which nothing is fetched; its warnings are given.

    The names that torch has are read at its server where an extension needs some. What could not be looked into is
    reported: the installation does it.
    """
    read: list[_Looked] = []
    unread: list[LockedWheel] = []
    with contextlib.ExitStack() as files:
        torch = _torch_build(plan, lock, _symbols_that_stay(lock, context, files))
        for wheel, libraries in _before_fetch(plan, lock, context):
            misfit = _judge(wheel, libraries, torch, lock) if libraries else None
            if misfit is not None and misfit.fatal:
                return misfit
            if libraries is None:
                unread.append(wheel)
            elif libraries:
                read.append((wheel, libraries))
        if torch.symbols is None and any(_torch_symbols_of(libraries) for _, libraries in read):
            torch = _torch_build(plan, lock, remote_torch_symbols(lock, context, files, report))
            unread += [wheel for wheel, libraries in read if not _can_be_told(libraries, torch)]
        misfits = [misfit for wheel, libraries in read if (misfit := _judge(wheel, libraries, torch, lock))]
    if (fatal := next((misfit for misfit in misfits if misfit.fatal), None)) is not None:
        return fatal
    for misfit in misfits:
        report.warn(_partly(misfit))
    if unread:
        names = joined(f"{wheel.name} {wheel.version}" for wheel in unread)
        report.note(
            message(
                "not looked into before it is fetched, whether it goes with this torch: {names}", names=names
            )
        )
    return None


def _symbols_that_stay(
    lock: Lock, context: AcquireContext, files: contextlib.ExitStack
) -> ExportedSymbols | None:
    """Return the names that the installed torch has where it stays."""
    stays = any(wheel.name == "torch" and context.has(wheel.name, wheel.version) for wheel in lock.wheels)
    return torch_symbols((), context.site_packages, files) if stays else None


def _before_fetch(
    plan: Plan, lock: Lock, context: AcquireContext
) -> Iterator[tuple[LockedWheel, tuple[PackageLibrary, ...] | None]]:
    """Yield what can be looked into before anything is fetched; None where it could not be read."""
    yield from _installed_extensions(lock, context)
    requiring = frozenset(package.name for package in plan.solved if package.requires_torch)
    ends = time.monotonic() + _REMOTE_SECONDS
    for wheel in lock.wheels:
        if not context.has(wheel.name, wheel.version) and worth_a_look(wheel, requiring):
            yield wheel, remote_libraries(wheel, context, ends - time.monotonic(), requiring)


def _torch_symbols_of(libraries: Iterable[PackageLibrary]) -> Iterator[str]:
    return (name for entry in libraries if entry.library is not None for name in entry.library.torch_symbols)


def _can_be_told(libraries: Iterable[PackageLibrary], torch: TorchBuild) -> bool:
    """Whether torch's names tell of each name that is needed whether it is there."""
    names = list(_torch_symbols_of(libraries))
    try:
        return not names or (torch.symbols is not None and [torch.symbols.has(name) for name in names] != [])
    except BinaryError:
        return False


def _installed_extensions(
    lock: Lock, context: AcquireContext
) -> list[tuple[LockedWheel, tuple[PackageLibrary, ...]]]:
    stays = [wheel for wheel in lock.wheels if context.has(wheel.name, wheel.version)]
    read = [(wheel, installed_libraries(wheel, context.site_packages)) for wheel in stays]
    return [(wheel, libraries) for wheel, libraries in read if libraries]


def skip_extensions(on_file: Callable[[FetchedWheel], None] | None) -> Callable[[FetchedWheel], None] | None:
    """Return `on_file` for the wheels that need no look beside torch; the others wait until all are there."""
    if on_file is None:
        return None

    def on_other_file(fetched: FetchedWheel) -> None:
        if not is_extension(fetched):
            on_file(fetched)

    return on_other_file


def exclude_misfit(context: AcquireContext, misfit: ExtensionMisfit, report: Reporter) -> AcquireContext:
    """Return the context that locks another version of the package; raise `NoSolution` where enough were tried."""
    tried = (*context.misfits, misfit)
    if sum(earlier.name == misfit.name for earlier in tried) > MAX_EXCLUDED:
        raise no_fitting_version(tried)
    report.warn(
        message(
            "{name} {version} is passed over: {reason}",
            name=misfit.name,
            version=misfit.version,
            reason=misfit.reason,
        )
    )
    constraints = (*context.lock_request.constraints, f"{misfit.name}!={misfit.version}")
    return replace(
        context, lock_request=replace(context.lock_request, constraints=constraints), misfits=tried
    )


def no_fitting_version(misfits: Sequence[ExtensionMisfit]) -> NoSolution:
    """Return the error that no version of the last package goes with torch; the reason is that of its newest."""
    name = misfits[-1].name
    newest = max(
        (misfit for misfit in misfits if misfit.name == name), key=lambda misfit: Version(misfit.version)
    )
    return NoSolution(
        message(
            "no version of {name} goes with this torch; {name} {version}: {reason}",
            name=name,
            version=newest.version,
            reason=newest.reason,
        ),
        fix=_fix(newest),
        code="extension-mismatch",
    )


def refuse_replacement(context: AcquireContext, lock: Lock) -> None:
    """Raise `NoSolution` where a version without compiled code came in place of those that were passed over.

    Early versions of many extensions were Python alone, and do something else.
    """
    passed_over = {misfit.name for misfit in context.misfits}
    for wheel in lock.wheels:
        if wheel.name in passed_over and not is_compiled(wheel.filename):
            raise no_fitting_version([misfit for misfit in context.misfits if misfit.name == wheel.name])


def misfit_in_lock(misfit: ExtensionMisfit) -> InstallFailed:
    """Return the error that a given lock has an extension that does not go with its torch."""
    return InstallFailed(
        message(
            "the lock's {name} {version} does not go with its torch: {reason}",
            name=misfit.name,
            version=misfit.version,
            reason=misfit.reason,
        ),
        fix=message("make the lock again: torchdoctor resolve --format pylock"),
        code="extension-mismatch",
    )


def _fix(misfit: ExtensionMisfit) -> str:
    major = misfit.misfit.cuda_major
    if major is not None:
        return message(
            "ask for a torch that is built for CUDA {major} with --variant, or leave {name} out",
            major=major,
            name=misfit.name,
        )
    return message(
        "ask for the torch that {name} was built for with --torch, or leave {name} out", name=misfit.name
    )


def _partly(misfit: ExtensionMisfit) -> str:
    return message(
        "{name} {version} goes with this torch only in part: {reason}",
        name=misfit.name,
        version=misfit.version,
        reason=misfit.reason,
    )


def _judge(
    wheel: LockedWheel, libraries: Sequence[PackageLibrary], torch: TorchBuild, lock: Lock
) -> ExtensionMisfit | None:
    fit = judge_package(libraries, torch, cuda_majors=frozenset(_cuda_majors(lock.wheels)))
    return extension_misfit(wheel.name, wheel.version, fit, torch)


def _cuda_majors(wheels: Iterable[LockedWheel]) -> Iterable[int]:
    """Yield the majors of CUDA's runtime that packages bring."""
    for wheel in wheels:
        if match := _RUNTIME.fullmatch(wheel.name):
            yield int(match[1])
        elif wheel.name == "nvidia-cuda-runtime" and wheel.version.partition(".")[0].isdecimal():
            yield int(wheel.version.partition(".")[0])


def _torch_build(plan: Plan, lock: Lock, symbols: ExportedSymbols | None) -> TorchBuild:
    locked = next((wheel.version for wheel in lock.wheels if wheel.name == "torch"), None)
    version = locked or (str(plan.torch.version) if plan.packages else "?")
    return TorchBuild.of(version.partition("+")[0], plan.variant, symbols)
