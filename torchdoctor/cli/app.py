"""The program: the group of commands, and `main`, in which every way out has a documented exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from torchdoctor._version import __version__
from torchdoctor.cli.commands import COMMANDS, load_command, sections
from torchdoctor.cli.language import set_program_language, set_requested_language, translate_help
from torchdoctor.cli.options import output_options, wants_json
from torchdoctor.cli.process import (
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    discard_stdout,
    exit_immediately,
    exit_with,
    stop_on_signals,
    use_colour,
    use_safe_streams,
)
from torchdoctor.cli.value_origin import remember_config
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.cli.config.parser import Config
    from torchdoctor.cli.output import Output

__all__ = ["cli", "main"]

# The variable by which click's completion scripts ask the program.
_COMPLETE = "_TORCHDOCTOR_COMPLETE"

_EXIT_STATUSES = (
    "Exit status: 0 all is well; 1 problems found; 2 wrong usage, or a file or an environment that cannot be used; "
    "3 no build fits this machine; 4 a source could not be read, or served the wrong bytes; 5 the installation failed, "
    "or nobody agreed to a change; 70 torchdoctor itself failed; 130 interrupted."
)


class Commands(click.Group):
    """A group that imports the module of a command when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, or fail with a usage error that names the nearest one."""
        if cmd_name not in COMMANDS:
            import difflib

            from torchdoctor.cli.typed_hints import hint_for_command

            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            meant = hint_for_command(cmd_name) or (near[0] if near else None)
            ctx.fail(
                gettext("There is no command {name!r}. Did you mean {near}?").format(
                    name=cmd_name, near=meant
                )
                if meant
                else gettext("There is no command {name!r}.").format(name=cmd_name)
            )
        return load_command(cmd_name)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help, in the user's language."""
        translate_help(self)
        for name in COMMANDS:
            translate_help(load_command(name))
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by what one wants, with one column for all of them."""
        width = max(map(len, COMMANDS))
        limit = formatter.width - 6 - width
        for title, names in sections().items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), load_command(name).get_short_help_str(limit)) for name in names]
                )


@click.group(
    cls=Commands,
    short_help="Get PyTorch working, prove that it works, and say why when it does not.",
    epilog=_EXIT_STATUSES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TORCHDOCTOR"},
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@output_options
@click.pass_context
def cli(ctx: click.Context, output: Output) -> int:
    """Get PyTorch working, prove that it works, and say why when it does not.

    Without a command: what machine this is, which PyTorch would fit it, and what is installed.

    \b
    torchdoctor
    torchdoctor install
    torchdoctor verify
    torchdoctor install --help
    """
    from torchdoctor.cli.config.settings import read_config

    ctx.obj = output
    name = ctx.invoked_subcommand or "doctor"
    command = load_command(name)
    # `config` shows what is wrong with the config file, so it must not fail because of it.
    if name != "config" and (config := read_config()) is not None:
        _apply_config(ctx, name, command, config)
    translate_help(command)
    if ctx.invoked_subcommand is None:
        # It says what is there, and runs nothing of it: whoever calls it may stand in anybody's folder.
        with command.make_context(name, ["--no-import"], parent=ctx) as inner:
            result: int = command.invoke(inner)
            return result
    return 0


def _apply_config(ctx: click.Context, name: str, command: click.Command, config: Config) -> None:
    """Use the config file for what neither the command line nor a variable sets."""
    from torchdoctor.cli.config.settings import defaults_for, everywhere_in

    remember_config(ctx, config)
    everywhere = everywhere_in(config, set(COMMANDS))
    language = everywhere.pop("lang", None)
    if language and not ctx.params.get("lang"):
        set_program_language(language)
    names = {option.name for option in command.params}
    shared = {key: value for key, value in everywhere.items() if key in names}
    ctx.default_map = {name: shared | defaults_for(command, name, config)}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and end the process; no error ends in a traceback."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    use_safe_streams()
    if instruction := os.environ.get(_COMPLETE):
        _complete(instruction)
    set_requested_language(argv)
    stop_on_signals()
    exit_with(_run(argv))


def _run(argv: list[str]) -> int:
    """Run the command and return the exit status; errors are printed."""
    root: click.Context | None = None
    as_json = "--json" in argv or _json_by_variable(argv)
    try:
        with cli.make_context("torchdoctor", list(argv), color=use_colour()) as ctx:
            root = ctx
            try:
                result: Any = cli.invoke(ctx)
            finally:
                as_json = as_json or wants_json(ctx)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except BaseException as error:  # noqa: BLE001  (a traceback is a bug, whatever caused it)
        return _report(error, argv, root, as_json=as_json)
    return result if isinstance(result, int) else 0


def _report(error: BaseException, argv: Sequence[str], root: click.Context | None, *, as_json: bool) -> int:
    from torchdoctor.cli.errors import failure_of, print_failure

    failure = failure_of(error, argv=argv, root=root)
    if failure is None:
        discard_stdout()
        return 0
    if failure.status == EXIT_INTERNAL and {"-v", "-vv", "--verbose"} & set(argv):
        import traceback

        echo("".join(traceback.format_exception(error)), err=True)
    print_failure(failure, as_json=as_json)
    if failure.status == EXIT_INTERRUPTED:
        exit_immediately(failure.status)
    return failure.status


def _complete(instruction: str) -> NoReturn:
    """Answer a shell that completes a command line; an error shows nothing to a user who pressed TAB."""
    from click.shell_completion import shell_complete

    status = 1
    with contextlib.suppress(Exception):
        status = shell_complete(cli, {}, "torchdoctor", _COMPLETE, instruction)
    exit_with(status)


def _json_by_variable(argv: Sequence[str]) -> bool:
    """Whether a variable asks the named command for JSON: this is known before its options can be read."""
    names = [f"TORCHDOCTOR_{word.upper().replace('-', '_')}_JSON" for word in argv if word in COMMANDS]
    return any(
        os.environ.get(name, "").lower() in ("1", "true", "yes", "on", "t", "y")
        for name in [*names, "TORCHDOCTOR_JSON"]
    )
