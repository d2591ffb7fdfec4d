"""`torchdoctor report [ENV]`: everything in one file for a bug report, without the names of user and host."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.locations import environment_python_or_own
from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.trust import ask_to_trust, trust_option
from torchdoctor.core.fs import SHARED_MODE, atomic_write
from torchdoctor.core.fs.user_folders import cache_folder, current_folder, data_folder, full_path
from torchdoctor.core.i18n import message, translate
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.cli.output import Output
    from torchdoctor.core import Fact
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.report.bug_report import BugReport
    from torchdoctor.report.redact import Identity

__all__ = ["command"]


@click.command("report", short_help="Everything in one file for a bug report, redacted.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", cls=AsTyped, default="md", show_default=True,
    type=click.Choice(["md", "json", "html", "cyclonedx"]),
    help="md is for pasting into an issue; json holds everything; cyclonedx is ENV's bill of materials.",
)  # fmt: skip
@click.option(
    "-o", "--output", "target", cls=AsTyped, metavar="FILE", help="Write it there instead of printing it."
)
@click.option(
    "--import/--no-import",
    "importing",
    cls=AsTyped,
    default=True,
    help="Import torch in ENV, which takes a second.",
)
@trust_option
@output_options
def command(*, env: Path | None, form: str, target: str | None, importing: bool, output: Output) -> int:
    """Put the machine, ENV, what would fit, findings and settings into one file for a bug report.

    User names, home folders, host names, addresses, tokens and credentials are taken out. Without ENV: the active
    environment, else ./.venv, else the Python that runs torchdoctor.

    \b
    torchdoctor report
    torchdoctor report ~/envs/vision --format json --output report.json
    torchdoctor report ~/envs/vision --format cyclonedx --output bom.json
    """
    from datetime import datetime, timezone

    from torchdoctor.report.bug_report import report_document

    form = "json" if output.json else form
    place = _target(target)
    when = datetime.now(timezone.utc)
    if form == "cyclonedx":
        from torchdoctor.cli.report_packages import packages_text

        text = packages_text(env, when)
    else:
        reported = _look(env, importing=importing)
        text = _text(report_document(reported, when=when, identity=_identity(os.environ)), form)
    if place is None:
        echo(text, nl=not text.endswith("\n"))
        return 0
    _write(place, text)
    if not output.quiet:
        echo(
            translate(message("written to {place}; read it through before you send it", place=place)),
            err=True,
        )
    return 0


def _look(env: Path | None, *, importing: bool) -> BugReport:
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import describe_python
    from torchdoctor.diagnose import diagnose, live_failures
    from torchdoctor.doctor import InspectOptions, inspect
    from torchdoctor.doctor.evidence import evidence_from
    from torchdoctor.inventory.interpreter_files import look_at_python, not_run_warning
    from torchdoctor.report.bug_report import BugReport
    from torchdoctor.sources.index_cache import known_index

    system = host_system(os.environ)
    interpreter = environment_python_or_own(env)
    problem: TorchdoctorError | None = None
    reason = ask_to_trust(interpreter)
    if reason is not None and importing:
        echo(translate(not_run_warning(interpreter, reason)), err=True)
    importing = importing and reason is None
    try:
        python = (describe_python if importing else look_at_python)(system, interpreter)
    except EnvironmentUnusable as error:
        # The machine can be described even if the environment's interpreter does not run.
        problem, python = error, describe_python(system, sys.executable)
    index = known_index(data_folder(os.environ), lambda text: echo(text, err=True))
    options = InspectOptions(importing=importing and problem is None, asking=False)
    check_up = inspect(
        system, python, here=current_folder(), cache=cache_folder(os.environ), index=index, options=options
    )
    # In English, for those who read the issue.
    findings = () if problem else diagnose(evidence_from(check_up), str, live_failures()).findings
    return BugReport(
        check_up=check_up,
        findings=findings,
        tags=_tags(check_up.detection.machine, python),
        settings=_own_settings(),
        problem=problem,
    )


def _tags(machine: Machine, python: PythonInfo) -> Fact[str]:
    """Return the best wheel tag that the interpreter takes, and how many others it takes."""
    from torchdoctor.core.fact import absent, found
    from torchdoctor.detect import supported_tags

    tags = supported_tags(machine)
    source = str(python.executable)
    return found(f"{tags[0]} and {len(tags) - 1} more", source) if tags else absent(source)


def _own_settings() -> list[dict[str, Any]]:
    from dataclasses import asdict

    from torchdoctor.cli.config.all_settings import every_setting
    from torchdoctor.cli.config.settings import read_config

    return [asdict(setting) for setting in every_setting(read_config(), everything=False)]


def _identity(environ: Mapping[str, str]) -> Identity:
    """Return the names of this user and this host, without asking a name server."""
    import getpass
    import platform

    from torchdoctor.report.redact import Identity

    users = [environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    with contextlib.suppress(OSError, KeyError, ImportError):
        users.append(getpass.getuser())
    homes = [environ.get(name, "") for name in ("HOME", "USERPROFILE")]
    with contextlib.suppress(RuntimeError, OSError):
        homes += [str(Path.home()), os.path.realpath(Path.home())]
    users += [Path(home).name for home in homes if home]
    hosts = [platform.node(), environ.get("HOSTNAME", ""), environ.get("COMPUTERNAME", "")]
    return Identity(
        users=tuple(dict.fromkeys(filter(None, users))),
        homes=tuple(dict.fromkeys(filter(None, homes))),
        hosts=tuple(dict.fromkeys(filter(None, hosts))),
    )


def _text(document: dict[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(document, indent=2) + "\n"
    from torchdoctor.report.bug_report_sections import report_sections

    sections = report_sections(document)
    if form == "html":
        from torchdoctor.report.html.bug_report import bug_report_page

        return bug_report_page(sections, title="torchdoctor report")
    from torchdoctor.report.markdown import bug_report_markdown

    return bug_report_markdown(sections)


def _target(target: str | None) -> Path | None:
    """Return the file to write; None for standard output. Raises `UsageError` where no file can be written."""
    if target in (None, "-"):
        return None
    place = full_path(Path(target or ""))
    if place.is_dir():
        raise UsageError(
            message("{place} is a folder", place=place), fix=message("name a file: --output report.md")
        )
    if not place.parent.is_dir():
        raise UsageError(
            message("there is no folder {parent}", parent=place.parent),
            fix=message("make it first, or name another place"),
        )
    return place


def _write(place: Path, text: str) -> None:
    """Write the whole file or nothing; into a device or a pipe as it comes."""
    if place.exists() and not place.is_file():
        place.write_text(text, "utf-8")
        return
    atomic_write(place, text, mode=SHARED_MODE)
