"""Reads a pylock.toml (PEP 751) that anybody may have written: what it has for this machine, or why nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.core.urls import redact_url
from torchdoctor.core.wheelfile.member_names import device_name
from torchdoctor.errors import NoSolution, UsageError
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.lock.target import marker_environment
from torchdoctor.resolve.model import Plan, PlannedPackage
from wheels_index import COMPANIONS, Wheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.pylock import Package, PackageWheel, Pylock
    from packaging.tags import Tag

    from torchdoctor.detect import Machine

__all__ = ["plan_of_lock", "read_lock"]

_LIMIT = 16 * 1024 * 1024
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,250}\.whl")
_ANEW = message("make it anew on a machine with network: torchdoctor resolve --format pylock")


def read_lock(path: Path, *, machine: Machine, tags: Sequence[Tag]) -> Lock:
    """The files of the lock for this machine, each with its hash.

    Raises `UsageError` for a file that is no lock or names what no installer may touch, and `NoSolution` for one that
    is for another machine.
    """
    parsed = _parsed(path)
    _refuse_clashes(parsed, path)
    environment = marker_environment(machine)
    if parsed.environments and not any(
        row.evaluate(cast("dict[str, str | AbstractSet[str]]", environment)) for row in parsed.environments
    ):
        raise NoSolution(
            message(
                "{path} is a lock for {environments}, and this machine is {system} on {processor}",
                path=path,
                environments=joined(map(str, parsed.environments), " or "),
                system=environment["sys_platform"],
                processor=environment["platform_machine"],
            ),
            fix=_for_this_machine(machine),
            code="foreign-lock",
        )
    wheels = tuple(_selected(parsed, path, machine, tags))
    variant = _variant(parsed, wheels)
    return Lock(
        wheels=wheels,
        environment=str(parsed.environments[0]) if parsed.environments else None,
        requires_python=str(parsed.requires_python) if parsed.requires_python else None,
        variant=variant,
    )


def plan_of_lock(lock: Lock, path: Path) -> Plan:
    """The lock as a plan: torch and its companions, and that the lock says so."""
    rows = {row.name: row for row in lock.wheels}
    if "torch" not in rows:
        raise UsageError(
            message("{path} locks no torch, which is what torchdoctor installs", path=path),
            fix=message(
                "install it with `uv pip install -r {path}`, or make one with `torchdoctor resolve "
                "--format pylock`",
                path=path,
            ),
            code="bad-lock",
        )
    packages = []
    for name in ("torch", *COMPANIONS):
        if name in rows:
            row = rows[name]
            wheel = Wheel.from_filename(row.filename, url=row.url, sha256=row.sha256, size=row.size)
            source = redact_url(row.url).rpartition("/")[0]
            packages.append(
                PlannedPackage(name=name, version=wheel.version, known="listed", wheel=wheel, source=source)
            )
    return Plan(
        variant=lock.variant or "cpu",
        index_url=packages[0].source or "",
        packages=tuple(packages),
        reasons=(message("the lock {path} says so", path=path),),
    )


def _parsed(path: Path) -> Pylock:
    from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

    try:
        if not path.is_file():
            raise UsageError(
                message("there is no lock {path}", path=path),
                fix=message("name a pylock.toml that is there"),
                code="bad-lock",
            )
        with path.open("rb") as file:
            text = file.read(_LIMIT + 1)
        if len(text) > _LIMIT:
            raise _hostile(path, "it is larger than 16 MiB")
        document: dict[str, Any] = tomllib.loads(text.decode("utf-8"))
        _refuse_hashless(document, path)
        return Pylock.from_dict(document)
    except PylockUnsupportedVersionError as error:
        raise UsageError(
            message("{path} is of a newer format: {error}", path=path, error=error),
            fix=_ANEW,
            code="bad-lock",
        ) from error
    except (OSError, ValueError, RecursionError, PylockValidationError) as error:
        raise UsageError(
            message("{path} is not a lock that can be read: {error}", path=path, error=str(error)[:300]),
            fix=message("give a pylock.toml (PEP 751), such as `torchdoctor resolve --format pylock` prints"),
            code="bad-lock",
        ) from error


def _refuse_hashless(document: dict[str, Any], path: Path) -> None:
    """Named apart from other faults: such a lock is easily made, and nothing can be checked by it."""
    packages = document.get("packages")
    for package in packages if isinstance(packages, list) else ():
        wheels = package.get("wheels") if isinstance(package, dict) else None
        for wheel in wheels if isinstance(wheels, list) else ():
            hashes = wheel.get("hashes") if isinstance(wheel, dict) else None
            if not isinstance(hashes, dict) or not isinstance(hashes.get("sha256"), str):
                raise UsageError(
                    message(
                        "{path} gives no SHA-256 for a file of {name!r}, so that file could be anything",
                        path=path,
                        name=str(package.get("name"))[:80],
                    ),
                    fix=_ANEW,
                    code="lock-without-hashes",
                )


def _selected(parsed: Pylock, path: Path, machine: Machine, tags: Sequence[Tag]) -> Iterator[LockedWheel]:
    from packaging.pylock import PackageWheel, PylockSelectError

    try:
        for package, chosen in parsed.select(environment=marker_environment(machine), tags=list(tags)):
            if not isinstance(chosen, PackageWheel):
                raise UsageError(
                    message(
                        "{path} locks {name} as something other than a wheel, which would have to be built",
                        path=path,
                        name=package.name,
                    ),
                    fix=_ANEW,
                    code="bad-lock",
                )
            yield _locked(package, chosen, path)
    except PylockSelectError as error:
        label = f"Python {machine.python_label} on {machine.os} {machine.arch}"
        raise NoSolution(
            message("{path} is not for this machine ({label}): {error}", path=path, label=label, error=error),
            fix=_for_this_machine(machine),
            code="foreign-lock",
        ) from error


def _for_this_machine(machine: Machine) -> str:
    return message(
        "make one for this machine: torchdoctor resolve --format pylock --python {version}",
        version=machine.python.version.rpartition(".")[0] or machine.python.version,
    )


def _locked(package: Package, chosen: PackageWheel, path: Path) -> LockedWheel:
    place = chosen.url
    if place is None:
        place = _beside(path, chosen.path or "").as_uri()
    try:
        parts = urlsplit(place)
    except ValueError as error:
        raise _hostile(path, message("{place} is no URL", place=redact_url(place)[:200])) from error
    filename = unquote(parts.path).rpartition("/")[2]
    named = chosen.name or filename
    if not _SAFE_NAME.fullmatch(named) or any(device_name(part) for part in named.split("-")[:1]):
        raise _hostile(path, message("{named!r} is not the name of a wheel", named=named[:120]))
    if parts.scheme.lower() not in ("http", "https", "file"):
        raise _hostile(path, message("{place} is neither http(s) nor a file", place=redact_url(place)[:200]))
    if place.lower().startswith("file:") and filename != named:
        raise _hostile(
            path, message("{filename!r} is not the file {named!r}", filename=filename[:120], named=named)
        )
    try:
        project, version, _, _ = parse_wheel_filename(named)
    except InvalidWheelFilename as error:
        raise _hostile(path, message("{named!r} is not the name of a wheel", named=named[:120])) from error
    if project != package.name or (package.version is not None and package.version != version):
        raise _hostile(
            path,
            message(
                "{named} is not a file of {name} {version}",
                named=named,
                name=package.name,
                version=package.version or "",
            ),
        )
    digest = chosen.hashes["sha256"].lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise _hostile(path, message("{digest!r} is no SHA-256", digest=digest[:80]))
    if chosen.size is not None and chosen.size < 0:
        raise _hostile(path, message("{named} has a size below nothing", named=named))
    return LockedWheel(
        name=package.name, version=str(version), filename=named, url=place, sha256=digest, size=chosen.size
    )


def _beside(path: Path, name: str) -> Path:
    """A file in the lock's own folder or below it; a lock has no business elsewhere."""
    inner = PurePosixPath(name.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise _hostile(path, message("{name!r} is outside of its folder", name=name[:120]))
    return Path(path.absolute().parent, *inner.parts)


def _refuse_clashes(parsed: Pylock, path: Path) -> None:
    names: dict[str, str] = {}
    for package in parsed.packages:
        if canonicalize_name(package.name) != package.name:
            raise _hostile(path, message("{name!r} is not a name as locks write it", name=package.name[:80]))
        for wheel in package.wheels or ():
            name = wheel.name or unquote((wheel.url or wheel.path or "").rpartition("/")[2])
            other = names.setdefault(name.casefold(), name)
            if other != name:
                raise _hostile(
                    path,
                    message(
                        "{other!r} and {name!r} are one file where case does not count",
                        other=other[:120],
                        name=name[:120],
                    ),
                )


def _variant(parsed: Pylock, wheels: Sequence[LockedWheel]) -> str | None:
    """What torch's file is named after, else what we wrote into the lock."""
    torch = next((row for row in wheels if row.name == "torch"), None)
    named = Wheel.from_filename(torch.filename).variant if torch is not None else None
    table = (parsed.tool or {}).get("torchdoctor")
    said = table.get("variant") if isinstance(table, dict) else None
    return named or (said if isinstance(said, str) and re.fullmatch(r"[a-z0-9.-]{1,20}", said) else None)


def _hostile(path: Path, what: str) -> UsageError:
    return UsageError(
        message("{path} is not a lock to install from: {what}", path=path, what=what),
        fix=joined([message("look where it comes from"), _ANEW], "; "),
        code="bad-lock",
    )
