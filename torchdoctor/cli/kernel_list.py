"""`torchdoctor jupyter-kernel list|remove`: the kernels that Jupyter finds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.param_types import KERNEL
from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import translate_document
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import NotConfirmed, UsageError
from torchdoctor.report.terminal.echo import echo
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine
    from torchdoctor.kernel import KernelState

__all__ = ["kernel_named", "list_", "remove", "this_system"]


@click.command("list", short_help="Every kernel: what it runs, its torch, its GPU, and whether it can.")
@output_options
def list_(*, output: Output) -> int:
    """List every kernel that Jupyter finds: its Python, its torch, its GPU, and why it cannot start, if so.

    Files are read and nothing is started; `check` starts one.

    \b
    torchdoctor jupyter-kernel list
    torchdoctor jupyter-kernel list --json
    """
    from torchdoctor.kernel.accelerator import supported_gpus

    system = this_system()
    states, machine = _states(system), _machine(system)
    if output.json:
        rows = [{**kernel.to_json(), "gpus": _listed(supported_gpus(kernel, machine))} for kernel in states]
        print_json({"schema": 1, "kernels": rows})
        return 0
    for state in states:
        _show(state, supported_gpus(state, machine))
    if not states:
        echo(
            _(
                "Jupyter finds no kernel here; `torchdoctor jupyter-kernel ENV` registers an environment as one"
            )
        )
    return 0


@click.command("remove", short_help="Remove a kernel; its environment stays.")
@click.argument("name", type=KERNEL)
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_options
def remove(*, name: str, yes: bool, output: Output) -> int:
    """Remove the kernel NAME. Its environment stays as it is.

    \b
    torchdoctor jupyter-kernel remove demo
    """
    from torchdoctor.kernel.write import remove_spec
    from torchdoctor.workflows.kernel_repair import refuse_conda_made

    system = this_system()
    state = kernel_named(system, name)
    refuse_conda_made(state)
    report = stage_lines(output)
    question = message("Remove the kernel {kernel} ({place})?", kernel=state.name, place=state.folder)
    if not yes and not report.ask(question, default=False):
        raise NotConfirmed(
            message(
                "the kernel {kernel} ({place}) was not removed: nobody agreed",
                kernel=state.name,
                place=state.folder,
            ),
            fix=message("answer y, or give --yes to agree beforehand"),
        )
    remove_spec(state.folder)
    left = next((kernel for kernel in _states(system) if kernel.name == state.name), None)
    if output.json:
        document = {"name": state.name, "folder": str(state.folder), "now": left.to_json() if left else None}
        print_json({"schema": 1, "removed": document})
        return 0
    text = (
        message("kernel {kernel} is removed; {what} stays as it is", kernel=state.name, what=state.prefix)
        if state.prefix
        else message("kernel {kernel} is removed; what it ran stays as it is", kernel=state.name)
    )
    echo(translate(text))
    if left is not None:
        text = message("another of that name is now the one that Jupyter takes: {place}", place=left.folder)
        echo(translate(text))
    return 0


def this_system() -> System:
    """This computer, as this process sees it."""
    from torchdoctor.core.system import host_system

    return host_system(os.environ)


def _states(system: System) -> tuple[KernelState, ...]:
    from torchdoctor.kernel import list_kernels

    return list_kernels(system, prefixes=[Path(sys.prefix)])


def kernel_named(system: System, name: str) -> KernelState:
    """The kernel that Jupyter takes for `name`; raises `UsageError`, with the nearest, when there is none."""
    states = {kernel.name: kernel for kernel in reversed(_states(system))}
    found = states.get(name.lower())
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), states, n=1)
        raise UsageError(
            message("there is no kernel {name!r}; did you mean {near}?", name=name[:100], near=near[0])
            if near
            else message("there is no kernel {name!r}", name=name[:100]),
            fix="torchdoctor jupyter-kernel list",
            code="no-kernel",
        )
    return found


def _machine(system: System) -> Machine:
    from torchdoctor.detect import describe_python, detect

    return detect(system, python=describe_python(system, sys.executable)).machine


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _show(state: KernelState, gpus: tuple[str, ...] | None) -> None:
    """Print a kernel; its texts are whatever someone wrote into a file, so they are cleaned."""
    word, colour = (_("ok"), "green") if state.healthy else (_("broken"), "red")
    echo(
        f"{click.style(padded(word, 6), fg=colour)} {click.style(sanitize_line(state.name), bold=True)}  "
        f"{sanitize_line(state.display_name or '')}"
    )
    rows = [(_("runs"), sanitize_line(str(state.python or state.argv[0]), limit=500) if state.argv else "")]
    if state.python is not None:
        build = f" ({state.build})" if state.build else ""
        rows.append(("torch", sanitize_line(f"{state.torch}{build}") if state.torch else _("not there")))
    if gpus is not None:
        none = _("none that a {build} build uses").format(build=state.build)
        rows.append(("GPU", ", ".join(gpus) or none))
    spec = message(
        "{folder} ({kind})", folder=sanitize_line(str(state.folder), limit=500), kind=_(state.place)
    )
    rows.append((_("spec"), translate(spec)))
    if state.hidden_by is not None:
        rows.append((_("hidden"), _("Jupyter takes {place} instead").format(place=state.hidden_by)))
    if state.problem is not None:
        rows += [
            (_("why"), translate_document(sanitize_line(state.problem.message, limit=500))),
            (_("fix"), translate_document(sanitize_line(state.problem.fix, limit=500))),
        ]
    for name, text in rows:
        if text:
            echo(f"       {padded(name, 6)} {text}")
