"""For uv and Poetry: a small pyproject.toml with the index of the builds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message, translate
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.detect import Machine
    from torchdoctor.report.formats.stack_text import StackText

__all__ = ["poetry", "uv"]

_SYSTEMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}
_PROCESSORS = {("windows", "x86_64"): "AMD64", ("windows", "arm64"): "ARM64"}


def uv(text: StackText) -> str:
    """Return a pyproject.toml for `uv sync`: the index serves the family alone, PyPI everything else."""
    lines = [
        *_comments(
            message("{title} for uv: as pyproject.toml of a new project, then uv sync", title=text.title),
            message("in a project that you have: torchdoctor project DIR"),
        ),
        *([f"# uv python pin {text.python}t"] if text.machine.python.free_threaded else []),
        *_project(text),
        "",
        "[tool.uv]",
        f"environments = [{_text(_marker(text.machine))}]",
        *_list("constraint-dependencies", text.constraints),
        *_list("override-dependencies", text.overrides),
    ]
    if text.index_url is not None:
        lines += ["", "[tool.uv.sources]"]
        lines += [f"{name} = {{ index = {_text(text.index_name)} }}" for name in _indexed(text)]
        lines += [
            "",
            "[[tool.uv.index]]",
            f"name = {_text(text.index_name)}",
            f"url = {_text(text.index_url)}",
        ]
        lines += ['format = "flat"'] if text.is_link_page else []
        lines += ["explicit = true"]
    for url, is_page in _more_places(text):
        lines += ["", "[[tool.uv.index]]", f"url = {_text(url)}", *(['format = "flat"'] if is_page else [])]
    return "\n".join(lines)


def _more_places(text: StackText) -> list[tuple[str, bool]]:
    """The places that files of requirements name, and whether each is a page of links."""
    return [*((url, False) for url in text.more_indexes), *((url, True) for url in text.more_links)]


def poetry(text: StackText) -> str:
    """Return a pyproject.toml for `poetry install` of Poetry 2: the index is only asked for the family."""
    places = [text.index_url or "", *(url for url, _ in _more_places(text))]
    folder = next((place for place in places if place.startswith("file:")), None)
    if folder is not None:
        raise UsageError(
            message("Poetry has no sources in folders, and the builds lie in {place}", place=folder),
            fix=message("name an index with --index-url, or take --format uv or pip"),
        )
    lines = [
        *_comments(message("{title} for Poetry 2: as pyproject.toml, then poetry install", title=text.title)),
        *_project(text),
        "",
        "[tool.poetry]",
        "package-mode = false",
    ]
    if text.index_url is not None:
        lines += ["", "[tool.poetry.dependencies]"]
        lines += [f"{name} = {{ source = {_text(text.index_name)} }}" for name in _indexed(text)]
        lines += ["", "[[tool.poetry.source]]"]
        lines += [
            f"name = {_text(text.index_name)}",
            f"url = {_text(text.index_url)}",
            'priority = "explicit"',
        ]
    for number, (url, _) in enumerate(_more_places(text), start=1):
        lines += ["", "[[tool.poetry.source]]", f'name = "more-{number}"', f"url = {_text(url)}"]
        lines += ['priority = "supplemental"']
    return "\n".join(lines)


def _project(text: StackText) -> list[str]:
    """The table of PEP 621. What only the index has must be a dependency of the project itself to come from there."""
    lines = [*text.lines, *([text.accelerator] if text.accelerator else [])]
    return [
        "[project]",
        'name = "torch-stack"',
        'version = "0.1.0"',
        f"requires-python = {_text(f'=={text.python}.*')}",
        *_list("dependencies", lines),
    ]


def _indexed(text: StackText) -> list[str]:
    """The names of what the index serves."""
    names = [pin.name for pin in text.pins if pin.from_index]
    return [
        str(canonicalize_name(name)) for name in [*names, *([text.accelerator] if text.accelerator else [])]
    ]


def _marker(machine: Machine) -> str:
    """The machine's system and processor, for which alone uv is to solve."""
    processor = _PROCESSORS.get((machine.os, machine.arch), machine.arch)
    return f"sys_platform == '{_SYSTEMS[machine.os]}' and platform_machine == '{processor}'"


def _list(key: str, values: Iterable[str]) -> list[str]:
    rows = [f"  {_text(value)}," for value in values]
    return [f"{key} = [", *rows, "]"] if rows else []


def _text(value: str) -> str:
    """A string of TOML: what JSON escapes is escaped alike."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _comments(*texts: str) -> list[str]:
    return [f"# {' '.join(translate(text).split())}" for text in texts]
