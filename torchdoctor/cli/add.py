"""`torchdoctor add REQUIREMENT...`: more packages for an environment, whose torch stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.install import install_document, show_result
from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.plan_options import added_options, dated_source_options
from torchdoctor.cli.trust import trust_option
from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from torchdoctor.report.terminal.stages import StageLines
    from torchdoctor.requirements import StackOptions
    from torchdoctor.workflows import InstallOptions, SourceOptions

__all__ = ["command"]


@click.command("add", short_help="Add packages to an environment; its torch stays.")
@added_options
@click.option(
    "--env",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The environment; by default the active one, else ./.venv.",
)
@dated_source_options
@click.option("--dry-run", is_flag=True, help="Say what would be installed or changed, and stop.")
@click.option("--verify/--no-verify", default=True, show_default=True, help="Prove the result.")
@click.option(
    "--keep-unneeded",
    is_flag=True,
    help="Leave the libraries that only the replaced torch needed, such as those of another CUDA.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Take what a terminal would be asked for: another torch, where what is added needs one, indexes and code "
    "of projects.",
)
@trust_option
@output_options
def command(
    *,
    asked: StackOptions,
    env: Path | None,
    sources: SourceOptions,
    dry_run: bool,
    keep_unneeded: bool,
    verify: bool,
    yes: bool,
    output: Output,
) -> int:
    """Install REQUIREMENTs into an environment that has torch, in versions that go with this torch.

    Torch stays as it is, in its release and its family of builds. Where nothing goes together with it, torchdoctor
    says so and asks before it takes another one.

    \b
    torchdoctor add einops
    torchdoctor add 'einops>=0.8' torchmetrics --env ~/envs/vision
    torchdoctor add -r requirements.txt --dry-run
    """
    from torchdoctor.cli.requests import stack_from_options
    from torchdoctor.core.fs.user_folders import cache_folder, data_folder
    from torchdoctor.install.hold.model import read_hold
    from torchdoctor.install.location import environment_of
    from torchdoctor.workflows import InstallOptions

    if not asked:
        raise UsageError(
            message("nothing to add was named"),
            fix=message("name a package, a file or a project: torchdoctor add timm"),
        )
    _refuse_environments(asked.with_)
    folder = environment_of(environment_python(env, is_read=dry_run))
    report = stage_lines(output)
    options = InstallOptions(
        folder=folder,
        cache=cache_folder(os.environ),
        data=data_folder(os.environ),
        sources=sources,
        stack=stack_from_options(asked, sources, report, yes=yes, python=str(folder)),
        hold=read_hold(folder) is not None,
        drop_unneeded=not keep_unneeded,
        verify=verify,
        dry_run=dry_run,
        assume_yes=yes,
    )
    return _add(options, report, output)


def _refuse_environments(words: tuple[str, ...]) -> None:
    """Raise `UsageError` for a word that is the folder of an environment."""
    for word in words:
        if (Path(word) / "pyvenv.cfg").is_file():
            raise UsageError(
                message("{word!r} is an environment, and add takes packages", word=word),
                fix=message("name it with an option: torchdoctor add PACKAGE --env {env}", env=quoted(word)),
            )


def _add(options: InstallOptions, report: StageLines, output: Output) -> int:
    """Add what the options say, show the result, and return the exit status."""
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows import run_add

    try:
        result = run_add(options, system=host_system(os.environ), report=report)
    finally:
        report.close()
    if output.json:
        print_json(install_document(options, result))
    else:
        show_result(options.folder, result, output)
    return result.exit_status
