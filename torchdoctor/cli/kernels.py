"""`torchdoctor jupyter-kernel list|check|repair|remove`: the kernels that Jupyter finds."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.options import Output, output_options, source_options
from torchdoctor.cli.place import cache_folder, environment_python, say_json
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.machine.answer import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.kernels import KernelState
    from torchdoctor.machine import Machine, World
    from torchdoctor.proof import CheckResult

__all__ = ["check", "list_", "remove", "repair"]


@click.command("list", short_help="Every kernel: what it runs, its torch, its GPU, and whether it can.")
@output_options
def list_(*, output: Output) -> int:
    """List every kernel that Jupyter finds: its Python, its torch, its GPU, and why it cannot start, if so.

    Files are read and nothing is started; `check` starts one.

    \b
    torchdoctor jupyter-kernel list
    torchdoctor jupyter-kernel list --json
    """
    from torchdoctor.kernels.accelerator import gpus_for

    world = _world()
    states, machine = _states(world), _machine(world)
    if output.json:
        rows = [{**row.to_json(), "gpus": _listed(gpus_for(row, machine))} for row in states]
        say_json({"schema": 1, "kernels": rows})
        return 0
    for state in states:
        _show(state, gpus_for(state, machine))
    if not states:
        click.echo(
            "Jupyter finds no kernel here; `torchdoctor jupyter-kernel ENV` registers an environment as one"
        )
    return 0


@click.command("check", short_help="Start a kernel and run cells in it.")
@click.argument("name")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    metavar="SECONDS",
    help="How long to wait for its start, and for each cell [90 and 180].",
)
@output_options
def check(*, name: str, timeout: float | None, output: Output) -> int:
    """Start the kernel NAME and run cells in it: is its Python the one meant, can torch be imported, which device
    does it use, and is a tensor's gradient there right. Exit status 1 when one of them fails.

    \b
    torchdoctor jupyter-kernel check demo
    torchdoctor jupyter-kernel check demo --json
    """  # noqa: D205
    world = _world()
    state = _named(world, name)
    checks = _checked(world, state, timeout, output)
    passed = all(row.status != "fail" for row in checks)
    if output.json:
        rows = [row.to_json() for row in checks]
        say_json({"schema": 1, "kernel": state.to_json(), "checks": rows, "passed": passed})
    else:
        for row in checks:
            _show_check(row)
        if not passed:
            click.echo(f"  fix: {_fix_for(state, checks)}")
    return 0 if passed else 1


@click.command("repair", short_help="Make a broken kernel run again.")
@click.argument("name")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do it without asking.")
@source_options
@output_options
def repair(
    *,
    name: str,
    env: Path | None,
    yes: bool,
    index_url: str | None,
    find_links: tuple[str, ...],
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Make the kernel NAME run again, and check it.

    One whose Python is gone is made to run ENV (without it: the environment that holds the spec, else the active
    one, else ./.venv); a spec that cannot be read is written anew and the broken one kept beside it; ipykernel is
    installed where it is missing. Each is asked for first.

    \b
    torchdoctor jupyter-kernel repair demo
    torchdoctor jupyter-kernel repair demo ~/envs/vision --yes
    """
    from torchdoctor.decide import SourceOptions
    from torchdoctor.kernels.repair import repair_kernel
    from torchdoctor.report.progress import StageLines

    world = _world()
    state = _named(world, name)
    report = StageLines(quiet=output.quiet or output.json, verbose=output.verbose, may_ask=not output.json)
    try:
        did = repair_kernel(
            state,
            python=_python_for(state, env),
            agreed=yes,
            sources=SourceOptions(index_url=index_url, find_links=find_links, mirror=mirror, offline=offline),
            cache=cache_folder(),
            world=world,
            report=report,
        )
    finally:
        report.close()
    state = _named(world, name)
    # One without torch is no worse than it was meant to be once it starts.
    checks = _checked(world, state, None, output, cells=None if state.torch else ("python",))
    passed = all(row.status != "fail" for row in checks)
    if output.json:
        rows = [row.to_json() for row in checks]
        say_json(
            {"schema": 1, "kernel": state.to_json(), "did": did or None, "checks": rows, "passed": passed}
        )
    else:
        click.echo(f"kernel {state.name}: {did or 'there was nothing to repair'}")
        for row in checks:
            _show_check(row)
    return 0 if passed else 1


