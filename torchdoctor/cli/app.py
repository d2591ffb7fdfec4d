"""The group of commands, and the one place where an error becomes text and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from torchdoctor import __version__
from torchdoctor.cli.options import Output, asked_for_json, output_options
from torchdoctor.errors import TorchdoctorError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli", "main"]

# Command name -> its module. What a command needs is imported when it is called.
COMMANDS = {
    "doctor": "torchdoctor.cli.doctor",
    "install": "torchdoctor.cli.install",
    "resolve": "torchdoctor.cli.resolve",
    "verify": "torchdoctor.cli.verify",
    "bench": "torchdoctor.cli.bench",
    "jupyter-kernel": "torchdoctor.cli.jupyter_kernel",
    "index": "torchdoctor.cli.index",
}

WRONG_USAGE = 2
INTERRUPTED = 130


class Commands(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or a usage error that names the nearest one."""
        if cmd_name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"There is no command {cmd_name!r}.{hint}")
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TORCHDOCTOR"},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@output_options
@click.pass_context
def cli(ctx: click.Context, output: Output) -> None:
    """Get PyTorch working, prove that it works, and say why when it does not.

    Without a command: what machine this is, which PyTorch would fit it, and what is installed.
    """
    ctx.obj = output
    if ctx.invoked_subcommand is None:
        ctx.invoke(importlib.import_module(COMMANDS["doctor"]).command, output=output)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program; every way out has a documented exit status and none is a traceback."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in argv
    status = 0
    try:
        with cli.make_context("torchdoctor", list(argv)) as ctx:
            try:
                result: Any = cli.invoke(ctx)
            finally:
                as_json = as_json or asked_for_json(ctx)
        status = result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        status = done.exit_code
    except TorchdoctorError as error:
        status = error.exit_status
        _tell(as_json, kind=error.name, message=error.message, fix=error.fix)
    except click.ClickException as error:
        status = WRONG_USAGE
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "torchdoctor"
        _tell(as_json, kind="usage", message=error.format_message(), fix=f"see `{path} --help`")
    except (click.Abort, KeyboardInterrupt):
        message = "interrupted; what was there before is as it was"
        _tell(as_json, kind="interrupted", message=message, fix="run the command again")
        _leave_at_once(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001  (a traceback at a user is a bug, whatever caused it)
        status = 1
        _internal(argv, as_json, error)
    sys.exit(status)


def _tell(as_json: bool, *, kind: str, message: str, fix: str) -> None:
    if as_json:
        import json

        click.echo(json.dumps({"schema": 1, "error": {"kind": kind, "message": message, "fix": fix}}))
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
        click.echo(f"{click.style('  fix:', bold=True)} {fix}", err=True)


def _internal(argv: Sequence[str], as_json: bool, error: Exception) -> None:
    if "-v" in argv or "-vv" in argv or "--verbose" in argv:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    _tell(
        as_json,
        kind="internal",
        message=f"torchdoctor itself failed: {type(error).__name__}: {error}",
        fix="run it again with -v and report what it prints",
    )


def _leave_at_once(status: int) -> NoReturn:
    # A download thread may sit in a silent connection, and Python would wait for it.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
