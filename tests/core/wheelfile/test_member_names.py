"""Names that come from elsewhere and become paths."""

from __future__ import annotations

import pytest

from torchdoctor.core.wheelfile.member_names import device_name, is_safe_wheel_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("torch-2.9.1+cu128-cp312-cp312-linux_x86_64.whl", True),
        ("../torch-2.9.1-py3-none-any.whl", False),
        ("a/b-1-py3-none-any.whl", False),
        (".hidden.whl", False),
        ("torch-2.9.1.tar.gz", False),
        (f"{'a' * 252}.whl", False),
    ],
)
def test_a_wheel_s_name_leads_nowhere_else(name, safe):
    """No folder, no hidden file, no other suffix, nothing that is too long."""
    assert is_safe_wheel_name(name) is safe


@pytest.mark.parametrize(
    ("part", "device"), [("NUL", True), ("aux.py", True), ("com1", True), ("console", False)]
)
def test_a_device_of_windows_is_known_with_any_suffix(part, device):
    """https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file."""
    assert device_name(part) is device