@click.command("remove", short_help="Take a kernel away; its environment stays.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@output_options
def remove(*, name: str, yes: bool, output: Output) -> int:
    """Take the kernel NAME away. The environment that it runs stays as it is.

    \b
    torchdoctor jupyter-kernel remove demo
    """
    from torchdoctor.kernels.repair import refuse_conda_made
    from torchdoctor.kernels.write import remove_folder
    from torchdoctor.report.progress import StageLines

    world = _world()
    state = _named(world, name)
    refuse_conda_made(state)
    report = StageLines(quiet=True, may_ask=not output.json)
    if not yes and not report.confirm(f"Remove the kernel {state.name} ({state.folder})?"):
        raise UsageError(
            f"the kernel {state.name} ({state.folder}) was not removed: nobody said yes",
            fix="answer y, or say it beforehand with --yes",
            kind="not-confirmed",
        )
    remove_folder(state.folder)
    left = next((row for row in _states(world) if row.name == state.name), None)
    if output.json:
        document = {"name": state.name, "folder": str(state.folder), "now": left.to_json() if left else None}
        say_json({"schema": 1, "removed": document})
        return 0
    click.echo(f"kernel {state.name} is removed; {state.prefix or 'what it ran'} stays as it is")
    if left is not None:
        click.echo(f"another of that name is now the one that Jupyter takes: {left.folder}")
    return 0


def _world() -> World:
    from torchdoctor.machine import real_world

    return real_world(os.environ)


def _states(world: World) -> tuple[KernelState, ...]:
    from torchdoctor.kernels import list_kernels

    return list_kernels(world, prefixes=[Path(sys.prefix)])


def _named(world: World, name: str) -> KernelState:
    """The kernel that Jupyter takes for `name`; raises `UsageError`, with the nearest, when there is none."""
    states = {row.name: row for row in reversed(_states(world))}
    found = states.get(name.lower())
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), states, n=1)
        raise UsageError(
            f"there is no kernel {name[:100]!r}{f'; did you mean {near[0]}?' if near else ''}",
            fix="torchdoctor jupyter-kernel list",
            kind="no-kernel",
        )
    return found


def _python_for(state: KernelState, env: Path | None) -> Path | None:
    """The interpreter that was named; without one that of the active environment or ./.venv, if it is needed."""
    if env is not None:
        return environment_python(env)
    # The environment that holds the spec is the better guess.
    if state.problem is None or state.place == "environment":
        return None
    try:
        return environment_python(None)
    except EnvironmentUnusable:
        return None


def _checked(
    world: World,
    state: KernelState,
    timeout: float | None,
    output: Output,
    cells: Sequence[str] | None = None,
) -> tuple[CheckResult, ...]:
    from torchdoctor.kernels.check import check_kernel
    from torchdoctor.kernels.start import ALL_CELLS, Limits
    from torchdoctor.report.progress import StageLines

    report = StageLines(quiet=output.quiet or output.json)
    return check_kernel(
        state,
        world=world,
        prefixes=[Path(sys.prefix)],
        cells=cells or ALL_CELLS,
        limits=Limits(start=timeout, cell=timeout) if timeout else None,
        on_wait=lambda seconds: report.waiting("kernel", seconds),
    )


def _fix_for(state: KernelState, checks: tuple[CheckResult, ...]) -> str:
    if state.problem is not None:
        return state.problem.fix
    failed = next(row for row in checks if row.status == "fail")
    where = shlex.quote(str(state.prefix)) if state.prefix else "ENV"
    if failed.id == "import" and "No module named 'torch'" in failed.detail:
        return f"torchdoctor install {where}"
    if failed.id in ("start", "python"):
        return f"torchdoctor jupyter-kernel remove {state.name}, then register it: torchdoctor jupyter-kernel ENV"
    return f"torchdoctor verify {where}"


def _machine(world: World) -> Machine:
    from torchdoctor.machine import describe_python, detect

    return detect(world, python=describe_python(world, sys.executable)).machine


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _show(state: KernelState, gpus: tuple[str, ...] | None) -> None:
    """Print a kernel; its texts are whatever someone wrote into a file, so they are cleaned."""
    word = click.style("ok    ", fg="green") if state.healthy else click.style("broken", fg="red")
    click.echo(f"{word} {click.style(clean(state.name), bold=True)}  {clean(state.display_name or '')}")
    rows = [("runs", clean(str(state.python or state.argv[0]), limit=500) if state.argv else "")]
    if state.python is not None:
        build = f" ({state.build})" if state.build else ""
        rows.append(("torch", clean(f"{state.torch}{build}") if state.torch else "not there"))
    if gpus is not None:
        rows.append(("GPU", ", ".join(gpus) or f"none that a {state.build} build uses"))
    rows.append(("spec", f"{clean(str(state.folder), limit=500)} ({state.place})"))
    if state.hidden_by is not None:
        rows.append(("hidden", f"Jupyter takes {state.hidden_by} instead"))
    if state.problem is not None:
        rows += [
            ("why", clean(state.problem.message, limit=500)),
            ("fix", clean(state.problem.fix, limit=500)),
        ]
    for name, text in rows:
        if text:
            click.echo(f"       {name.ljust(6)} {text}")


def _show_check(row: CheckResult) -> None:
    colours = {"pass": "green", "fail": "red"}
    click.echo(
        f"{click.style(row.status.ljust(5), fg=colours.get(row.status))} {row.id.ljust(7)} {row.detail}"
    )
    for line in row.evidence:
        click.echo(f"              {line}")
