"""`torchdoctor project`: gives a project of uv, pip, Poetry or another program the builds for its machines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.param_types import MIRROR, TORCH, URL, VARIANT, WITH
from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.project.result import ProjectOptions, ProjectResult
    from torchdoctor.sources import Source

__all__ = ["command"]


@click.command("project", short_help="Give a project the builds for its machines.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path())
@click.option(
    "--machine",
    "machine_files",
    cls=AsTyped,
    multiple=True,
    metavar="FILE|-",
    help="A machine that the project is for, as JSON of `report` or `resolve`. Once for each.",
)
@click.option(
    "--machines",
    "machines_folder",
    cls=AsTyped,
    metavar="FOLDER",
    help="A folder with a JSON file for each machine.",
)
@click.option(
    "--torch",
    "torch",
    type=TORCH,
    metavar="VERSION",
    help="A torch release, such as 2.9.1, 2.9 or '>=2.8,<2.10'.",
)
@click.option(
    "--variant",
    "variants",
    cls=AsTyped,
    type=VARIANT,
    multiple=True,
    metavar="NAME",
    help="A family to add besides those that the machines need: cpu, cu126, ...",
)
@click.option(
    "--with",
    "with_",
    cls=AsTyped,
    type=WITH,
    multiple=True,
    metavar="NAME",
    help="A package that comes from the family's index too: torchvision, torchaudio, ...",
)
@click.option("--groups", is_flag=True, help="Use dependency groups in the place of extras.")
@click.option(
    "--index-url",
    type=URL,
    metavar="URL",
    help="The index to name in the project: the folder above cpu/, cu126/, ...",
)
@click.option(
    "--mirror", type=MIRROR, metavar="NAME", help="Name a mirror of the PyTorch index in the project."
)
@click.option("--dry-run", is_flag=True, help="Show the change; write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 if something would be changed.")
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
@output_options
def command(
    *,
    folder: str,
    machine_files: tuple[str, ...],
    machines_folder: str | None,
    dry_run: bool,
    check: bool,
    yes: bool,
    output: Output,
    **choice: Any,
) -> int:
    """Show what a project needs so that each of its machines gets the right build of torch, and write it.

    A project of uv gets an index, sources and an extra for each family of builds, so that `uv sync --extra cu126`
    works on every machine that takes cu126. For a requirements.txt it is a constraints file for each family; for
    Poetry, and for programs that start pip themselves (ComfyUI, Forge, ...), it is shown what to do. Without
    --machine the project is for this machine.

    \b
    torchdoctor project course --dry-run
    torchdoctor project course --machines laptops --dry-run
    torchdoctor project course --variant cpu --variant cu126 --check
    """
    from torchdoctor.core.fs.user_folders import data_folder
    from torchdoctor.sources.index_cache import known_index
    from torchdoctor.workflows.project import plan_project

    report = stage_lines(output)
    options = _options(Path(folder), machine_files, machines_folder, **choice)
    snapshot = known_index(data_folder(os.environ), report.note)
    result = plan_project(options, snapshot)
    if not output.json:
        _print(result, output)
    backups = [] if dry_run or check else _write(result, report, yes=yes)
    if output.json:
        print_json(_document(result, written=backups))
    elif not output.quiet:
        _print_end(result, backups, is_shown=dry_run or check)
    return 1 if check and result.pending else 0


def _options(
    folder: Path,
    machine_files: tuple[str, ...],
    machines_folder: str | None,
    *,
    torch: str | None,
    variants: tuple[str, ...],
    with_: tuple[str, ...],
    groups: bool,
    index_url: str | None,
    mirror: str | None,
) -> ProjectOptions:
    from torchdoctor.cli.requests import parse_torch_option, parse_variant_option
    from torchdoctor.project.result import ProjectOptions

    wanted, build = parse_torch_option(torch)
    named = [parse_variant_option(name) for name in variants if name != "auto"]
    named += [build] if build is not None else []
    more = tuple(map(_name_of, with_))
    source = _source(index_url, mirror)
    is_named = bool(named) and "auto" not in variants
    return ProjectOptions(
        folder=folder,
        machines=_machines(machine_files, machines_folder, is_named=is_named),
        torch=wanted,
        variants=tuple(named),
        with_=more,
        section="group" if groups else "extra",
        source=source,
    )


def _name_of(text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    from torchdoctor.errors import UsageError

    try:
        return Requirement(text).name
    except InvalidRequirement as error:
        raise UsageError(
            message("--with {text!r} is not the name of a package", text=text[:60]),
            fix=message("write a name such as torchvision"),
        ) from error


def _machines(files: Sequence[str], folder: str | None, *, is_named: bool) -> dict[str, Machine]:
    """The machines by name; this one where none is given, unless families are named."""
    from torchdoctor.cli.machine_files import machines_in
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import detect, find_python

    if files or folder is not None:
        return machines_in(files, folder)
    if is_named:
        return {}
    system = host_system(os.environ)
    return {message("this machine"): detect(system, python=find_python(system, None)).machine}


def _source(index_url: str | None, mirror_name: str | None) -> Source:
    from torchdoctor.errors import UsageError
    from torchdoctor.sources import OFFICIAL, Source
    from torchdoctor.sources.mirrors import AUTO, mirror
    from torchdoctor.sources.source import as_url

    if index_url is not None and mirror_name is not None:
        raise UsageError(
            message("--index-url and --mirror both name the index"), fix=message("leave one of them out")
        )
    if index_url is not None:
        url = as_url(index_url, origin="--index-url")
        return Source(name=url, url=url, layout="pytorch", origin="--index-url")
    if mirror_name is None:
        return OFFICIAL
    source = None if mirror_name == AUTO else mirror(mirror_name)[0]
    if source is None or source.layout != "pytorch":
        raise UsageError(
            message("the mirror {name} cannot be named in a project", name=mirror_name),
            fix=message("name one that has the layout of the PyTorch index, or --index-url"),
        )
    return source


def _print(result: ProjectResult, output: Output) -> None:
    from torchdoctor.report.terminal.project import command_lines, diff_lines, family_lines

    for line in family_lines(result):
        echo(line)
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff_lines(result.pending):
        echo(click.style(line, fg=colours.get(line[:1])))
    for line in command_lines(result, verbose=output.verbose > 0):
        echo(line)


def _write(result: ProjectResult, report: Any, *, yes: bool) -> list[tuple[Path, Path | None]]:
    """Write the changes after consent; return each file with its backup."""
    from torchdoctor.errors import NotConfirmed
    from torchdoctor.project import write_change
    from torchdoctor.project.write import check_writable

    pending = result.pending
    if not pending:
        return []
    for change in pending:
        check_writable(change.path)
    names = joined(change.path.name for change in pending)
    # Somebody's project is changed only if they say so: without a terminal nobody has.
    agreed = yes or (report.can_ask and report.ask(message("Write {names}?", names=names), default=True))
    if not agreed:
        raise NotConfirmed(
            message("{names} was not written: you declined", names=names)
            if report.can_ask
            else message(
                "{names} was not written: this needs consent, and nobody could be asked", names=names
            ),
            fix=message("agree with y or --yes; --dry-run only shows the change"),
            code="declined",
        )
    return [(change.path, write_change(change)) for change in pending]


def _print_end(result: ProjectResult, backups: list[tuple[Path, Path | None]], *, is_shown: bool) -> None:
    for path, backup in backups:
        text = (
            message("{path} is written; the old one is {backup}", path=path, backup=backup.name)
            if backup is not None
            else message("{path} is written", path=path)
        )
        echo(translate(text), err=True)
    if result.changes and not result.pending:
        echo(translate(message("the project has all of this already")), err=True)
    elif is_shown and result.pending:
        echo(translate(message("nothing was written")), err=True)


def _document(result: ProjectResult, *, written: list[tuple[Path, Path | None]]) -> dict[str, Any]:
    from torchdoctor.report.project_document import project_document

    return project_document(result, written=written)
