"""`torchdoctor index show|update|mirrors|inspect`: what is known of PyTorch's wheels, and how to know more."""

from __future__ import annotations

import click

from torchdoctor.cli.index_inspect import inspect
from torchdoctor.cli.index_mirrors import mirrors
from torchdoctor.cli.index_show import show
from torchdoctor.cli.index_update import update
from torchdoctor.cli.options import group_options

__all__ = ["command"]


@click.group("index", short_help="What is known of PyTorch's wheels.")
@group_options
def command() -> None:
    """Show what is known of PyTorch's wheels, refresh it from the live index, list the mirrors, look into a wheel.

    \b
    torchdoctor index update
    torchdoctor index show --torch 2.9.1
    torchdoctor index mirrors
    """


for _command in (update, show, mirrors, inspect):
    command.add_command(_command)
