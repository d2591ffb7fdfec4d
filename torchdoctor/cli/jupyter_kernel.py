"""`torchdoctor jupyter-kernel [ENV]`: a kernel spec for an environment, proven by running a cell."""

from __future__ import annotations

import os
from pathlib import Path

import click

from torchdoctor.cli.options import Output, output_options, source_options
from torchdoctor.cli.place import cache_folder, environment_python, say_json

__all__ = ["command"]


class _AddByDefault(click.Group):
    """`jupyter-kernel ENV` means `jupyter-kernel add ENV`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["add", *args]
        return super().parse_args(ctx, args)


@click.group("jupyter-kernel", cls=_AddByDefault, short_help="Register an environment as a Jupyter kernel.")
def command() -> None:
    """Register environments as Jupyter kernels. `add` is what happens without a command.

    \b
    torchdoctor jupyter-kernel --name demo
    torchdoctor jupyter-kernel ~/envs/vision --name vision --display-name "Python (vision)"
    """


@command.command("add")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option(
    "--name",
    metavar="NAME",
    help="What Jupyter calls the kernel; made from the environment's name without it.",
)
@click.option("--display-name", metavar="TEXT", help="What the notebook's menu shows.")
@click.option("--yes", is_flag=True, help="Replace a kernel of that name that runs something else.")
@source_options
@output_options
def add(
    *,
    env: Path | None,
    name: str | None,
    display_name: str | None,
    yes: bool,
    index_url: str | None,
    find_links: tuple[str, ...],
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Register ENV as a kernel and run a cell in it; ipykernel is installed there when it is missing.

    Without ENV: the active environment, else ./.venv.
    """
    from torchdoctor.decide import SourceOptions
    from torchdoctor.kernel import valid_name
    from torchdoctor.machine import real_world
    from torchdoctor.register import register_kernel
    from torchdoctor.report.progress import StageLines

    python = environment_python(env)
    folder = python.parent.parent
    report = StageLines(quiet=output.quiet or output.json, verbose=output.verbose, may_ask=False)
    try:
        kernel = register_kernel(
            folder,
            name=valid_name(name or default_kernel_name(folder)),
            display_name=display_name,
            overwrite=yes,
            sources=SourceOptions(index_url=index_url, find_links=find_links, mirror=mirror, offline=offline),
            cache=cache_folder(),
            world=real_world(os.environ),
            report=report,
        )
    finally:
        report.close()
    if output.json:
        say_json({"schema": 1, "kernel": kernel.to_json()})
    else:
        click.echo(
            f"kernel {kernel.name} (“{kernel.display_name}”) runs {kernel.executable}, torch {kernel.torch}"
        )
    return 0


def default_kernel_name(folder: Path) -> str:
    """A kernel name made from the environment's folder, or from the project's when that is hidden (.venv)."""
    plain = folder.parent.name if folder.name.startswith(".") else folder.name
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in plain)
    return f"torch-{kept.strip('-.') or 'env'}".lower()[:100]
