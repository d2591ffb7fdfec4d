"""`torchdoctor install [ENV]`: install the PyTorch that fits, and verify it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.bundle_options import origin_options
from torchdoctor.cli.locations import active_environment, environment_folder
from torchdoctor.cli.new_environment import NewEnvironment
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.param_types import KERNEL_NAME
from torchdoctor.cli.plan_options import choice_options, dated_source_options, stack_options
from torchdoctor.cli.trust import require_trust, trust_option
from torchdoctor.cli.verify_output import show_causes, verify_document
from torchdoctor.core.fs.user_folders import cache_folder, data_folder, full_path
from torchdoctor.core.i18n import joined, message, plurals, translate
from torchdoctor.core.shell_words import quoted
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.requirements import StackOptions
    from torchdoctor.workflows import InstallOptions, InstallResult

__all__ = ["command", "install_document", "show_result"]


@click.command("install", short_help="Install the PyTorch that fits, and prove it.")
@click.argument("env", required=False, type=NewEnvironment(path_type=Path))
@choice_options
@stack_options
@dated_source_options
@click.option("--python", metavar="VERSION|PATH|NAME", help="The Python to make the environment with.")
@click.option(
    "--lock",
    "lock",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Install exactly what this pylock.toml says.",
)
@origin_options
@click.option("--dry-run", is_flag=True, help="Say what would be installed or changed, and stop.")
@click.option("--kernel/--no-kernel", default=False, help="Register a Jupyter kernel and run a cell in it.")
@click.option(
    "--kernel-name", type=KERNEL_NAME, metavar="NAME", help="The name of the kernel; implies --kernel."
)
@click.option(
    "--hold/--no-hold",
    default=True,
    show_default=True,
    help="Have pip and uv keep torch in its family of builds; --no-hold changes nothing about that.",
)
@click.option(
    "--keep-unneeded",
    is_flag=True,
    help="Leave the libraries that only the replaced torch needed, such as those of another CUDA.",
)
@click.option(
    "--allow-downgrade",
    is_flag=True,
    help="Let torch become older, or a GPU build make way for one that does less, without naming it.",
)
@click.option("--verify/--no-verify", default=True, show_default=True, help="Prove the result.")
@click.option(
    "--yes",
    is_flag=True,
    help="Take what a terminal would be asked for: a change of ENV, a CUDA build without a GPU, indexes and code "
    "of projects. Without a terminal nobody is asked, and ENV is changed.",
)
@trust_option
@output_options
def command(*, env: Path | None, python: str | None, output: Output, **given: Any) -> int:
    """Install the PyTorch that fits this machine into ENV, a virtual environment, and prove that it works.

    ENV is created when it does not exist; in an existing one, other packages stay, and what only the replaced torch
    needed goes. Without ENV it is .venv; on a terminal the environment that is active is offered first.

    \b
    torchdoctor install
    torchdoctor install ~/envs/vision --torch 2.9 --with timm
    torchdoctor install -r requirements.txt
    torchdoctor install --project . --yes
    torchdoctor install --variant cpu --python 3.12 --kernel-name demo
    """
    report = stage_lines(output)
    folder = environment_folder(env or _default_environment(report))
    if not given["dry_run"]:
        from torchdoctor.install.location import interpreter_of

        require_trust(interpreter_of(folder))
    system = _system(folder, python)

    from torchdoctor.workflows import run_install

    options = _install_options(folder, python, given, report)
    try:
        result = run_install(options, system=system, report=report)
    finally:
        report.close()
    if output.json:
        print_json(install_document(options, result))
    else:
        show_result(options.folder, result, output)
    return result.exit_status


def _default_environment(report: Reporter) -> Path:
    """Return ./.venv, or the active environment where somebody at a terminal wants it."""
    here = Path(".venv")
    active = active_environment()
    if active is None or active == full_path(here):
        return here
    if report.can_ask:
        question = message("Install into the active environment {folder}? Else into .venv.", folder=active)
        return active if report.ask(question, default=True) else here
    report.note(
        message(
            "the active environment {folder} is not changed; to change it: torchdoctor install {word}",
            folder=active,
            word=quoted(str(active)),
        )
    )
    return here


def _install_options(
    folder: Path, python: str | None, given: Mapping[str, Any], report: Reporter
) -> InstallOptions:
    """Return the options as values; raises `UsageError` for those that contradict each other."""
    from torchdoctor.cli.jupyter_kernel import default_kernel_name
    from torchdoctor.cli.requests import (
        optional_requirements,
        request_from_options,
        stack_from_options,
    )
    from torchdoctor.kernel.names import validate_kernel_name
    from torchdoctor.workflows import InstallOptions

    torch, variant, without, yes = given["torch"], given["variant"], given["without"], given["yes"]
    asked, sources = given["asked"], given["sources"]
    name = given["kernel_name"] or (default_kernel_name(folder) if given["kernel"] else None)
    lock = _lock_alone(given["lock"], torch or sources.exclude_newer, variant, asked, without)
    stack = stack_from_options(
        asked, sources, report, yes=yes, kernel=name is not None, python=python, torch=torch
    )
    return InstallOptions(
        folder=folder,
        cache=cache_folder(os.environ),
        data=data_folder(os.environ),
        python=python,
        request=request_from_options(
            torch=torch, variant_name=variant, without=without, stack=stack, yes=yes
        ),
        sources=sources,
        stack=stack,
        optional=optional_requirements(stack, without),
        kernel_name=validate_kernel_name(name, option="--kernel-name") if name else None,
        overwrite_kernel=yes and given["kernel_name"] is not None,
        drop_unneeded=not given["keep_unneeded"],
        hold=given["hold"],
        verify=given["verify"],
        dry_run=given["dry_run"],
        lock=lock,
        origin=given["origin"],
        assume_yes=yes,
        allow_downgrade=given["allow_downgrade"],
    )


def _system(folder: Path, python: str | None) -> System:
    """This computer; where it is clear which Python it will be, that one describes itself while the program loads."""
    from torchdoctor.core.system import host_system

    if python is not None or folder.exists():
        return host_system(os.environ)
    from torchdoctor.core.system.prefetch import prefetch
    from torchdoctor.detect.python.describe import DESCRIBE_SECONDS, describing
    from torchdoctor.detect.python.find import base_interpreter

    return prefetch(os.environ, [describing(base_interpreter())], timeout=DESCRIBE_SECONDS)


def _lock_alone(
    lock: Path | None, limit: str | None, variant: str, asked: StackOptions, without: tuple[str, ...]
) -> Path | None:
    """Return the path of the lock; raises `UsageError` for options that choose what the lock has chosen."""
    from torchdoctor.errors import UsageError

    if lock is not None and (limit or variant != "auto" or without or asked):
        raise UsageError(
            message(
                "--lock says exactly what is installed, and --torch, --variant, --with, --without, -r, -c, "
                "--project, --override and --exclude-newer say it as well"
            ),
            fix=message("leave them out, or make another lock: torchdoctor resolve --format pylock"),
        )
    return full_path(lock) if lock is not None else None


def install_document(options: InstallOptions, result: InstallResult) -> dict[str, Any]:
    """Return the document of `install --json` and `add --json`."""
    environment, wheelhouse = result.environment, result.wheelhouse
    return {
        "schema": 1,
        "dry_run": options.dry_run,
        "machine": result.detection.machine.to_json(),
        **result.plan.to_json(),
        "environment": {
            "path": str(options.folder),
            "python": str(environment.python) if environment else None,
            "created": environment.created if environment else None,
        },
        "changes": [change.to_json() for change in result.changes],
        "size": result.size.to_json() if options.dry_run else None,
        "files": [
            {
                "name": fetched.wheel.name, "version": fetched.wheel.version, "filename": fetched.wheel.filename,
                "source": fetched.source, "sha256": fetched.sha256, "size": fetched.size,
            }
            for fetched in (wheelhouse.wheels if wheelhouse else ())
        ],
        "hold": result.hold.to_json() if result.hold else None,
        "kernel": result.kernel.to_json() if result.kernel else None,
        "verify": verify_document(result.verification) if result.verification else None,
    }  # fmt: skip


def show_result(folder: Path, result: InstallResult, output: Output) -> None:
    """Print what was installed or would be, and how to use it."""
    environment = result.environment
    if environment is None:
        _show_changes(folder, result)
        return
    chosen = [f"{package.name} {package.version}" for package in result.plan.packages]
    asked = [f"{package.name} {package.version}" for package in result.plan.solved if package.asked]
    names = ", ".join((*chosen, *asked))
    if output.quiet:
        echo(translate(message("{names} in {folder}", names=names, folder=environment.folder)))
        return
    from torchdoctor.cli.shell import current_shell
    from torchdoctor.install.activation import activation_command

    lines = [
        message("installed  {names}", names=names),
        message("where      {folder}", folder=environment.folder),
        message("use it     {activate}", activate=activation_command(environment.folder, current_shell())),
    ]
    if result.kernel is not None:
        title = result.kernel.display_name
        lines.append(message("notebook   choose the kernel “{display_name}”", display_name=title))
    if result.verification is not None and not result.verification.passed:
        lines.append(
            message("           verify found a problem, see below; `torchdoctor verify` shows it again")
        )
    echo()
    for line in lines:
        echo(translate(line))
    if result.verification is not None and not result.verification.passed:
        show_causes(result.verification)


def _show_changes(folder: Path, result: InstallResult) -> None:
    """Show what would change, the size of it and where each package would come from."""
    if not result.changes and folder.exists():
        echo(translate(message("nothing would change: {folder} has all of it", folder=folder)))
        return
    packages = plurals.packages(len(result.changes))
    summary = (
        message("would change {folder}: {packages}", folder=folder, packages=packages)
        if folder.exists()
        else message("would make {folder}: {packages}", folder=folder, packages=packages)
    )
    freed = message("{size:.1f} GB freed", size=result.freed / 1e9) if result.freed else None
    echo(translate(joined(filter(None, (summary, result.size.text, freed)))))
    sources = {
        package.name: message("  from {place}", place=package.source or "?")
        for package in result.plan.packages
    }
    for change in result.changes:
        echo(f"  {change}{translate(sources.get(change.name, ''))}")
