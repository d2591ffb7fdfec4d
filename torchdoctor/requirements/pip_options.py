"""One line of a requirements file as pip takes it apart: a requirement, and options.

pip reads these options with optparse, and so does this, so that abbreviations and `-rFILE` mean the same.
https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options
"""

from __future__ import annotations

import functools
import optparse
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BadOption", "PipLine", "parse_pip_line"]

# Each option that may stand in a file: how it is spelt, and the key under which its values are kept.
_LISTS = (
    (("-r", "--requirement"), "requirements"), (("-c", "--constraint"), "constraints"),
    (("-e", "--editable"), "editables"), (("--extra-index-url",), "extra_index_urls"),
    (("-f", "--find-links"), "find_links"), (("--hash",), "hashes"),
    (("-i", "--index-url", "--pypi-url"), "index_urls"),
)  # fmt: skip
_FLAGS = (("--pre",), "pre"), (("--no-index",), "no_index"), (("--require-hashes",), "require_hashes")
# Those that change how pip builds or connects, and nothing of what is asked for.
_NOT_FOLLOWED = (
    "--no-binary", "--trusted-host", "--global-option", "--config-settings", "--config-setting", "--use-feature",
)  # fmt: skip
_WITHOUT_EFFECT = ("--only-binary",)  # torchdoctor installs wheels
_FLAGS_WITHOUT_EFFECT = ("--prefer-binary", "--always-unzip")


class BadOption(ValueError):
    """Options that pip would not accept; `word` is the one that is wrong, where that is known."""

    def __init__(self, reason: str, word: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.word = reason, word


@dataclass(frozen=True, kw_only=True, slots=True)
class PipLine:
    """What one line says. A line has a requirement or places to read or settings; only hashes go with a requirement."""

    requirement: str = ""
    requirements: tuple[str, ...] = ()  # of -r
    constraints: tuple[str, ...] = ()  # of -c
    editables: tuple[str, ...] = ()
    index_urls: tuple[str, ...] = ()
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    pre: bool = False
    no_index: bool = False
    require_hashes: bool = False
    not_followed: tuple[str, ...] = ()  # options as they are spelt


class _Parser(optparse.OptionParser):
    def error(self, msg: str) -> NoReturn:
        raise BadOption(msg)


def parse_pip_line(text: str) -> PipLine:
    """Take a logical line apart; raises `BadOption` for options that pip does not know or that lack a value."""
    words = text.split(" ")
    first = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    requirement = " ".join(words[:first]).strip()
    try:
        options = shlex.split(" ".join(words[first:]))
    except ValueError as error:
        raise BadOption(str(error).lower(), words[first] if first < len(words) else None) from error
    if not options:
        return PipLine(requirement=requirement)
    values, others = _parse_options(options)
    if others:
        raise BadOption("it is neither an option nor a value of one", others[0])
    found: dict[str, Any] = {key: tuple(getattr(values, key) or ()) for _, key in _LISTS}
    found |= {key: bool(getattr(values, key)) for _, key in _FLAGS}
    return PipLine(requirement=requirement, not_followed=tuple(values.not_followed or ()), **found)


def _parse_options(options: Sequence[str]) -> tuple[optparse.Values, list[str]]:
    try:
        return _parser().parse_args(list(options))
    except optparse.OptParseError as error:
        raise BadOption(str(error)) from error
    except BadOption as error:
        wrong = next((word for word in options if word.partition("=")[0] in error.reason), None)
        raise BadOption(error.reason, wrong) from error


@functools.cache
def _parser() -> _Parser:
    parser = _Parser(add_help_option=False, prog="requirements")
    for spellings, key in _LISTS:
        parser.add_option(*spellings, dest=key, action="append")
    for spellings, key in _FLAGS:
        parser.add_option(*spellings, dest=key, action="store_true")

    def remember(option: optparse.Option, spelt: str, _value: Any, parser: optparse.OptionParser) -> None:
        del option
        values = parser.values
        if values is not None:
            values.not_followed = [*(values.not_followed or ()), spelt]

    for name in _NOT_FOLLOWED:
        short = ("-C",) if name == "--config-settings" else ()
        parser.add_option(
            *short, name, dest="not_followed", action="callback", callback=remember, type="string"
        )
    for name in _WITHOUT_EFFECT:
        parser.add_option(name, dest="without_effect", action="append")
    for name in _FLAGS_WITHOUT_EFFECT:
        parser.add_option(name, dest="without_effect_flag", action="store_true")
    return parser
