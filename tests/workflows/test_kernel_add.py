"""The name that a notebook's menu shows is no other kernel's."""

from __future__ import annotations

import json

from torchdoctor.core.system import host_system
from torchdoctor.workflows.kernel_add import free_display_name


def _system(tmp_path, **kernels):
    for name, title in kernels.items():
        folder = tmp_path / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps({"argv": ["python"], "display_name": title}))
    environ = {"JUPYTER_PATH": str(tmp_path), "HOME": str(tmp_path / "home"), "PATH": ""}
    return host_system(environ)


def test_a_name_is_made_from_torch_s_version(tmp_path):
    """Release and build."""
    assert free_display_name("2.9.1+cu128", "demo", _system(tmp_path)) == "Python (PyTorch 2.9.1 cu128)"


def test_a_name_that_another_kernel_has_is_told_apart(tmp_path):
    """By the kernel's own name."""
    taken = _system(tmp_path, other="Python (PyTorch 2.9.1 cu128)")
    name = free_display_name("2.9.1+cu128", "demo", taken)
    assert name != "Python (PyTorch 2.9.1 cu128)"
    assert "demo" in name


def test_a_kernel_keeps_its_own_name(tmp_path):
    """Registered again, it is not told apart from itself."""
    own = _system(tmp_path, demo="Python (PyTorch 2.9.1 cu128)")
    assert free_display_name("2.9.1+cu128", "demo", own) == "Python (PyTorch 2.9.1 cu128)"
