"""The constraints that pip is configured with outside of the hold, which the hold must not hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.urls import strip_credentials
from torchdoctor.install.hold.model import HOLD_FILE
from torchdoctor.install.hold.pip_conf import KEYS
from torchdoctor.inventory.pip_settings import ENVIRONMENT_SECTION, read_pip_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.pip_settings import PipSetting

__all__ = ["inherited_constraints"]


def inherited_constraints(
    environ: Mapping[str, str], python: PythonInfo, own: Path
) -> dict[str, tuple[str, ...]] | None:
    """Return the value of each constraint of `pip install` that the environment's file `own` would replace.

    None where one has a password, which is never written down a second time.
    """
    settings = [value for value in read_pip_settings(environ, python) if value.section != ENVIRONMENT_SECTION]
    found = {key: _value(settings, key, str(own)) for key in KEYS}
    if any("://" in word and strip_credentials(word) != word for words in found.values() for word in words):
        return None
    return found


def _value(settings: Sequence[PipSetting], key: str, own: str) -> tuple[str, ...]:
    values = {
        value.section: value.value
        for value in settings
        if value.key == key and not (value.section == "install" and value.origin == own)
    }
    text = values.get("install", values.get("global", ""))
    return tuple(word for word in text.split() if not word.endswith(f"/{HOLD_FILE}"))
