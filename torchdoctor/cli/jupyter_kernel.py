"""`torchdoctor jupyter-kernel [ENV]`: a kernel spec for an environment, proven by running cells."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.kernel_check import check, repair
from torchdoctor.cli.kernel_list import list_, remove
from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import AsTyped, group_options, output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.param_types import DISPLAY_NAME, KERNEL_NAME, VARIABLE
from torchdoctor.cli.plan_options import source_options
from torchdoctor.cli.trust import trust_option
from torchdoctor.core.fs.user_folders import cache_folder, full_path
from torchdoctor.core.i18n import message, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from torchdoctor.kernel import Kernel
    from torchdoctor.workflows import SourceOptions
    from torchdoctor.workflows.kernel_model import KernelRequest

__all__ = ["command", "default_kernel_name"]


class _AddByDefault(click.Group):
    """`jupyter-kernel ENV` means `jupyter-kernel add ENV`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and not args:
            return super().parse_args(ctx, args)
        before, rest = _own_options(args)
        if not rest or (rest[0] not in self.commands and rest[0] not in ctx.help_option_names):
            self._catch_mistyped(ctx, rest)
            args = [*before, "add", *rest]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands; else what may follow `add`: its options, or the folder of an environment."""
        from click.shell_completion import CompletionItem

        if found := super().shell_complete(ctx, incomplete) if incomplete[:1] != "-" else []:
            return found
        add = self.commands["add"]
        with add.make_context("add", [], parent=ctx, resilient_parsing=True) as inner:
            return add.shell_complete(inner, incomplete) or [CompletionItem(incomplete, type="dir")]

    def _catch_mistyped(self, ctx: click.Context, args: list[str]) -> None:
        """A word that is nearly a command, and no environment, was meant as one."""
        import difflib

        near = difflib.get_close_matches(args[0], self.commands, n=1) if args else []
        if near and not Path(args[0]).exists():
            text = message(
                "There is no command {name!r}, and no environment. Did you mean {near}?",
                name=args[0],
                near=near[0],
            )
            ctx.fail(translate(text))


def _own_options(args: list[str]) -> tuple[list[str], list[str]]:
    """The options that every command takes at the beginning, and what comes after them."""
    taken = 0
    while taken < len(args) and re.fullmatch(
        r"--json|--quiet|--verbose|-[qv]{1,9}|--lang(=.*)?", args[taken]
    ):
        taken += 2 if args[taken] == "--lang" else 1
    return args[:taken], args[taken:]


@click.group("jupyter-kernel", cls=_AddByDefault, short_help="Register an environment as a Jupyter kernel.")
@group_options
def command() -> None:
    """Register environments as Jupyter kernels, and repair existing kernels.

    `add` is what happens without a command, and takes --name and the like:
    see `torchdoctor jupyter-kernel add --help`. An environment named like a command is ./list.

    \b
    torchdoctor jupyter-kernel --name demo
    torchdoctor jupyter-kernel ~/envs/vision --name vision --display-name "Python (vision)"
    torchdoctor jupyter-kernel list
    torchdoctor jupyter-kernel check demo
    torchdoctor jupyter-kernel repair demo
    """


@command.command("add", short_help="Register an environment as a kernel and run cells in it.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option(
    "--name",
    type=KERNEL_NAME,
    metavar="NAME",
    help="What Jupyter calls the kernel; made from the environment's name without it.",
)
@click.option(
    "--display-name",
    type=DISPLAY_NAME,
    metavar="TEXT",
    help="What the notebook's menu shows, else 'Python (PyTorch 2.9.1 cu128)'.",
)
@click.option("--user", is_flag=True, help="For this user's Jupyter, wherever it is installed (the default).")
@click.option("--sys-prefix", is_flag=True, help="Into ENV itself, for the Jupyter that is installed there.")
@click.option(
    "--prefix", type=click.Path(path_type=Path), metavar="DIR", help="For the Jupyter of the environment DIR."
)
@click.option(
    "--env",
    "variables",
    cls=AsTyped,
    type=VARIABLE,
    multiple=True,
    metavar="KEY=VALUE",
    help="A variable that the kernel sets; may be repeated.",
)
@click.option(
    "--yes", is_flag=True, help="With --name: replace a kernel of that name that runs something else."
)
@source_options
@trust_option
@output_options
def add(
    *,
    env: Path | None,
    name: str | None,
    display_name: str | None,
    user: bool,
    sys_prefix: bool,
    prefix: Path | None,
    variables: tuple[str, ...],
    yes: bool,
    sources: SourceOptions,
    output: Output,
) -> int:
    """Register ENV as a kernel and run cells in it; ipykernel is installed there when it is missing.

    Without ENV: the active environment, else ./.venv. Nothing is registered unless torch could be imported and
    used, on the best device there is, by the Python that was meant.

    \b
    torchdoctor jupyter-kernel add ~/envs/vision --name vision
    torchdoctor jupyter-kernel add --sys-prefix --env CUDA_VISIBLE_DEVICES=0
    """
    from torchdoctor.errors import UsageError
    from torchdoctor.kernel.interpreter import prefix_of
    from torchdoctor.kernel.names import parse_settings
    from torchdoctor.workflows.kernel_model import KernelRequest

    if sum((user, sys_prefix, prefix is not None)) > 1:
        raise UsageError(
            message("--user, --sys-prefix and --prefix are three places"), fix=message("name one of them")
        )
    python = environment_python(env)
    request = KernelRequest(
        name=name if name is not None else default_kernel_name(prefix_of(python)),
        display_name=display_name,
        overwrite=yes and name is not None,
        sys_prefix=sys_prefix,
        prefix=full_path(prefix) if prefix else None,
        settings=parse_settings(variables),
    )
    _register(python, request, sources, output)
    return 0


def _register(python: Path, request: KernelRequest, sources: SourceOptions, output: Output) -> None:
    """Register the kernel and show it."""
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows import register_kernel

    report = stage_lines(output, may_ask=False)
    try:
        kernel = register_kernel(
            python,
            request,
            sources=sources,
            cache=cache_folder(os.environ),
            system=host_system(os.environ),
            report=report,
        )
    finally:
        report.close()
    _show(kernel, output)


def _show(kernel: Kernel, output: Output) -> None:
    if output.json:
        print_json({"schema": 1, "kernel": kernel.to_json()})
        return
    text = message(
        "kernel {kernel} (“{title}”) runs {python}, torch {version} on {device}",
        kernel=kernel.name,
        title=kernel.display_name,
        python=kernel.executable,
        version=kernel.torch,
        device=kernel.device,
    )
    echo(translate(text))


for _command in (list_, check, repair, remove):
    command.add_command(_command)


def default_kernel_name(folder: Path) -> str:
    """A kernel name made from the environment's folder, or from the project's when that is hidden (.venv)."""
    plain = folder.parent.name if folder.name.startswith(".") else folder.name
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in plain)
    return f"torch-{kept.strip('-.') or 'env'}".lower()[:100].rstrip(".")
