"""What pip, uv and conda are configured with, for a report: each value without secrets, and which of several counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import message
from torchdoctor.inventory.conda_settings import read_conda_settings
from torchdoctor.inventory.environment_variables import is_secret, without_credentials
from torchdoctor.inventory.pip_settings import ENVIRONMENT_SECTION, read_pip_settings
from torchdoctor.inventory.settings_model import ToolSetting
from torchdoctor.inventory.uv_settings import flatten_uv_table, read_uv_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.condarc import CondarcValue

__all__ = ["tool_settings"]

_MAX_VALUE_LENGTH = 500
_MAX_KEY_LENGTH = 100
_MAX_SETTINGS_PER_FILE = 500


def tool_settings(environ: Mapping[str, str], python: PythonInfo, here: Path) -> tuple[ToolSetting, ...]:
    """The settings of pip, then uv's, then conda's; `here` is the current folder, where uv looks for a project."""
    return (*_of_pip(environ, python), *_of_uv(environ, here), *_of_conda(environ, python))


def _of_pip(environ: Mapping[str, str], python: PythonInfo) -> Iterator[ToolSetting]:
    settings = read_pip_settings(environ, python)
    # A command's own section beats the global one, and a variable beats both; among files the later wins.
    # https://pip.pypa.io/en/stable/topics/configuration/#precedence-override-order
    ranks = {"global": 0, ENVIRONMENT_SECTION: 2}
    best: dict[str, tuple[int, int]] = {}
    for number, setting in enumerate(settings):
        rank = (ranks.get(setting.section, 1), number)
        best[setting.key] = max(best.get(setting.key, rank), rank)
    used = {number for _, number in best.values()}
    for number, setting in enumerate(settings):
        section = "" if setting.section == ENVIRONMENT_SECTION else f"{setting.section}."
        key = f"{section}{setting.key}".lower()
        yield _setting("pip", key, setting.value, setting.origin, used=number in used)


def _of_uv(environ: Mapping[str, str], here: Path) -> Iterator[ToolSetting]:
    """The variables, then the files, the nearest first: of two for one key the first one counts.

    https://docs.astral.sh/uv/reference/settings/
    """
    settings = [
        (name, value, name) for name, value in sorted(environ.items()) if name.startswith("UV_") and value
    ]
    for path, table in read_uv_tables(environ, here):
        values = list(flatten_uv_table(table))[:_MAX_SETTINGS_PER_FILE]
        settings += [(key, value, path) for key, value in values]
    seen: set[str] = set()
    for key, value, origin in settings:
        plain = key.removeprefix("UV_").lower().replace("_", "-").removeprefix("pip.")
        yield _setting("uv", key, value, origin, used=plain not in seen)
        seen.add(plain)


def _of_conda(environ: Mapping[str, str], python: PythonInfo) -> Iterator[ToolSetting]:
    settings = read_conda_settings(environ, sys_platform=python.sys_platform)
    last = {setting.key: number for number, setting in enumerate(settings)}
    for number, setting in enumerate(settings):
        used = last[setting.key] == number
        if setting.value is None:
            value = message("it could not be read")
            yield ToolSetting(tool="conda", key=setting.key, value=value, origin=setting.origin, used=used)
        else:
            yield _setting("conda", setting.key, _condas_text(setting.value), setting.origin, used=used)


def _condas_text(value: CondarcValue) -> str:
    """A list by spaces, a mapping as `name=value` by spaces."""
    if isinstance(value, dict):
        return " ".join(f"{name}={without_credentials(item)}" for name, item in value.items())
    return value if isinstance(value, str) else " ".join(value)


def _setting(
    tool: Literal["pip", "uv", "conda"], key: str, value: str, origin: str, *, used: bool
) -> ToolSetting:
    shown = "****" if is_secret(key) else without_credentials(" ".join(value.split()))
    return ToolSetting(
        tool=tool,
        key=key[:_MAX_KEY_LENGTH],
        value=shown[:_MAX_VALUE_LENGTH],
        origin=origin,
        used=used,
    )
