"""How a program that starts pip itself keeps the torch that was chosen: sentences, and lines to take over."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from wheels_index import variant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torchdoctor.detect import Machine
    from torchdoctor.project.launchers import Launcher
    from torchdoctor.resolve import Plan

__all__ = ["AdviceStep", "launcher_advice"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AdviceStep:
    """One step."""

    text: str
    command: str | None = None  # to be typed, or a line of a file
    file: str | None = None  # the file of the program in which the line stands


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    launcher: Launcher
    folder: Path
    plan: Plan
    machine: Machine
    pip_words: tuple[str, ...]  # of the command that installs the plan

    @property
    def environment(self) -> str:
        """The environment that the program uses."""
        return self.launcher.environment or ".venv"


def launcher_advice(
    launcher: Launcher, folder: Path, plan: Plan, machine: Machine, *, pip_words: tuple[str, ...]
) -> tuple[AdviceStep, ...]:
    """Return the steps for one machine; `pip_words` are the command that installs the plan with pip."""
    case = _Case(launcher=launcher, folder=folder, plan=plan, machine=machine, pip_words=pip_words)
    steps: dict[str, Callable[[_Case], list[AdviceStep]]] = {
        "torch-command": _torch_command,
        "requirements": _requirements,
        "pinned-requirements": _pinned_requirements,
        "own-choice": _own_choice,
        "torch-backend": _torch_backend,
    }
    return (*steps[launcher.mechanism](case), *_hold(case))


def _hold(case: _Case) -> list[AdviceStep]:
    """What the program installs later with pip stays within the family too."""
    if case.launcher.mechanism not in ("torch-command", "requirements", "pinned-requirements"):
        return []
    return [
        AdviceStep(
            text=message("afterwards, keep torch in its family there, whatever is installed later"),
            command=f"torchdoctor hold {case.environment}",
        )
    ]


def _torch_command(case: _Case) -> list[AdviceStep]:
    """It runs `python -m $TORCH_COMMAND` where torch or torchvision is missing, and never where both are there."""
    launcher = case.launcher
    is_windows = case.machine.os == "windows"
    words = " ".join(_quoted(word, is_windows=is_windows) for word in case.pip_words)
    file = launcher.settings.get(case.machine.os)
    set_variable = (
        f"set TORCH_COMMAND={words}" if is_windows else f"export TORCH_COMMAND={shlex.quote(words)}"
    )
    steps = [
        AdviceStep(
            text=message("before its first start, say what {name} installs torch with", name=launcher.name),
            command=set_variable,
            file=file,
        )
    ]
    if launcher.torch is not None:
        steps.append(
            AdviceStep(
                text=message(
                    "TORCH_INDEX_URL alone is not enough: it changes the index, and torch stays {torch}",
                    torch=launcher.torch,
                )
            )
        )
    steps.append(
        AdviceStep(
            text=message("where it has installed another torch already, start it once so"),
            command=f"{_start(case)} {launcher.reinstall}",
        )
        if launcher.reinstall
        else AdviceStep(
            text=message("where it has installed another torch already, remove that first"),
            command="pip uninstall torch torchvision",
        )
    )
    return steps


def _quoted(word: str, *, is_windows: bool) -> str:
    """The word as the shell takes it that runs the variable: `numpy<2` must not become a redirection."""
    if not is_windows:
        return shlex.quote(word)
    return f'"{word}"' if any(sign in word for sign in "<>&|^ ") else word


def _start(case: _Case) -> str:
    script = "webui.bat" if case.machine.os == "windows" else "./webui.sh"
    return script if case.launcher.settings else "python launch.py"


def _requirements(case: _Case) -> list[AdviceStep]:
    """torch stands in its requirements without a version, so pip leaves the one that is there."""
    file = case.launcher.requirements.get(case.machine.os, "requirements.txt")
    steps = [
        AdviceStep(
            text=message(
                "install torch and the rest together; {file} names torch without a version, so pip keeps it later",
                file=file,
            ),
            command=f"torchdoctor install {case.environment} -r {file}",
        )
    ]
    manager = case.launcher.manager
    if manager is not None and (case.folder / manager).is_dir():
        steps.append(
            AdviceStep(
                text=message(
                    "{manager} keeps torch, torchvision and torchaudio when it installs nodes, and puts a torch that "
                    "was replaced back by its version and build",
                    manager=manager.rpartition("/")[2],
                )
            )
        )
    return steps


def _pinned_requirements(case: _Case) -> list[AdviceStep]:
    """Its set-up installs a file with an exact torch; another one is written into that file."""
    launcher, plan = case.launcher, case.plan
    file = launcher.requirements.get(case.machine.os)
    steps = []
    if file is not None:
        lines = "\n".join(
            [
                f"--extra-index-url {plan.index_url}",
                *(
                    f"{package.name}=={package.version}"
                    for package in plan.packages
                    if package.name != "torchaudio"
                ),
            ]
        )
        steps.append(
            AdviceStep(
                text=message(
                    "its set-up installs torch {torch} from {index}; for another one, put these lines in the place of "
                    "those for the index, torch and torchvision",
                    torch=launcher.torch,
                    index=launcher.index,
                ),
                command=lines,
                file=file,
            )
        )
    if launcher.uv_start is not None:
        steps.append(
            AdviceStep(
                text=message(
                    "{script} syncs the project without an extra; with this it takes the environment as it is",
                    script=launcher.uv_start,
                ),
                command=f"UV_NO_SYNC=1 ./{launcher.uv_start}",
            )
        )
    return steps


def _own_choice(case: _Case) -> list[AdviceStep]:
    """It installs its own torch, which its other wheels are built for; only the kind of GPU can be chosen."""
    launcher = case.launcher
    kind = "apple" if case.machine.os == "macos" else variant(case.plan.variant).kind
    letter = launcher.choices.get(kind)
    its_own = launcher.variants.get(kind)
    steps = [
        AdviceStep(
            text=message(
                "it installs torch {torch} itself, and each update puts that back; its other wheels are built for it",
                torch=launcher.torch,
            )
        )
    ]
    if letter is not None and launcher.variable is not None:
        set_variable = "set " if case.machine.os == "windows" else "export "
        steps.append(
            AdviceStep(
                text=message("so choose the kind of build by its variable, before the first start"),
                command=f"{set_variable}{launcher.variable}={letter}",
            )
        )
    if its_own is not None and case.plan.variant != its_own:
        steps.append(
            AdviceStep(
                text=message(
                    "for this machine {variant} would be chosen, and it takes {own}: see "
                    "`torchdoctor resolve --variant {own} --torch {torch}`",
                    variant=case.plan.variant,
                    own=its_own,
                    torch=launcher.torch,
                )
            )
        )
    return steps


def _torch_backend(case: _Case) -> list[AdviceStep]:
    """It is installed with uv, which takes torch and its companions from the family's index."""
    command = f"uv pip install --upgrade {case.launcher.package} --torch-backend={case.plan.variant}"
    return [
        AdviceStep(
            text=message("install and update it with the family's name, which uv keeps to"), command=command
        )
    ]
