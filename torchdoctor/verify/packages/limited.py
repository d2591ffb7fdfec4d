"""The part of a selection that options leave, and what is said where nothing is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import UsageError
from torchdoctor.verify.packages.results import run_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.verify.model import CheckResult
    from torchdoctor.verify.packages.model import PackageOptions, Selection

__all__ = ["limit_selection", "nothing_to_do"]

_NONE = message("nothing was asked for besides torch, and no other package requires it")


def limit_selection(selection: Selection, options: PackageOptions) -> Selection:
    """Return the packages and operations that the options select.

    Raises `UsageError` for a name that is none of the packages.
    """
    unknown = sorted((options.only | options.skip) - set(selection.order))
    if unknown:
        known = message("the packages are {names}", names=joined(selection.order))
        raise UsageError(
            message("there is no package {name} to be checked", name=repr(unknown[0][:60])),
            fix=known if selection.order else _NONE,
        )
    tasks = (
        selection.tasks
        if options.proving
        else tuple(replace(task, operation=None) for task in selection.tasks)
    )
    if not options.importing:
        tasks = tuple(task for task in tasks if task.operation is not None)
    results = selection.results if options.importing else {}
    names = {*(task.package.name for task in tasks), *results}
    order = tuple(
        name
        for name in selection.order
        if name in names and name in (options.only or names) and name not in options.skip
    )
    return replace(
        selection,
        tasks=tuple(task for task in tasks if task.package.name in order),
        results={name: result for name, result in results.items() if name in order},
        order=order,
    )


def nothing_to_do(selection: Selection, options: PackageOptions) -> Iterator[CheckResult]:
    """Yield a skip where no package is imported, and one where no known extension is proven."""
    if options.importing and not selection.order:
        yield run_result("packages", "skip", "no-packages", _NONE)
    if options.proving and not any(task.operation for task in selection.tasks):
        yield run_result(
            "operations", "skip", "no-extensions", message("no extension that is known is installed")
        )
