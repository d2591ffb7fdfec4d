"""The group of commands, and the one place where an error becomes text and an exit status."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import click

from torchdoctor._version import __version__
from torchdoctor.cli.config.settings import defaults_for, everywhere_in, read_config
from torchdoctor.cli.options import asked_for_json, output_options
from torchdoctor.cli.value_origin import innermost, remember_config, with_origin
from torchdoctor.core.i18n.catalog import (
    DOMAIN,
    LOCALES,
    choose_language,
    current_language,
    gettext,
    set_language,
)
from torchdoctor.core.i18n.messages import message, translate, with_trailing_space
from torchdoctor.errors import TorchdoctorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from torchdoctor.cli.config.parser import Config
    from torchdoctor.cli.output import Output
    from torchdoctor.core.i18n.catalog import Language

__all__ = ["cli", "main"]

# Command name -> its module. What a command needs is imported when it is called.
COMMANDS = {
    "doctor": "torchdoctor.cli.doctor",
    "install": "torchdoctor.cli.install",
    "resolve": "torchdoctor.cli.resolve",
    "download": "torchdoctor.cli.download",
    "verify": "torchdoctor.cli.verify",
    "bench": "torchdoctor.cli.bench",
    "jupyter-kernel": "torchdoctor.cli.jupyter_kernel",
    "diagnose": "torchdoctor.cli.diagnose",
    "explain": "torchdoctor.cli.explain",
    "report": "torchdoctor.cli.report",
    "index": "torchdoctor.cli.index",
    "cache": "torchdoctor.cli.cache",
    "config": "torchdoctor.cli.config.command",
    "completion": "torchdoctor.cli.completion",
}

# The variable by which click's completion scripts ask the program.
_COMPLETE = "_TORCHDOCTOR_COMPLETE"

EXIT_USAGE = 2
INTERRUPTED = 130
_CLEANING = 10.0  # seconds after a signal to stop in which no other counts


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
            ctx.fail(
                gettext("There is no command {name!r}. Did you mean {near}?").format(
                    name=cmd_name, near=near[0]
                )
                if near
                else gettext("There is no command {name!r}.").format(name=cmd_name)
            )
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, in the language spoken."""
        _speak_in_help(self)
        for module in COMMANDS.values():
            _speak_in_help(importlib.import_module(module).command)
        super().format_help(ctx, formatter)


@click.group(
    cls=Commands,
    short_help="Get PyTorch working, prove that it works, and say why when it does not.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TORCHDOCTOR"},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
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
    ctx.obj = output
    name = ctx.invoked_subcommand or "doctor"
    command: click.Command = importlib.import_module(COMMANDS[name]).command
    # `config` shows what is wrong with the file; it must not fail of it.
    if name != "config" and (config := read_config()) is not None:
        _take_config(ctx, name, command, config)
    _speak_in_help(command)
    if ctx.invoked_subcommand is None:
        with command.make_context(name, [], parent=ctx) as inner:
            result: int = command.invoke(inner)
            return result
    return 0


def _take_config(ctx: click.Context, name: str, command: click.Command, config: Config) -> None:
    """Let the config file give what neither the line nor a variable did."""
    remember_config(ctx, config)
    everywhere, asked = everywhere_in(config, set(COMMANDS)), ctx.params.get("lang")
    if (language := everywhere.pop("lang", None)) and not asked:
        _set_language(language)
    taken = {row.name for row in command.params}
    shared = {key: value for key, value in everywhere.items() if key in taken}
    ctx.default_map = {name: shared | defaults_for(command, name, config)}


def _speak_in_help(command: click.Command) -> None:
    """Put a command's help into the language spoken."""
    if current_language() == "en":
        return
    from inspect import cleandoc

    command.help = gettext(cleandoc(command.help or ""))
    command.short_help = gettext(cleandoc(command.short_help or ""))
    command.options_metavar = gettext(command.options_metavar or "")
    if isinstance(command, click.Group):
        command.subcommand_metavar = gettext(command.subcommand_metavar)
    for row in command.params:
        if isinstance(row, click.Option) and row.help:
            row.help = gettext(row.help)
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _speak_in_help(inner)


def _set_language(language: Language) -> None:
    """Speak it ourselves, and let click do so: it asks gettext's own domain, by the LANGUAGE variable."""
    set_language(language)
    # The module is Python's; click has imported it.
    import gettext as python_gettext

    if language == "zh":
        from torchdoctor.cli.full_width import FullWidthHelp

        click.Context.formatter_class = FullWidthHelp
    os.environ["LANGUAGE"] = language
    python_gettext.bindtextdomain(DOMAIN, str(LOCALES))
    python_gettext.textdomain(DOMAIN)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program; every way out has a documented exit status and none is a traceback."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    _usable_streams()
    if instruction := os.environ.get(_COMPLETE):
        _complete(instruction)
    _set_language(choose_language(_asked_language(argv), os.environ, encoding=sys.stdout.encoding))
    _stop_like_ctrl_c()
    root: click.Context | None = None
    status, as_json = 0, "--json" in argv or _json_by_variable(argv)
    try:
        with cli.make_context("torchdoctor", list(argv), color=_colour()) as ctx:
            root = ctx
            try:
                result: Any = cli.invoke(ctx)
            finally:
                as_json = as_json or asked_for_json(ctx)
        status = result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        status = done.exit_code
    except TorchdoctorError as error:
        status = error.exit_status
        _print_error(
            as_json, kind=error.code, text=with_origin(error.message, innermost(root)), fix=error.fix
        )
    except click.ClickException as error:
        status = EXIT_USAGE
        path = _path_of(error, argv)
        _print_error(
            as_json,
            kind="usage",
            text=_said_by(error),
            fix=message("see `{command} --help`", command=path),
        )
    except (click.Abort, KeyboardInterrupt):
        _print_error(
            as_json,
            kind="interrupted",
            text=message("interrupted; what was there before is as it was"),
            fix=message("run the command again"),
        )
        _leave_at_once(INTERRUPTED)
    except (BrokenPipeError, SystemExit):
        # The reader of our output went away, for which rich leaves by an exit; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        status = 1
        _print_error(
            as_json,
            kind="system",
            text=message("the system refused: {what}", what=_describe_os_error(error)),
            fix=message("check that file, folder or device, then run it again"),
        )
    except Exception as error:  # noqa: BLE001  (a traceback at a user is a bug, whatever caused it)
        status = 1
        _internal(argv, as_json, error)
    _exit_with(status)


