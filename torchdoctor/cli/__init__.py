"""The command line: one small file a command, each loaded when it is called."""

from torchdoctor.cli.app import main

__all__ = ["main"]
