"""Make a man page for each command, in man/. `--check` changes nothing and lists the pages that are out of date.

Needs click-man.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click_man.core import generate_man_page

from torchdoctor._version import __version__
from torchdoctor.cli.app import cli
from torchdoctor.cli.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = Path(__file__).parent.parent / "man"
# click's mark of a paragraph that keeps its lines.
_KEEP = "\b"


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    # The program loads a command when it is called; a page of all of them needs them now.
    cli.commands = {name: importlib.import_module(module).command for name, module in COMMANDS.items()}
    return dict(_pages(click.Context(cli, info_name="torchdoctor")))


def _pages(ctx: click.Context) -> Iterator[tuple[str, str]]:
    text = generate_man_page(ctx, version=f"torchdoctor {__version__}", date=" ")
    page = ctx.command_path.replace(" ", "-")
    yield f"{page}.1", _kept(_named(text, page))
    for name, inner in ctx.command.commands.items() if isinstance(ctx.command, click.Group) else ():
        yield from _pages(click.Context(inner, info_name=name, parent=ctx))


def _named(text: str, page: str) -> str:
    """Pages named as their files are, also those to go on with; click-man puts commands there, with spaces."""
    head, _, rest = text.partition("\n")
    # The name stands at both ends of the first line, and at one of the last: 80 columns have no room between them.
    head = re.sub(r'^\.TH "[^"]*" (.*) "[^"]*"$', rf'.TH "{page.upper()}" \1 " "', head)
    rest = re.sub(
        r"See \\fB([^\\]*)\(1\)", lambda see: see[0].replace(see[1], see[1].replace(" ", "-")), rest
    )
    return f"{head}\n{rest}"


def _kept(text: str) -> str:
    """Paragraphs of commands line by line, and every hyphen of theirs one that can be copied."""
    lines, kept = [], False
    for line in text.split("\n"):
        if line == _KEEP:
            kept = True
            lines.append(".nf")
        elif kept and line.startswith("."):
            kept = False
            lines += [".fi", line]
        else:
            lines.append(line.replace("-", r"\-") if kept else line)
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> int:
    """Write the pages, or with --check name those that are behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    made = pages()
    there = {path.name: path.read_text("utf-8") for path in PAGES.glob("*.1")}
    if check:
        behind = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
        for name in behind:
            print(f"{name} is behind the program: run python tools/man.py")
        return 1 if behind else 0
    PAGES.mkdir(exist_ok=True)
    for name in there.keys() - made.keys():
        (PAGES / name).unlink()
    for name, text in made.items():
        (PAGES / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