def _complete(instruction: str) -> NoReturn:
    """Answer a shell; whatever goes wrong, a person who pressed TAB is told nothing by it."""
    from click.shell_completion import shell_complete

    status = 1
    with contextlib.suppress(Exception):
        status = shell_complete(cli, {}, "torchdoctor", _COMPLETE, instruction)
    _exit_with(status)


def _path_of(error: click.ClickException, argv: Sequence[str]) -> str:
    """The command at fault; click does not say it of an option whose value is missing."""
    if isinstance(error, click.UsageError) and error.ctx:
        return error.ctx.command_path
    return " ".join(["torchdoctor", *[word for word in argv if word in COMMANDS][:1]])


def _said_by(error: click.ClickException) -> str:
    from torchdoctor.cli.full_width import in_full_width

    said = with_origin(error.format_message(), getattr(error, "ctx", None))
    return in_full_width(said) if current_language() == "zh" else said


def _describe_os_error(error: OSError) -> str:
    said = str(error.strerror or error)
    if not error.filename:
        return message("{strerror}", strerror=said)
    return message("{path}: {strerror}", path=error.filename, strerror=said)


def _usable_streams() -> None:
    """Closed streams become empty ones; text that a terminal cannot show is escaped instead of refused."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _stop_like_ctrl_c() -> None:
    """A scheduler's SIGTERM and a closed terminal's SIGHUP clean up as Ctrl-C does, and the next ones wait for that."""
    stopped = 0.0

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        now = time.monotonic()
        # Who presses it again while half an environment is removed would have the other half left.
        if not stopped or now - stopped > _CLEANING:
            stopped = now
            raise KeyboardInterrupt

    for number in _stopping_signals():
        # One that is ignored stays so: nohup, and what a shell starts in the background.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _stopping_signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _colour() -> bool | None:
    """False where colour is not wanted (https://no-color.org); None leaves it to the terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return False if plain else None


def _json_by_variable(argv: Sequence[str]) -> bool:
    """Whether a variable asks the command named for JSON: known before its options can be read."""
    names = [f"TORCHDOCTOR_{word.upper().replace('-', '_')}_JSON" for word in argv if word in COMMANDS]
    return any(
        os.environ.get(name, "").lower() in ("1", "true", "yes", "on", "t", "y")
        for name in [*names, "TORCHDOCTOR_JSON"]
    )


def _asked_language(argv: Sequence[str]) -> str | None:
    """What `--lang` or its variable says, known before options are read: help and errors speak it too."""
    for word, after in pairwise([*argv, ""]):
        if word == "--lang":
            return after
        if word.startswith("--lang="):
            return word.removeprefix("--lang=")
    return os.environ.get("TORCHDOCTOR_LANG")


def _print_error(as_json: bool, *, kind: str, text: str, fix: str) -> None:
    what, fix = translate(text)[:4000], translate(fix)
    # Where not even this can be written, the exit status says it alone.
    with contextlib.suppress(OSError):
        if as_json:
            import json

            click.echo(json.dumps({"schema": 1, "error": {"kind": kind, "message": what, "fix": fix}}))
        else:
            colour = _colour()
            # Outside of the f-strings, into which the catalogue's tool does not look.
            labels = (with_trailing_space(gettext("error:")), with_trailing_space(gettext("fix:")))
            click.echo(f"{click.style(labels[0], fg='red', bold=True)}{what}", err=True, color=colour)
            click.echo(f"  {click.style(labels[1], bold=True)}{fix}", err=True, color=colour)


def _internal(argv: Sequence[str], as_json: bool, error: Exception) -> None:
    if "-v" in argv or "-vv" in argv or "--verbose" in argv:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    _print_error(
        as_json,
        kind="internal",
        text=message("torchdoctor itself failed: {kind}: {what}", kind=type(error).__name__, what=str(error)),
        fix=message("run it again with -v and report what it prints"),
    )


def _exit_with(status: int) -> NoReturn:
    # All is done: what stops us now need not be told of with a traceback from the depth of Python.
    for number in _stopping_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # Nothing more can be written; Python would say so with a traceback of its own.
        os._exit(status or 1)
    sys.exit(status)


def _leave_at_once(status: int) -> NoReturn:
    # A download thread may sit in a silent connection, and Python would wait for it.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
