"""`torchdoctor verify [ENV]`: the proof, run by the environment's own interpreter."""

from __future__ import annotations

from pathlib import Path

import click

from torchdoctor.cli.options import Output, output_options
from torchdoctor.cli.place import environment_python, say_json

__all__ = ["command"]


@click.command("verify", short_help="Prove that PyTorch works.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@output_options
def command(*, env: Path | None, output: Output) -> int:
    """Prove that PyTorch works in ENV: import, tensors, autograd, training, convolution, on each device.

    Without ENV: the active environment, else ./.venv. Exit status 1 when a check fails.

    \b
    torchdoctor verify
    torchdoctor verify ~/envs/vision --json
    """
    from torchdoctor.proof import verify
    from torchdoctor.report.progress import StageLines

    python = environment_python(env)
    report = StageLines(quiet=True)
    verification = verify(python, on_result=None if output.quiet or output.json else report.check)
    if output.json:
        say_json(verification.to_json())
    else:
        from rich.console import Console

        from torchdoctor.report.verify_table import render_verify

        render_verify(verification, Console(soft_wrap=True))
    return 0 if verification.passed else 1
