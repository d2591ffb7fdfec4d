"""Settings and files of Windows that decide whether torch can be installed and loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["WINDOWS_NAMES", "parse_paging_files", "parse_switch", "probe_windows"]

WINDOWS_NAMES = ("windows.long_paths", "windows.paging_files", "windows.runtime_missing")
# https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
_LONG_PATHS = (r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem", "LongPathsEnabled")
# An empty list is no paging file:
# https://learn.microsoft.com/windows-server/administration/performance-tuning/hardware/
_PAGING = (r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management", "PagingFiles")
# https://learn.microsoft.com/cpp/windows/determining-which-dlls-to-redistribute
_RUNTIME = ("vcruntime140.dll", "vcruntime140_1.dll", "msvcp140.dll")
_MAX_FILES = 26


def probe_windows(system: System, _python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `WINDOWS_NAMES`."""
    return {
        "windows.long_paths": _long_paths(system),
        "windows.paging_files": _paging_files(system),
        "windows.runtime_missing": _runtime_missing(system),
    }


def _long_paths(system: System) -> Fact[object]:
    key, name = _LONG_PATHS
    answer = system.run(["reg", "query", key, "/v", name])
    value = parse_switch(answer.stdout, name)
    return (
        unknown(answer.cause or message("it does not say"), "reg query")
        if value is None
        else found(value, "reg query")
    )


def _paging_files(system: System) -> Fact[object]:
    key, name = _PAGING
    answer = system.run(["reg", "query", key, "/v", name])
    files = parse_paging_files(answer.stdout)
    return (
        unknown(answer.cause or message("it does not say"), "reg query")
        if files is None
        else found(files, "reg query")
    )


def _runtime_missing(system: System) -> Fact[object]:
    """Files of the Visual C++ runtime that are not where its installer puts them."""
    folder = rf"{system.environ.get('SystemRoot') or 'C:' + chr(92) + 'Windows'}\System32"
    if not system.exists(folder):
        return unknown(message("it cannot be read"), "System32")
    missing = tuple(name for name in _RUNTIME if not system.exists(rf"{folder}\{name}"))
    return found(missing, "System32") if missing else absent("System32", why=message("it is there"))


def parse_switch(text: str, name: str) -> bool | None:
    """Return whether `reg query` says that a number is 1; None for no such line.

    >>> parse_switch("    LongPathsEnabled    REG_DWORD    0x1", "LongPathsEnabled")
    True
    """
    match = re.search(
        rf"^\s+{name}\s+REG_DWORD\s+0x([0-9a-f]{{1,8}})\s*$", text, re.MULTILINE | re.IGNORECASE
    )
    return None if match is None else int(match[1], 16) == 1


def parse_paging_files(text: str) -> tuple[str, ...] | None:
    r"""Return the paging files that `reg query` lists, none for a machine without; None for no such line.

    Several stand on one line, with the two characters \0 between them; ? as drive is one that Windows manages.

    >>> parse_paging_files(r"    PagingFiles    REG_MULTI_SZ    ?:\pagefile.sys")
    ('?:\\pagefile.sys',)
    """
    match = re.search(
        r"^[ \t]+PagingFiles[ \t]+REG_MULTI_SZ[ \t]*([^\r\n]{0,2000})\r?$", text, re.MULTILINE | re.IGNORECASE
    )
    if match is None:
        return None
    rows = (sanitize_line(row, limit=120) for row in re.split(r"\\0|\0", match[1]))
    return tuple(row for row in rows if row)[:_MAX_FILES]
