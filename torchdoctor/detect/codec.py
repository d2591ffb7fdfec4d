"""A machine to and from JSON, the format that `report` writes and `--machine` reads."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, cast

from torchdoctor.core.i18n.messages import message
from torchdoctor.detect.model import (
    Amd,
    AmdGpu,
    Apple,
    Intel,
    IntelGpu,
    Libc,
    Machine,
    Nvidia,
    NvidiaGpu,
    Python,
)
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.detect.model import OperatingSystem

__all__ = ["GPU_LIMIT", "SCHEMA", "from_json", "to_json"]

SCHEMA = 1
GPU_LIMIT = 1024
_MEMORY_LIMIT = 1 << 30
_VERSION = r"\d{1,5}(\.\d{1,6}){0,4}"
_PYTHON = r"[23]\.\d{1,3}(\.\d{1,3})?((a|b|rc)\d{1,3})?\+?"


def to_json(machine: Machine) -> dict[str, Any]:
    """Every field, in the order of the contract; unknown is null."""
    return {
        "os": machine.os,
        "os_version": machine.os_version,
        "arch": machine.arch,
        "libc": asdict(machine.libc) if machine.libc else None,
        "wsl": machine.wsl,
        "container": machine.container,
        "python": {
            "implementation": machine.python.implementation,
            "version": machine.python.version,
            "free_threaded": machine.python.free_threaded,
            "bits": machine.python.bits,
        },
        "nvidia": _gpus(machine.nvidia),
        "amd": _gpus(machine.amd),
        "intel": _gpus(machine.intel),
        "apple": asdict(machine.apple) if machine.apple else None,
    }


def _gpus(part: Nvidia | Amd | Intel | None) -> dict[str, Any] | None:
    if part is None:
        return None
    plain = asdict(part)
    return {**plain, "gpus": list(plain["gpus"])}


def from_json(document: Any) -> Machine:
    """Read what `to_json` writes. Fields that are not there are unknown, fields it does not know are left.

    Of a document that holds a machine under `machine`, such as a whole report, that one is read. A `schema`, where
    it is said, must be one that is known. Raises `UsageError` with the path of the field that is wrong.
    """
    whole = _Table(document, "")
    whole.integer("schema", (SCHEMA,))
    top = whole.table("machine", lambda table: table) or whole
    return Machine(
        os=cast("OperatingSystem", top.one_of("os", ("linux", "windows", "macos"))),
        os_version=top.text("os_version"),
        arch=top.matching("arch", r"[a-z0-9_]{1,32}", "x86_64", required=True) or "",
        libc=top.table("libc", _libc),
        wsl=top.flag("wsl"),
        container=top.text("container"),
        python=top.table("python", _python, required=True) or Python(version="3"),
        nvidia=top.table("nvidia", _nvidia),
        amd=top.table("amd", _amd),
        intel=top.table("intel", _intel),
        apple=top.table("apple", _apple),
    )


def _libc(table: _Table) -> Libc:
    name = cast('Literal["glibc", "musl"]', table.one_of("name", ("glibc", "musl")))
    return Libc(name=name, version=table.matching("version", _VERSION, "2.35"))


def _python(table: _Table) -> Python:
    return Python(
        version=table.matching("version", _PYTHON, "3.12.4", required=True) or "",
        implementation=table.matching("implementation", r"[a-z][a-z0-9_]{0,31}", "cpython") or "cpython",
        free_threaded=table.flag("free_threaded"),
        bits=table.integer("bits", (32, 64)) or 64,
    )


def _nvidia(table: _Table) -> Nvidia:
    return Nvidia(
        driver=table.matching("driver", _VERSION, "550.54.15"), gpus=table.rows("gpus", _nvidia_gpu)
    )


def _nvidia_gpu(table: _Table) -> NvidiaGpu:
    return NvidiaGpu(
        name=table.text("name", required=True) or "",
        compute_capability=table.matching("compute_capability", r"\d{1,2}\.\d", "8.9"),
        memory_mib=table.integer("memory_mib", range(1, _MEMORY_LIMIT)),
    )


def _amd(table: _Table) -> Amd:
    return Amd(driver=table.matching("driver", _VERSION, "6.10.5"), gpus=table.rows("gpus", _amd_gpu))


def _amd_gpu(table: _Table) -> AmdGpu:
    return AmdGpu(name=table.text("name"), gfx=table.matching("gfx", r"gfx[0-9a-f]{3,6}", "gfx1100"))


def _intel(table: _Table) -> Intel:
    return Intel(gpus=table.rows("gpus", lambda row: IntelGpu(name=row.text("name", required=True) or "")))


def _apple(table: _Table) -> Apple:
    return Apple(chip=table.text("chip", required=True) or "")


class _Table:
    """One JSON object and its path, so that a complaint can name the field."""

    def __init__(self, value: Any, path: str) -> None:
        self._path = path
        if not isinstance(value, dict):
            raise _wrong(path or "the machine", "an object", value)
        self._value = value

    def _get(self, key: str, expected: str, *, required: bool = False) -> Any:
        value = self._value.get(key)
        if value is None and required:
            raise _wrong(self._at(key), expected, value)
        return value

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def text(self, key: str, *, required: bool = False) -> str | None:
        return self.matching(key, r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}", "a short text", required=required)

    def matching(self, key: str, pattern: str, example: str, *, required: bool = False) -> str | None:
        expected = example if " " in example else f'"{example}"'
        value = self._get(key, expected, required=required)
        if value is None or (isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII)):
            return value
        raise _wrong(self._at(key), expected, value)

    def one_of(self, key: str, names: tuple[str, ...]) -> str:
        expected = " or ".join(f'"{name}"' for name in names)
        value = self._get(key, expected, required=True)
        if isinstance(value, str) and value in names:
            return value
        raise _wrong(self._at(key), expected, value)

    def flag(self, key: str) -> bool:
        value = self._get(key, "true or false")
        if value is None or isinstance(value, bool):
            return bool(value)
        raise _wrong(self._at(key), "true or false", value)

    def integer(self, key: str, allowed: range | tuple[int, ...]) -> int | None:
        value = self._get(key, "")
        if value is None or (type(value) is int and value in allowed):
            return value
        if isinstance(allowed, range):
            raise _wrong(
                self._at(key),
                message("a whole number from {least} to {most}", least=allowed[0], most=allowed[-1]),
                value,
            )
        raise _wrong(self._at(key), " or ".join(map(str, allowed)), value)

    def table(self, key: str, read: Callable[[_Table], Any], *, required: bool = False) -> Any:
        value = self._get(key, "an object", required=required)
        return None if value is None else read(_Table(value, self._at(key)))

    def rows(self, key: str, read: Callable[[_Table], Any]) -> tuple[Any, ...]:
        value = self._get(key, "a list")
        if value is None:
            return ()
        if not isinstance(value, list):
            raise _wrong(self._at(key), "a list", value)
        if len(value) > GPU_LIMIT:
            raise _wrong(
                self._at(key),
                message("at most {limit} entries", limit=GPU_LIMIT),
                f"{len(value)} entries",
            )
        return tuple(read(_Table(row, f"{self._at(key)}[{place}]")) for place, row in enumerate(value))


def _wrong(path: str, expected: str, value: Any) -> UsageError:
    shown = "nothing" if value is None else _short(value)
    return UsageError(
        message(
            "the machine's description cannot be used: {path}: expected {expected}, found {shown}",
            path=path,
            expected=expected,
            shown=shown,
        ),
        fix=message(
            "correct that field, or write the description anew with `torchdoctor report --format json`"
        ),
        code="bad-machine",
    )


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**20:
        return "a huge number"
    return f"{value!r:.60}" if isinstance(value, str) else f"{value}"[:60]
