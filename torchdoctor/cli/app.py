"""The group of commands, and the one place where an error becomes text and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from torchdoctor import __version__
from torchdoctor.cli.options import Output, output_options
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
}

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
    status = 0
    try:
        result: Any = cli.main(args=argv, prog_name="torchdoctor", standalone_mode=False)
        status = result if isinstance(result, int) else 0
    except TorchdoctorError as error:
        status = _tell(argv, kind=error.name, message=error.message, fix=error.fix, status=error.exit_status)
    except click.UsageError as error:
        usage = error.ctx.command_path if error.ctx else "torchdoctor"
        message = error.format_message()
        status = _tell(
            argv, kind="usage", message=message, fix=f"see `{usage} --help`", status=error.exit_code
        )
    except click.ClickException as error:
        status = _tell(
            argv, kind="usage", message=error.format_message(), fix="see --help", status=error.exit_code
        )
    except (click.Abort, KeyboardInterrupt):
        message = "interrupted; what was there before is as it was"
        status = _tell(
            argv, kind="interrupted", message=message, fix="run the command again", status=INTERRUPTED
        )
        _leave_at_once(status)
    except BrokenPipeError:
        # The reader of our output went away; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001  (a traceback at a user is a bug, whatever caused it)
        status = _internal(argv, error)
    sys.exit(status)


def _tell(argv: Sequence[str], *, kind: str, message: str, fix: str, status: int) -> int:
    if "--json" in argv or os.environ.get("TORCHDOCTOR_JSON", "").lower() in ("1", "true", "yes", "on"):
        import json

        click.echo(json.dumps({"schema": 1, "error": {"kind": kind, "message": message, "fix": fix}}))
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
        click.echo(f"{click.style('  fix:', bold=True)} {fix}", err=True)
    return status


def _internal(argv: Sequence[str], error: Exception) -> int:
    if "-v" in argv or "-vv" in argv or "--verbose" in argv:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    return _tell(
        argv,
        kind="internal",
        message=f"torchdoctor itself failed: {type(error).__name__}: {error}",
        fix="run it again with -v and report what it prints",
        status=1,
    )


def _leave_at_once(status: int) -> NoReturn:
    # A download thread may sit in a silent connection, and Python would wait for it.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
