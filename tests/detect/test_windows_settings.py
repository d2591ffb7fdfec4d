"""Windows' settings and files, as `reg query` prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.detect.host.windows_settings import parse_paging_files, parse_switch, probe_windows

FILE_SYSTEM = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\FileSystem"
MEMORY = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management"
LONG_PATHS = f"\r\n{FILE_SYSTEM}\r\n    LongPathsEnabled    REG_DWORD    0x%s\r\n\r\n"
PAGING = f"\r\n{MEMORY}\r\n    PagingFiles    REG_MULTI_SZ    %s\r\n\r\n"
WINDOWS = paper_python(sys_platform="win32", platform="win-amd64", machine="AMD64", libc=None)
SYSTEM32 = r"C:\Windows\System32"


def facts(**world):
    return probe_windows(RecordedSystem(**world), WINDOWS)


@pytest.mark.parametrize(("number", "on"), [("1", True), ("0", False)])
def test_long_paths_are_a_switch(number, on):
    """1 is on; what cannot be read is unknown."""
    commands = {"reg query HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem": said(LONG_PATHS % number)}
    assert facts(commands=commands)["windows.long_paths"].value is on
    assert facts()["windows.long_paths"].state == "unknown"
    assert facts(commands={"reg query": said("ERROR: ", status=1)})["windows.long_paths"].state == "unknown"


@pytest.mark.parametrize(
    ("value", "files"),
    [
        (r"?:\pagefile.sys", (r"?:\pagefile.sys",)),
        (
            r"C:\pagefile.sys 0 0\0D:\pagefile.sys 4096 8192",
            (r"C:\pagefile.sys 0 0", r"D:\pagefile.sys 4096 8192"),
        ),
        ("", ()),
    ],
)
def test_paging_files_are_listed(value, files):
    """Several have two characters between them; an empty list is none."""
    key = r"reg query HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management"
    assert facts(commands={key: said(PAGING % value)})["windows.paging_files"].value == files


def test_files_of_the_runtime_that_are_missing_are_named():
    """Only where Windows' folder can be seen."""
    there = {f"{SYSTEM32}/kernel32.dll".replace("/", "\\"): "", f"{SYSTEM32}\\vcruntime140.dll": ""}
    # The recorded system knows a folder by its files, with slashes.
    folder = {f"{SYSTEM32}/x": ""}
    fact = facts(files={**there, **folder})["windows.runtime_missing"]
    assert fact.value == ("vcruntime140_1.dll", "msvcp140.dll")
    assert facts()["windows.runtime_missing"].state == "unknown"


@given(st.text(max_size=200))
def test_no_answer_of_reg_fails(text):
    """What is not understood is unknown."""
    assert parse_switch(text, "LongPathsEnabled") in (None, True, False)
    files = parse_paging_files(text)
    assert files is None or all(isinstance(row, str) and row for row in files)
