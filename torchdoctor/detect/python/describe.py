"""Describes an interpreter by running it: what it is, where it installs, what it is linked with."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs.noexec import is_noexec
from torchdoctor.core.i18n import message
from torchdoctor.core.text import read_object
from torchdoctor.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from torchdoctor.core.system import Completed, System

__all__ = ["DESCRIBE_SECONDS", "PythonInfo", "describe_python", "describing", "parse_description"]

# A first start on a network drive or under a virus scanner takes long; a hang is longer.
DESCRIBE_SECONDS = 30.0
_MARK = "torchdoctor-python "
_TEXT = (
    "executable", "implementation", "version", "sys_platform", "platform", "machine", "prefix", "base_prefix",
)  # fmt: skip
_OPTIONAL = ("soabi", "host", "libc", "system_version")
_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_TEXT, str),
    **dict.fromkeys(_OPTIONAL, (str, type(None))),
    "free_threaded": bool,
    "externally_managed": bool,
    "bits": int,
    "site_packages": list,
}
# Newer than the format: what does not say them is not wrong.
_LATER: dict[str, type | tuple[type, ...]] = {
    "abi_flags": str,
    "debug": bool,
    "path": list,
    "user_site": (str, type(None)),
    "translated": (bool, type(None)),
}
_FIX = message("name another interpreter with --python, or another environment")


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonInfo:
    """An interpreter as it describes itself.

    `sys_platform`, `platform` and `host` are Python's own names (`sys.platform`, `sysconfig.get_platform()`,
    the GNU triplet it was built for); `libc` is glibc's answer, and None where it is not glibc. `path` is where
    imports look without PYTHONPATH and user site, .pth files obeyed. `translated` says that Rosetta runs it; None
    where there is no Rosetta.
    """

    executable: Path
    version: str
    implementation: str
    free_threaded: bool
    bits: int
    sys_platform: str
    platform: str
    machine: str
    prefix: Path
    base_prefix: Path
    site_packages: tuple[Path, ...]
    externally_managed: bool = False
    soabi: str | None = None
    host: str | None = None
    libc: str | None = None
    system_version: str | None = None
    abi_flags: str = ""
    debug: bool = False
    path: tuple[str, ...] = ()
    user_site: Path | None = None
    translated: bool | None = None

    @property
    def is_venv(self) -> bool:
        """Whether it is a virtual environment's own."""
        return self.prefix != self.base_prefix


def describe_python(system: System, executable: Path | str) -> PythonInfo:
    """Run `executable` apart from the user's settings (-I) and read what it says.

    Raises `EnvironmentUnusable` when it is not a Python that runs.
    """
    answer = system.run(describing(executable), timeout=DESCRIBE_SECONDS)
    if not answer.ok:
        raise _unusable(executable, answer)
    try:
        return parse_description(answer.stdout)
    except ValueError as error:
        raise EnvironmentUnusable(
            message(
                "{executable} is not a Python that can be used: {error}", executable=executable, error=error
            ),
            fix=_FIX,
            code="not-a-python",
        ) from error


def describing(executable: Path | str) -> list[str]:
    """The command that has an interpreter describe itself."""
    return [str(executable), "-I", "-c", _script()]


def parse_description(text: str) -> PythonInfo:
    """Find and check the description between whatever else was printed; ValueError when it is not there."""
    line = next((entry for entry in text.splitlines() if entry.startswith(_MARK)), None)
    if line is None:
        raise ValueError("it did not say what it is")
    facts = read_object(line[len(_MARK) :])
    try:
        return _info(facts)
    except (KeyError, TypeError) as error:
        raise ValueError(message("its answer lacks {error}", error=error)) from error


def _info(facts: dict[str, Any]) -> PythonInfo:
    for key, kind in _KINDS.items():
        if not isinstance(facts[key], kind):
            raise ValueError(message("its {key} is {facts!r:.40}", key=key, facts=facts[key]))  # noqa: TRY004
    later = {key: facts[key] for key, kind in _LATER.items() if key in facts and isinstance(facts[key], kind)}
    # Builds of distributions write 3.11.2+chromium.1 and the like.
    version = re.match(r"[23]\.\d{1,3}\.\d{1,3}((a|b|rc)\d{1,3})?", facts["version"], re.ASCII)
    if version is None or facts["bits"] not in (32, 64) or not facts["executable"]:
        raise ValueError("its answer makes no sense")
    return PythonInfo(
        executable=_path(facts["executable"]),
        version=version[0],
        implementation=re.sub(r"\W", "", facts["implementation"].lower(), flags=re.ASCII)[:32] or "unknown",
        free_threaded=facts["free_threaded"],
        bits=facts["bits"],
        sys_platform=facts["sys_platform"],
        platform=facts["platform"],
        machine=facts["machine"],
        prefix=_path(facts["prefix"]),
        base_prefix=_path(facts["base_prefix"]),
        site_packages=tuple(map(_path, facts["site_packages"])),
        externally_managed=facts["externally_managed"],
        soabi=facts["soabi"],
        host=facts["host"],
        libc=facts["libc"],
        system_version=facts["system_version"],
        abi_flags=re.sub(r"\W", "", later.get("abi_flags", ""), flags=re.ASCII)[:8],
        debug=later.get("debug", False),
        path=tuple(str(_path(entry)) for entry in later.get("path", ())[:1000] if isinstance(entry, str)),
        user_site=_path(later["user_site"]) if later.get("user_site") else None,
        translated=later.get("translated"),
    )


def _path(text: str) -> Path:
    """A path as this process spells it: the child may have decoded it as ASCII, with escapes."""
    return Path(os.fsdecode(os.fsencode(text)))


@cache
def _script() -> str:
    return Path(__file__).with_name("_script.py").read_text("utf-8")


def _unusable(executable: Path | str, answer: Completed) -> EnvironmentUnusable:
    if answer.failure == "missing":
        return EnvironmentUnusable(
            message("there is no Python at {executable}", executable=executable), fix=_FIX, code="no-python"
        )
    if answer.failure == "foreign":
        return EnvironmentUnusable(
            message("{python} is not run: {reason}", python=executable, reason=answer.detail),
            fix=message("if you trust whoever that is, give --trust-env"),
            code="foreign-environment",
        )
    if answer.failure == "denied" and is_noexec(Path(executable)):
        return EnvironmentUnusable(
            message("{executable} cannot be run: its file system is mounted noexec", executable=executable),
            fix=message("make the environment on another file system: torchdoctor install ENV"),
            code="noexec",
        )
    said = answer.stdout + answer.stderr
    if "Microsoft Store" in said and "was not found" in said:
        # https://learn.microsoft.com/windows/python/faqs: the alias that Windows puts on PATH is no Python.
        return EnvironmentUnusable(
            message(
                "{executable} is the alias that Windows has for the Microsoft Store, not a Python",
                executable=executable,
            ),
            fix=message(
                "install Python, or name an interpreter with --python; the alias is turned off under "
                "Settings, Apps, App execution aliases"
            ),
            code="store-alias",
        )
    if "Unknown option: -I" in said:
        return EnvironmentUnusable(
            message("{executable} is Python 2, and PyTorch needs Python 3", executable=executable),
            fix=_FIX,
            code="python-too-old",
        )
    return EnvironmentUnusable(
        message(
            "{executable} is not a Python that can be used: {cause}",
            executable=executable,
            cause=answer.cause,
        ),
        fix=_FIX,
        code="not-a-python",
    )
