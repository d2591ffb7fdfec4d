"""`torchdoctor completion SHELL`: the script that teaches a shell our commands and options."""

from __future__ import annotations

import click

from torchdoctor.core.i18n import message
from torchdoctor.report.terminal.echo import echo

__all__ = ["command"]

_SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command("completion", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that completes torchdoctor's commands and options in SHELL.

    \b
    eval "$(torchdoctor completion bash)"                       # in ~/.bashrc
    eval "$(torchdoctor completion zsh)"                        # in ~/.zshrc
    torchdoctor completion fish > ~/.config/fish/completions/torchdoctor.fish
    torchdoctor completion powershell | Out-String | Invoke-Expression
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:  # an older click does not know PowerShell
        from torchdoctor.errors import UsageError

        raise UsageError(
            message("the click that is installed has no completion for {shell}", shell=shell),
            fix="python -m pip install -U click",
        )
    root = ctx.find_root()
    echo(made(root.command, {}, "torchdoctor", "_TORCHDOCTOR_COMPLETE").source())
    return 0
