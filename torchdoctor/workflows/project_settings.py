"""What a project in the current folder says of indexes to pip and uv: used only after the user agreed to that file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.user_folders import current_folder
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.progress import SilentReporter
from torchdoctor.core.text import printable_line, sanitize_line
from torchdoctor.core.urls import plain_url
from torchdoctor.inventory.pip_settings import PipPlace
from torchdoctor.sources.installer_config import InstallerSettings, installer_settings
from torchdoctor.sources.installer_limits import limits_of, settings_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.requirements import StackRequest
    from torchdoctor.sources.installer_config import IndexSetting
    from torchdoctor.sources.tool_values import ToolValue
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["agreed_settings", "has_limits", "only_agreed"]

_MAX_SHOWN = 200
# The answers of this process: one command may read the settings several times, and asks once.
_ANSWERS: dict[tuple[str, tuple[str, ...]], bool] = {}


def agreed_settings(
    options: SourceOptions,
    system: System,
    python: PythonInfo,
    report: Reporter,
    stack: StackRequest | None = None,
) -> InstallerSettings:
    """Return pip's and uv's settings, of a project's only those of files to which the user agreed.

    What the `stack` has of the same file, since `--project` named it, was agreed to already.
    The question names the file and what it says. Where nobody can be asked, and without `--trust-project`, nothing of
    such a file is used, and that is said.
    """
    settings = installer_settings(system.environ, python, current_folder())
    if stack is not None and (places := {*stack.indexes, *stack.find_links}):
        indexes = (each for each in settings.indexes if not (each.of_project and _is_one_of(each, places)))
        settings = replace(settings, indexes=tuple(indexes))
    return only_agreed(settings, report, trust_project=options.trust_project)


def _is_one_of(setting: IndexSetting, places: Collection[str]) -> bool:
    """Say whether a place is among these; a folder is beside the file that names it."""
    beside = str(Path(setting.file).parent / setting.place) if setting.file is not None else ""
    return setting.place in places or beside in places


def has_limits(options: SourceOptions, environ: Mapping[str, str]) -> bool:
    """Say whether an option, or a setting of pip and uv, limits the choice of torch by time or by constraints.

    No interpreter is run: of the files of environments only that of the active one is read. Raises `UsageError` for a
    time that is none.
    """
    place = PipPlace(sys_platform=sys.platform, prefix=environ.get("VIRTUAL_ENV") or sys.prefix)
    settings = installer_settings(environ, place, current_folder())
    agreed = only_agreed(settings, SilentReporter(), trust_project=options.trust_project)
    return bool(limits_of(agreed.values, exclude_newer=options.exclude_newer))


def only_agreed(settings: InstallerSettings, report: Reporter, *, trust_project: bool) -> InstallerSettings:
    """Return the settings without those of project files that the user did not agree to."""
    agreed = {
        file: trust_project or _agrees(file, tuple(dict.fromkeys(lines)), report)
        for file, lines in _by_file(settings).items()
    }
    return InstallerSettings(
        indexes=tuple(
            each
            for each in settings.indexes
            if not each.of_project or (_matters(each) and agreed.get(each.file or "", False))
        ),
        values=tuple(
            each for each in settings.values if not each.of_project or agreed.get(each.file or "", False)
        ),
    )


def _by_file(settings: InstallerSettings) -> dict[str, list[str]]:
    """Return what each file of a project says that would change what is installed, as a person reads it."""
    found: dict[str, list[str]] = {}
    for file, text in (*_index_texts(settings), *_value_texts(settings)):
        found.setdefault(file, []).append(text)
    return found


def _index_texts(settings: InstallerSettings) -> Iterator[tuple[str, str]]:
    for setting in settings.indexes:
        if setting.file is not None and setting.of_project and _matters(setting):
            name = {"index": "index-url", "extra-index": "extra-index-url"}.get(setting.kind, setting.kind)
            yield setting.file, f"{name} {plain_url(setting.place)}".strip()


def _value_texts(settings: InstallerSettings) -> Iterator[tuple[str, str]]:
    for value in settings.values:
        if value.file is not None and value.of_project and _is_followed(value):
            yield value.file, f"{value.key} {_shown(str(value.value))}"


def _matters(setting: IndexSetting) -> bool:
    """Say whether a setting changes where code comes from: PyPI is asked anyway, PyTorch's index is chosen anew."""
    from torchdoctor.requirements.torch_indexes import is_pypi, is_torch_index

    return setting.kind == "no-index" or not (is_torch_index(setting.place) or is_pypi(setting.place))


def _is_followed(value: ToolValue) -> bool:
    return value.key in settings_table()["followed"][value.tool]


def _agrees(file: str, lines: tuple[str, ...], report: Reporter) -> bool:
    said = joined(lines)
    name = _shown(file)
    if not report.can_ask:
        report.note(
            message(
                "{file} is a project's, and what it says is not used: {said}; --trust-project uses it",
                file=name,
                said=said,
            )
        )
        return False
    if (file, lines) not in _ANSWERS:
        question = message(
            "{file} is a project's, and says where packages come from or which count: {said}. Use it?",
            file=name,
            said=said,
        )
        _ANSWERS[file, lines] = report.ask(question, default=False)
    return _ANSWERS[file, lines]


def _shown(text: str) -> str:
    return printable_line(sanitize_line(text, limit=_MAX_SHOWN))
