"""The commands and their modules, in the order in which a user meets them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.catalog import gettext as _

if TYPE_CHECKING:
    import click

__all__ = ["COMMANDS", "load_command", "sections"]

# Command name -> its module, which is imported when the command is called.
COMMANDS = {
    "doctor": "torchdoctor.cli.doctor",
    "install": "torchdoctor.cli.install",
    "resolve": "torchdoctor.cli.resolve",
    "download": "torchdoctor.cli.download",
    "add": "torchdoctor.cli.add",
    "hold": "torchdoctor.cli.hold",
    "unhold": "torchdoctor.cli.unhold",
    "project": "torchdoctor.cli.project",
    "restore": "torchdoctor.cli.restore",
    "upgrade": "torchdoctor.cli.upgrade",
    "undo": "torchdoctor.cli.undo",
    "remove": "torchdoctor.cli.remove",
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
    "help": "torchdoctor.cli.help",
}


def load_command(name: str) -> click.Command:
    """Import the module of a command and return the command."""
    command: click.Command = importlib.import_module(COMMANDS[name]).command
    return command


def sections() -> dict[str, tuple[str, ...]]:
    """Return the commands by what one wants, as the help shows them, with titles in the user's language."""
    return {
        _("Install and change"): (
            "install", "add", "upgrade", "undo", "restore", "remove", "hold", "unhold", "project",
        ),
        _("Choose and fetch"): ("resolve", "download", "index", "cache"),
        _("Prove"): ("verify", "bench", "jupyter-kernel"),
        _("Find out what is wrong"): ("doctor", "diagnose", "explain", "report"),
        _("torchdoctor itself"): ("config", "completion", "help"),
    }  # fmt: skip
