"""What `torchdoctor project` found, for people: families, who takes which, drivers, and the change as a diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.core.i18n.messages import plural
from torchdoctor.core.visible import visible
from torchdoctor.project.write import unified_diff
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.project import ProjectChange
    from torchdoctor.project.advice import AdviceStep
    from torchdoctor.project.result import ProjectResult
    from torchdoctor.resolve.driver_updates import DriverUpdate

__all__ = ["command_lines", "diff_lines", "family_lines"]

_MOST_NAMES = 6
_MOST_COMMANDS = 20


def family_lines(result: ProjectResult) -> Iterator[str]:
    """Yield the families, what stands in their way, and what is to be changed."""
    yield from _who_takes_what(result)
    yield from _driver_lines(result)
    for warning in result.warnings:
        yield _labelled(message("note"), warning)
    for variant, steps in result.advice.items():
        yield from _advice_lines(result, variant, steps)
    for change in result.pending:
        yield ""
        yield str(change.path)
        for note in change.notes:
            yield f"  {translate(note)}"
    if result.to_add is not None:
        yield ""
        yield translate(message("to add to pyproject.toml:"))
        yield result.to_add


def diff_lines(changes: Sequence[ProjectChange]) -> Iterator[str]:
    """Yield the lines of `diff -u` for the changes."""
    for change in changes:
        yield ""
        for line in unified_diff(change).splitlines():
            yield visible(line)


def _who_takes_what(result: ProjectResult) -> Iterator[str]:
    width = max(len(table.name) for table in result.families)
    for table in result.families:
        family = next((each for each in result.cover.families if each.variant == table.variant), None)
        if family is None:
            line = next(member.line for member in table.members if member.name == "torch")
            yield f"{padded(table.name, width)}  {line}"
            continue
        names = family.machines
        shown = joined(names[:_MOST_NAMES])
        more = message("{names} and {count} more", names=shown, count=len(names) - _MOST_NAMES)
        text = message(
            "torch {torch}: {machines}",
            torch=family.torch,
            machines=more if len(names) > _MOST_NAMES else shown,
        )
        yield f"{padded(table.name, width)}  {translate(text)}"
    for name, error in result.cover.unserved.items():
        yield _labelled(message("no build"), message("{name}: {why}", name=name, why=error.message))


def _driver_lines(result: ProjectResult) -> Iterator[str]:
    cover = result.cover
    for update in result.idle:
        yield _labelled(
            message("driver"),
            message(
                "{machine}: its GPU stays unused; with driver {needs} or newer it runs {variant}{now}",
                machine=update.machine,
                needs=update.needs,
                variant=update.variant,
                now=_now(update),
            ),
        )
    if result.fewer is not None:
        yield _labelled(
            message("driver"),
            message(
                "{variants} would be enough with torch {torch} and newer drivers: {updates}",
                variants=joined(result.fewer.variants),
                torch=result.fewer.torch,
                updates=joined(_update(each) for each in result.fewer.updates),
            ),
        )
    if cover.held_back is not None and len(cover.held_back.machines) * 2 <= len(result.machines):
        yield _labelled(
            message("note"),
            message(
                "torch {newest} is the newest with a build for {machines}; the others could have {torch}",
                newest=cover.held_back.newest,
                machines=joined(cover.held_back.machines),
                torch=cover.held_back.torch,
            ),
        )
        for update in result.newer_torch:
            yield _labelled(message("driver"), _update(update))
    if cover.newer is not None:
        yield _labelled(
            message("note"),
            message(
                "torch {torch} serves all machines too, with {variants}; --torch {torch} asks for it",
                torch=cover.newer.torch,
                variants=joined(cover.newer.variants),
            ),
        )
    if not cover.shares_release:
        yield _labelled(
            message("note"), message("no torch release serves all machines, so each family has its own")
        )


def _update(update: DriverUpdate) -> str:
    return message(
        "{machine}: driver {needs} or newer runs {variant}{now}",
        machine=update.machine,
        needs=update.needs,
        variant=update.variant,
        now=_now(update),
    )


def _now(update: DriverUpdate) -> str:
    return message(" (it has {driver})", driver=update.driver) if update.driver else message(" (it has none)")


def _advice_lines(result: ProjectResult, variant: str, steps: Sequence[AdviceStep]) -> Iterator[str]:
    launcher = result.project.launcher
    if launcher is None:
        return
    yield ""
    heading = message("{name}, {variant}:", name=launcher.name, variant=variant)
    yield translate(heading)
    for number, step in enumerate(steps, start=1):
        yield f"  {number}. {translate(step.text)}"
        if step.file is not None:
            place = message("in {file}:", file=step.file)
            yield f"     {translate(place)}"
        for line in (step.command or "").splitlines():
            yield f"     {line}"
    source = message("as of {date}: {source}", date=launcher.as_of, source=launcher.source)
    yield f"  {translate(source)}"


def command_lines(result: ProjectResult, *, verbose: bool) -> Iterator[str]:
    """Yield what each machine runs, and a job for continuous integration where there are several families."""
    if result.commands:
        yield ""
        yield from _commands(result, verbose=verbose)
    if result.matrix is not None and len(result.families) > 1:
        yield ""
        yield translate(message("for GitHub Actions:"))
        yield result.matrix


def _commands(result: ProjectResult, *, verbose: bool) -> Iterator[str]:
    if len(set(result.commands.values())) == 1:
        yield next(iter(result.commands.values()))
        return
    width = max(map(len, result.commands))
    rows = list(result.commands.items())
    for name, command in rows if verbose else rows[:_MOST_COMMANDS]:
        yield f"{padded(name, width)}  {command}"
    left = len(rows) - _MOST_COMMANDS
    if left > 0 and not verbose:
        one = message("1 more machine; -v shows it")
        more = message("{count} more machines; -v shows them", count=left)
        yield translate(plural(left, one, more))


def _labelled(label: str, text: str) -> str:
    return f"{translate(label)}: {translate(text)}"
