"""Commands of a fix for one environment: with its own interpreter and folder, quoted for its shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.shell_words import quoted
from torchdoctor.diagnose.derived import operating_system, torch_build, torch_version
from torchdoctor.diagnose.fitting_build import fitting_plan

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["installs_torch", "is_plain_word", "pin_torch", "release_in", "rewrite_for_environment"]

_PIP = re.compile(r"(?<![\w./-])python3? -m pip (install|uninstall|show|list|check)\b")
_UV = re.compile(r"(?<![\w./-])uv pip (?:install|uninstall)\b(?! --python)")
_PYTHON = re.compile(r"(?<![\w./-])python3?(?= -(?:m pip|c) )")
_BESIDE = re.compile(r"(?<=-m venv )\.venv-new\b")
_ELSEWHERE = re.compile(r"-m venv\b|\buv venv\b|\bconda (?:create|run)\b")
_OWN_INDEX = re.compile(
    r"((?:pip|uv pip) install(?: --[a-z-]+)* torch==[\w.]+) --index-url https://download\.pytorch\.org/whl/\w+$"
)
_INSTALL = re.compile(r"(?<![\w./-])torchdoctor install\b")
# They take the environment as an argument; without it they mean the active one.
_OF_FOLDER = re.compile(r"(?<![\w./-])torchdoctor (?:install|hold|unhold|restore)\b")
_UNPINNED = re.compile(r"(?<=\s)(?<!--name )torch(?=\s|$)")
_PIP_INSTALL = re.compile(r"\b(?:pip|uv pip) install\b")
_RELEASE = re.compile(r"(?<=--torch )(\d[\w.]*)(?=\s|$)")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,60}")
# A full path without a blank, or anything that a shell reads as more than letters.
_PLAIN_PATH = re.compile(r"(?:/(?!\.\.)[A-Za-z0-9._+@-]{1,80}){1,20}")
_LOCAL = re.compile(r"cpu|xpu|cu\d{2,3}|rocm\d(?:\.\d){1,2}")


def rewrite_for_environment(command: str, evidence: Evidence) -> str:
    """Return the command with the live environment's interpreter and folder, or as it is for a pasted text.

    An environment without pip gets uv's command. What is done in a new environment is not done in this one.
    """
    command = pin_torch(command, evidence)
    # A version without a build is PyPI's, and so is what it comes from.
    if "+" not in (evidence.first("torch.version") or "+") and evidence.first("environment.prefix"):
        command = _OWN_INDEX.sub(r"\1", command)
    python, prefix = evidence.first("environment.python"), evidence.first("environment.prefix")
    if python is None or prefix is None or not f"{python}{prefix}".isprintable():
        return command
    windows = operating_system(evidence) == "windows"
    if _ELSEWHERE.search(command):
        return _BESIDE.sub(lambda _: quoted(f"{prefix}-new", windows=windows), command)
    interpreter, folder = quoted(python, windows=windows), quoted(prefix, windows=windows)
    if evidence.first("package.pip") is None:
        command = _PIP.sub(lambda match: f"uv pip {match[1]} --python {interpreter}", command)
    command = _UV.sub(lambda match: f"{match[0]} --python {interpreter}", command)
    # PowerShell calls a quoted program by `&`.
    program = f"& {interpreter}" if interpreter.startswith("'") and windows else interpreter
    command = _PYTHON.sub(lambda _: program, command)
    return _OF_FOLDER.sub(lambda match: f"{match[0]} {folder}", command)


def pin_torch(command: str, evidence: Evidence) -> str:
    """Return the command with the torch that is installed in place of any, where it is no change of torch.

    What is added to an environment is chosen for its torch, in its build. A bare `torchdoctor install` chooses anew:
    the same release in the build that fits, where there is one.
    """
    torch, build = torch_version(evidence), torch_build(evidence)
    if torch is None:
        return command
    local = f"+{build}" if build and _LOCAL.fullmatch(build) else ""
    if _INSTALL.search(command):
        if "--torch" not in command and "--with" in command:
            return _INSTALL.sub(lambda match: f"{match[0]} --torch {torch.public}{local}", command)
        if command == "torchdoctor install":
            plan = fitting_plan(evidence)
            same = plan is not None and plan.torch.version.public == torch.public
            return (
                f"{command} --torch {torch.public}+{plan.variant}" if plan is not None and same else command
            )
        return _RELEASE.sub(
            lambda match: f"{match[1]}{local}" if match[1] == torch.public else match[1], command
        )
    own = not _ELSEWHERE.search(command) and "--index-url" not in command
    if own and _PIP_INSTALL.search(command):
        return _UNPINNED.sub(f"torch=={torch.public}", command)
    return command


def is_plain_word(text: str) -> bool:
    """Whether a value from outside may stand in a command as it is: a name, a version, or a path of plain letters."""
    return (_PLAIN.fullmatch(text) or _PLAIN_PATH.fullmatch(text)) is not None


_TORCH_INSTALL = re.compile(
    r"\b(?:pip|conda|mamba) install\b[^\n;&|]*[\s\"'](?:py)?torch(?:[=<>~ ,\"']|$)|\btorchdoctor (?:install|restore)\b"
)
_TORCH_PIN = re.compile(r"\b(?:pip|uv pip) install\b[^\n;&|]*\storch==(\d[\w.]*)")


def installs_torch(command: str) -> bool:
    """Whether a command puts another torch into the environment that is there."""
    return " venv " not in command and _TORCH_INSTALL.search(command) is not None


def release_in(command: str) -> str | None:
    """Return the release of torch that a command installs, if it names one."""
    match = _TORCH_PIN.search(command)
    return match[1] if match else None
