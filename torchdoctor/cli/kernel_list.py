"""`torchdoctor jupyter-kernel list|remove`: the kernels that Jupyter finds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.locations import say_json
from torchdoctor.cli.options import Output, output_options
from torchdoctor.cli.param_types import KERNEL
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import message, shown, shown_in
from torchdoctor.core.text import clean
from torchdoctor.errors import NotConfirmed, UsageError
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from torchdoctor.core.system import World
    from torchdoctor.detect import Machine
    from torchdoctor.kernel import KernelState

__all__ = ["kernel_named", "kernel_names", "list_", "remove", "this_world"]


@click.command("list", short_help="Every kernel: what it runs, its torch, its GPU, and whether it can.")
@output_options
def list_(*, output: Output) -> int:
    """List every kernel that Jupyter finds: its Python, its torch, its GPU, and why it cannot start, if so.

    Files are read and nothing is started; `check` starts one.

    \b
    torchdoctor jupyter-kernel list
    torchdoctor jupyter-kernel list --json
    """
    from torchdoctor.kernel.accelerator import gpus_for

    world = this_world()
    states, machine = _states(world), _machine(world)
    if output.json:
        rows = [{**row.to_json(), "gpus": _listed(gpus_for(row, machine))} for row in states]
        say_json({"schema": 1, "kernels": rows})
        return 0
    for state in states:
        _show(state, gpus_for(state, machine))
    if not states:
        click.echo(
            _(
                "Jupyter finds no kernel here; `torchdoctor jupyter-kernel ENV` registers an environment as one"
            )
        )
    return 0


@click.command("remove", short_help="Take a kernel away; its environment stays.")
@click.argument("name", type=KERNEL)
@click.option("--yes", is_flag=True, help="Do it without asking.")
@output_options
def remove(*, name: str, yes: bool, output: Output) -> int:
    """Take the kernel NAME away. The environment that it runs stays as it is.

    \b
    torchdoctor jupyter-kernel remove demo
    """
    from torchdoctor.kernel.write import remove_folder
    from torchdoctor.report.terminal.stages import StageLines
    from torchdoctor.workflows.kernel_repair import refuse_conda_made

    world = this_world()
    state = kernel_named(world, name)
    refuse_conda_made(state)
    report = StageLines(quiet=True, may_ask=not output.json)
    question = message("Remove the kernel {kernel} ({place})?", kernel=state.name, place=state.folder)
    if not yes and not report.confirm(question):
        raise NotConfirmed(
            message(
                "the kernel {kernel} ({place}) was not removed: nobody said yes",
                kernel=state.name,
                place=state.folder,
            ),
            fix=message("answer y, or say it beforehand with --yes"),
        )
    remove_folder(state.folder)
    left = next((row for row in _states(world) if row.name == state.name), None)
    if output.json:
        document = {"name": state.name, "folder": str(state.folder), "now": left.to_json() if left else None}
        say_json({"schema": 1, "removed": document})
        return 0
    told = (
        message("kernel {kernel} is removed; {what} stays as it is", kernel=state.name, what=state.prefix)
        if state.prefix
        else message("kernel {kernel} is removed; what it ran stays as it is", kernel=state.name)
    )
    click.echo(shown(told))
    if left is not None:
        text = message("another of that name is now the one that Jupyter takes: {place}", place=left.folder)
        click.echo(shown(text))
    return 0


def this_world() -> World:
    """This computer, as this process sees it."""
    from torchdoctor.core.system import real_world

    return real_world(os.environ)


def _states(world: World) -> tuple[KernelState, ...]:
    from torchdoctor.kernel import list_kernels

    return list_kernels(world, prefixes=[Path(sys.prefix)])


def kernel_names() -> tuple[str, ...]:
    """What Jupyter calls the kernels that it finds here."""
    return tuple(dict.fromkeys(row.name for row in _states(this_world())))


def kernel_named(world: World, name: str) -> KernelState:
    """The kernel that Jupyter takes for `name`; raises `UsageError`, with the nearest, when there is none."""
    states = {row.name: row for row in reversed(_states(world))}
    found = states.get(name.lower())
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), states, n=1)
        raise UsageError(
            message("there is no kernel {name!r}; did you mean {near}?", name=name[:100], near=near[0])
            if near
            else message("there is no kernel {name!r}", name=name[:100]),
            fix="torchdoctor jupyter-kernel list",
            kind="no-kernel",
        )
    return found


def _machine(world: World) -> Machine:
    from torchdoctor.detect import describe_python, detect

    return detect(world, python=describe_python(world, sys.executable)).machine


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _show(state: KernelState, gpus: tuple[str, ...] | None) -> None:
    """Print a kernel; its texts are whatever someone wrote into a file, so they are cleaned."""
    word, colour = (_("ok"), "green") if state.healthy else (_("broken"), "red")
    click.echo(
        f"{click.style(padded(word, 6), fg=colour)} {click.style(clean(state.name), bold=True)}  "
        f"{clean(state.display_name or '')}"
    )
    rows = [(_("runs"), clean(str(state.python or state.argv[0]), limit=500) if state.argv else "")]
    if state.python is not None:
        build = f" ({state.build})" if state.build else ""
        rows.append(("torch", clean(f"{state.torch}{build}") if state.torch else _("not there")))
    if gpus is not None:
        none = _("none that a {build} build uses").format(build=state.build)
        rows.append(("GPU", ", ".join(gpus) or none))
    spec = message("{folder} ({kind})", folder=clean(str(state.folder), limit=500), kind=_(state.place))
    rows.append((_("spec"), shown(spec)))
    if state.hidden_by is not None:
        rows.append((_("hidden"), _("Jupyter takes {place} instead").format(place=state.hidden_by)))
    if state.problem is not None:
        rows += [
            (_("why"), shown_in(clean(state.problem.message, limit=500))),
            (_("fix"), shown_in(clean(state.problem.fix, limit=500))),
        ]
    for name, text in rows:
        if text:
            click.echo(f"       {padded(name, 6)} {text}")
