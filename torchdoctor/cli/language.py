"""The language of the program: chosen before options are read, for click's own texts too."""

from __future__ import annotations

import os
import sys
from inspect import cleandoc
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from torchdoctor.core.i18n import catalog, current_language
from torchdoctor.core.i18n.catalog import DOMAIN, LOCALES, can_carry_chinese, choose_language, gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.i18n.catalog import Language

__all__ = ["set_program_language", "set_requested_language", "translate_help"]


def set_requested_language(argv: Sequence[str]) -> None:
    """Use the language of `--lang` or its variable, else the locale's: help and errors are in it too."""
    language = choose_language(_requested_language(argv), os.environ, encoding=sys.stdout.encoding)
    if language == "zh":
        _write_chinese()
    set_program_language(language)


def _write_chinese() -> None:
    """Write UTF-8 where Chinese was asked for and the encoding of a pipe or a console cannot carry it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and not can_carry_chinese(stream.encoding):
            stream.reconfigure(encoding="utf-8")


def set_program_language(language: Language) -> None:
    """Use a language for our texts and click's; click reads gettext's global domain and the LANGUAGE variable."""
    catalog.set_program_language(language)
    # The module is Python's; click has imported it.
    import gettext as python_gettext

    if language == "zh":
        from torchdoctor.cli.full_width import FullWidthHelp

        click.Context.formatter_class = FullWidthHelp
    os.environ["LANGUAGE"] = language
    python_gettext.bindtextdomain(DOMAIN, str(LOCALES))
    python_gettext.textdomain(DOMAIN)


def translate_help(command: click.Command) -> None:
    """Translate the help of a command and of the commands in it."""
    if current_language() == "en":
        return
    command.help = gettext(cleandoc(command.help or ""))
    command.short_help = gettext(cleandoc(command.short_help or ""))
    command.options_metavar = gettext(command.options_metavar or "")
    if command.epilog:
        command.epilog = gettext(cleandoc(command.epilog))
    if isinstance(command, click.Group):
        command.subcommand_metavar = gettext(command.subcommand_metavar)
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            option.help = gettext(option.help)
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        translate_help(inner)


def _requested_language(argv: Sequence[str]) -> str | None:
    for word, after in pairwise([*argv, ""]):
        if word == "--lang":
            return after
        if word.startswith("--lang="):
            return word.removeprefix("--lang=")
    return os.environ.get("TORCHDOCTOR_LANG")
