"""Run torchdoctor in a terminal and draw its screen: docs/images/demo.svg.

`python tools/draw_demo.py FOLDER` types the commands in FOLDER, which must have no .venv; it downloads PyTorch.
Needs pyte, and a system with pseudo-terminals.
"""

from __future__ import annotations

import codecs
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
COMMANDS = (
    "torchdoctor install --offline --find-links wheels",
    "torchdoctor",
    "torchdoctor verify --only numpy,matmul,autograd,cnn,fit,workers,saving",
)
COLUMNS, LINES = 100, 200
_FONTS = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


def main(folder: Path) -> None:
    """Type each command, and draw the screen as it was left."""
    if (folder / ".venv").exists():
        sys.exit(f"{folder} has a .venv already")
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    for command in COMMANDS:
        stream.feed(f"\x1b[1;32m$\x1b[0m \x1b[1m{command}\x1b[0m\r\n")
        for text in _typed(command, folder):
            stream.feed(text)
        stream.feed("\r\n")
    _draw(screen, folder)


def _typed(command: str, folder: Path) -> Iterator[str]:
    """What the command writes to its terminal."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    environ.pop("NO_COLOR", None)
    with subprocess.Popen(
        [shutil.which("torchdoctor") or "torchdoctor", *command.split()[1:]],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environ,
    ) as running:  # fmt: skip
        os.close(theirs)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := _read(ours):
            yield decoder.decode(chunk)
    os.close(ours)
    if running.returncode:
        sys.exit(f"{command} ended with {running.returncode}")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def _draw(screen: pyte.Screen, folder: Path) -> None:
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    last = max(row for row, line in enumerate(screen.display) if line.strip())
    for row in range(last + 1):
        console.print(_line(screen, row), no_wrap=True, crop=True, highlight=False)
    svg = console.export_svg(title=f"~/{folder.name}", unique_id="demo")
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    IMAGE.write_text(_at_rest(svg), "utf-8")


def _at_rest(svg: str) -> str:
    """With the reader's own font: a picture asks nothing of the network."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {_FONTS}")
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def _line(screen: pyte.Screen, row: int) -> Text:
    line = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        weight = "bold " if cell.bold else ""
        line.append(cell.data, f"{weight}{_colour(cell.fg)}".strip())
    line.rstrip()
    return line


def _colour(name: str) -> str:
    """pyte's name of a colour as rich's."""
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    name = name.replace("bright", "bright_").replace("brown", "yellow")
    return "" if name == "default" else name


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
