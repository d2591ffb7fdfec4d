"""The options that describe a machine, this one or another, and the machine that they mean."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torchdoctor.cli.options import AsTyped
from torchdoctor.cli.param_types import DRIVER, GPU, LIBC, PLATFORM, PYTHON_VERSION
from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.detect import Machine
    from torchdoctor.lock.target import Target

__all__ = ["MachineAsked", "machine_asked", "machine_options", "target_asked"]

_SIZE = 4 * 1024 * 1024
_NAMES = ("python", "machine_file", "platform", "python_version", "driver", "gpus", "libc")

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineAsked:
    """What the options say; with none of them it is this machine."""

    python: str | None = None
    machine_file: str | None = None
    platform: str | None = None
    python_version: str | None = None
    driver: str | None = None
    gpus: tuple[str, ...] = ()
    libc: str | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether packages are for another Python than one that runs here."""
        return any((self.machine_file, self.platform, self.python_version, self.libc))


def machine_options(function: F) -> F:
    """`--python`, `--machine`, `--platform` and so on, handed on as one `asked`."""

    @click.option("--python", metavar="VERSION|PATH|NAME", help="The Python to choose for.")
    @click.option(
        "--machine", "machine_file", cls=AsTyped, metavar="FILE|-", help="Another machine, as contract JSON."
    )
    @click.option(
        "--platform",
        type=PLATFORM,
        metavar="TAG",
        help="Another machine: win_amd64, linux_aarch64, macosx_14_0_arm64, ...",
    )
    @click.option(
        "--python-version", type=PYTHON_VERSION, metavar="X.Y[t]", help="Its Python; this one's without it."
    )
    @click.option("--driver", type=DRIVER, metavar="VERSION", help="Its NVIDIA driver.")
    @click.option(
        "--gpu",
        "gpus",
        cls=AsTyped,
        type=GPU,
        multiple=True,
        metavar="NAME",
        help="Its GPU: a name, 8.9 or gfx1100. Once for each.",
    )
    @click.option("--libc", type=LIBC, metavar="NAMEX.Y", help="Its C library: glibc2.28, musl1.2.")
    @functools.wraps(function)
    def with_asked(*args: Any, **kwargs: Any) -> Any:
        asked = MachineAsked(**{name: kwargs.pop(name) for name in _NAMES})
        return function(*args, asked=asked, **kwargs)

    return with_asked  # type: ignore[return-value]


def target_asked(asked: MachineAsked, machine: Machine) -> Target | None:
    """How uv names the machine where its packages are for another Python than one that is here."""
    from torchdoctor.lock.target import target_of

    return target_of(machine) if asked.elsewhere else None


def machine_asked(asked: MachineAsked) -> Machine:
    """The machine of the file, of the description, or this one, with what the options say of it changed."""
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import Machine, detect, find_python
    from torchdoctor.detect.from_options import machine_from_options

    described = (asked.platform, asked.python_version, asked.driver, asked.libc, *asked.gpus)
    given = [text for text in described if text is not None]
    if asked.machine_file is not None:
        if given or asked.python:
            raise UsageError(
                message("--machine describes a whole machine, and other options describe one as well"),
                fix=message(
                    "leave out --machine, or --platform, --python, --python-version, --driver, --gpu and --libc"
                ),
            )
        return Machine.from_json(_read(asked.machine_file))
    if asked.python is not None and asked.python_version is not None:
        raise UsageError(
            message("--python and --python-version both say for which Python"),
            fix=message("leave one of them out"),
        )
    facts: dict[str, Any] = {"driver": asked.driver, "gpus": asked.gpus, "libc": asked.libc}
    if asked.platform is not None:
        version = asked.python_version or asked.python or ".".join(map(str, sys.version_info[:3]))
        return machine_from_options(platform=asked.platform, python_version=version, **facts)
    system = host_system(os.environ)
    here = detect(system, python=find_python(system, asked.python)).machine
    if not given:
        return here
    version = asked.python_version or here.python_label
    other = machine_from_options(platform="linux", python_version=version, **facts)
    if asked.python_version:
        here = replace(here, python=replace(other.python, bits=here.python.bits))
    if asked.libc:
        here = replace(here, libc=other.libc)
    if asked.gpus or asked.driver:
        here = replace(here, nvidia=other.nvidia, amd=other.amd, intel=other.intel)
    return here


def _read(name: str) -> Any:
    import json

    try:
        text = sys.stdin.read(_SIZE + 1) if name == "-" else _head(Path(name))
        if len(text) > _SIZE:
            raise UsageError(
                message("{file} is larger than 4 MiB, which no machine's description is", file=name),
                fix=message("check the file"),
            )
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            message("--machine {file} cannot be read: {why}", file=name, why=error),
            fix=message("give a file that `torchdoctor report --format json` or `resolve --json` wrote"),
        ) from error


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SIZE + 1).decode("utf-8")
