"""A pylock.toml (PEP 751) that anybody may have written -> the files that it has for one machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.markers import marker_holds
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import NoSolution, UsageError
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.lock.pylock_file import parse_pylock
from torchdoctor.lock.target import marker_environment
from torchdoctor.lock.untrusted import NEW_LOCK, checked_wheel, refuse_clashing_names
from torchdoctor.resolve import Plan, PlannedPackage
from wheels_index import TORCH_PROJECTS, Wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from packaging.pylock import Pylock
    from packaging.tags import Tag

    from torchdoctor.detect import Machine

__all__ = ["plan_of_lock", "read_lock"]

_VARIANT = re.compile(r"[a-z0-9.-]{1,20}")


def read_lock(path: Path, *, machine: Machine, tags: Sequence[Tag]) -> Lock:
    """Return the files of the lock for this machine, each with its hash.

    Raises `UsageError` for a file that is no lock or that names what no installer may touch, and `NoSolution` for
    a lock for other machines.
    """
    parsed = parse_pylock(path)
    refuse_clashing_names(parsed, path)
    _refuse_other_environment(parsed, path, machine)
    wheels = tuple(_select(parsed, path, machine, tags))
    return Lock(
        wheels=wheels,
        environment=str(parsed.environments[0]) if parsed.environments else None,
        requires_python=str(parsed.requires_python) if parsed.requires_python else None,
        variant=_variant(parsed, wheels),
    )


def plan_of_lock(lock: Lock, path: Path) -> Plan:
    """Return the lock as a plan of torch and its companions; raises `UsageError` for a lock without torch."""
    wheels = {wheel.name: wheel for wheel in lock.wheels}
    if "torch" not in wheels:
        raise UsageError(
            message("{path} locks no torch, which is what torchdoctor installs", path=path),
            fix=message(
                "install it with `uv pip install -r {path}`, or make one with `torchdoctor resolve "
                "--format pylock`",
                path=path,
            ),
            code="bad-lock",
        )
    packages = tuple(_planned(wheels[name]) for name in TORCH_PROJECTS if name in wheels)
    return Plan(
        variant=lock.variant or "cpu",
        index_url=packages[0].source or "",
        packages=packages,
        reasons=(message("the lock {path} says so", path=path),),
    )


def _planned(locked: LockedWheel) -> PlannedPackage:
    wheel = Wheel.from_filename(locked.filename, url=locked.url, sha256=locked.sha256, size=locked.size)
    source = redact_url(locked.url).rpartition("/")[0]
    return PlannedPackage(name=locked.name, version=wheel.version, known="listed", wheel=wheel, source=source)


def _refuse_other_environment(parsed: Pylock, path: Path, machine: Machine) -> None:
    environment = marker_environment(machine)
    values = cast("dict[str, str | AbstractSet[str]]", environment)
    if not parsed.environments or any(marker_holds(marker, values) for marker in parsed.environments):
        return
    raise NoSolution(
        message(
            "{path} is a lock for {environments}, and this machine is {system} on {processor}",
            path=path,
            environments=joined(map(str, parsed.environments), " or "),
            system=environment["sys_platform"],
            processor=environment["platform_machine"],
        ),
        fix=_make_for_this_machine(machine),
        code="foreign-lock",
    )


def _select(parsed: Pylock, path: Path, machine: Machine, tags: Sequence[Tag]) -> Iterator[LockedWheel]:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.pylock import PackageWheel, PylockSelectError
    from packaging.version import InvalidVersion

    try:
        for package, file in parsed.select(environment=marker_environment(machine), tags=list(tags)):
            if not isinstance(file, PackageWheel):
                raise UsageError(
                    message(
                        "{path} locks {name} as something other than a wheel, which would have to be built",
                        path=path,
                        name=package.name,
                    ),
                    fix=NEW_LOCK,
                    code="bad-lock",
                )
            yield checked_wheel(package, file, path)
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion) as error:
        raise UsageError(
            message("a marker in {path} compares what cannot be compared: {error}", path=path, error=error),
            fix=NEW_LOCK,
            code="bad-lock",
        ) from error
    except PylockSelectError as error:
        label = f"Python {machine.python_label} on {machine.os} {machine.arch}"
        raise NoSolution(
            message("{path} is not for this machine ({label}): {error}", path=path, label=label, error=error),
            fix=_make_for_this_machine(machine),
            code="foreign-lock",
        ) from error


def _make_for_this_machine(machine: Machine) -> str:
    return message(
        "make one for this machine: torchdoctor resolve --format pylock --python {version}",
        version=machine.python.version.rpartition(".")[0] or machine.python.version,
    )


def _variant(parsed: Pylock, wheels: Sequence[LockedWheel]) -> str | None:
    """The variant in the name of torch's file, else the one that torchdoctor wrote into the lock."""
    torch = next((wheel for wheel in wheels if wheel.name == "torch"), None)
    named = Wheel.from_filename(torch.filename).variant if torch is not None else None
    table = (parsed.tool or {}).get("torchdoctor")
    written = table.get("variant") if isinstance(table, dict) else None
    return named or (written if isinstance(written, str) and _VARIANT.fullmatch(written) else None)
