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
from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.detect import Machine
    from torchdoctor.lock.target import Target

__all__ = ["MachineOptions", "lock_target", "machine_of", "machine_options", "read_machine"]

_MAX_CHARACTERS = 4 * 1024 * 1024
_NAMES = ("python", "machine_file", "platform", "python_version", "driver", "gpus", "libc")

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineOptions:
    """The options that describe a machine, as they were typed; with none of them it is this machine."""

    python: str | None = None  # an interpreter here: a path, an environment, a version
    machine_file: str | None = None  # a JSON file, or - for standard input
    platform: str | None = None  # a wheel's platform tag
    python_version: str | None = None
    driver: str | None = None  # the version of the NVIDIA driver
    gpus: tuple[str, ...] = ()  # each a name, a compute capability or a gfx target
    libc: str | None = None  # its name and version: glibc2.28

    @property
    def elsewhere(self) -> bool:
        """Whether packages are for another Python than one that runs here."""
        return any((self.machine_file, self.platform, self.python_version, self.libc))

    @property
    def describes(self) -> bool:
        """Whether they describe the machine itself, and not only choose an interpreter."""
        texts = (self.platform, self.python_version, self.driver, self.libc, *self.gpus)
        return any(text is not None for text in texts)


def machine_options(function: F) -> F:
    """`--python`, `--machine`, `--platform` and so on, which become one `described`."""

    @click.option("--python", metavar="VERSION|PATH|NAME", help="The Python to choose for.")
    @click.option(
        "--machine",
        "machine_file",
        cls=AsTyped,
        metavar="FILE|-",
        help="Another machine, as JSON of `report` or `resolve`.",
    )
    @click.option(
        "--platform",
        type=PLATFORM,
        metavar="TAG",
        help="Another machine: win_amd64, linux_aarch64, macosx_14_0_arm64, ...",
    )
    @click.option(
        "--python-version", type=PYTHON_VERSION, metavar="X.Y[t]", help="Its Python; by default this one's."
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
    def with_described(*args: Any, **kwargs: Any) -> Any:
        described = MachineOptions(**{name: kwargs.pop(name) for name in _NAMES})
        return function(*args, described=described, **kwargs)

    return with_described  # type: ignore[return-value]


def lock_target(options: MachineOptions, machine: Machine) -> Target | None:
    """Return how uv names the machine, if the packages are for another Python than one that runs here."""
    from torchdoctor.lock.target import target_of

    return target_of(machine) if options.elsewhere else None


def machine_of(options: MachineOptions) -> Machine:
    """Return the machine of the file or of the description, or this one with what the options change.

    Raises `UsageError` for options that contradict each other or describe no machine, `EnvironmentUnusable` for a
    Python that does not run.
    """
    from torchdoctor.detect import machine_from_options

    _refuse_contradictions(options)
    if options.machine_file is not None:
        return read_machine(options.machine_file)
    if options.platform is not None:
        version = options.python_version or options.python or ".".join(map(str, sys.version_info[:3]))
        return machine_from_options(platform=options.platform, python_version=version, **_hardware(options))
    return _this_machine(options)


def read_machine(name: str) -> Machine:
    """Return the machine of a file, or of standard input where its name is `-`.

    Raises `UsageError` for a file that cannot be read, or that describes no machine.
    """
    from torchdoctor.detect import Machine

    return Machine.from_json(_read_json(name))


def _refuse_contradictions(options: MachineOptions) -> None:
    if options.machine_file is not None and (options.describes or options.python):
        raise UsageError(
            message("--machine describes a whole machine, and other options describe one as well"),
            fix=message(
                "leave out --machine, or --platform, --python, --python-version, --driver, --gpu and --libc"
            ),
        )
    if options.python is not None and options.python_version is not None:
        raise UsageError(
            message("--python and --python-version both say for which Python"),
            fix=message("leave one of them out"),
        )


def _this_machine(options: MachineOptions) -> Machine:
    """Detect this machine, and replace what the options describe."""
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import detect, find_python, machine_from_options

    system = host_system(os.environ)
    machine = detect(system, python=find_python(system, options.python)).machine
    if not options.describes:
        return machine
    version = options.python_version or machine.python_label
    other = machine_from_options(platform="linux", python_version=version, **_hardware(options))
    if options.python_version:
        machine = replace(machine, python=replace(other.python, bits=machine.python.bits))
    if options.libc:
        machine = replace(machine, libc=other.libc)
    if options.gpus or options.driver:
        machine = replace(
            machine, nvidia=other.nvidia, amd=other.amd, intel=other.intel, apple=other.apple or machine.apple
        )
    return machine


def _hardware(options: MachineOptions) -> dict[str, Any]:
    return {"driver": options.driver, "gpus": options.gpus, "libc": options.libc}


def _read_json(name: str) -> Any:
    import json

    try:
        text = sys.stdin.read(_MAX_CHARACTERS + 1) if name == "-" else _head(Path(name))
        if len(text) > _MAX_CHARACTERS:
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
    with open_regular(path) as file:
        return file.read(_MAX_CHARACTERS + 1).decode("utf-8")
