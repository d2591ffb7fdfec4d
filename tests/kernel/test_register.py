"""A kernel is registered in the right folder, under a free name, and only after its cells ran."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from torchdoctor.errors import KernelFailed, UsageError
from torchdoctor.kernel import register, write_kernel_spec
from torchdoctor.kernel.register import kernel_destination, raise_first_failure
from torchdoctor.kernel.session import ALL_CELLS, CellSession
from torchdoctor.verify import CheckResult

PYTHON = Path("/envs/a/bin/python")

PASSED = CellSession(
    answers={
        "python": {"executable": str(PYTHON), "prefix": "/envs/a", "version": "3.12.1"},
        "import": {"torch": "2.13.0+cpu", "file": "/envs/a/torch/__init__.py"},
        "device": {"device": "cpu", "name": None},
        "tensor": {"gradient": [0.0, 2.0, 4.0, 6.0], "device": "cpu"},
    },
    seconds={},
)


@pytest.fixture
def environ(tmp_path):
    return {"HOME": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}


@pytest.fixture
def ran(monkeypatch):
    """Let cells answer what is put here, and ipykernel write the usual spec."""
    sessions = [PASSED]
    argv = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    document = {"argv": argv, "display_name": "Python 3", "language": "python"}
    monkeypatch.setattr(register, "create_spec_with_ipykernel", lambda *_: dict(document))
    monkeypatch.setattr(register, "run_cells", lambda *_, **__: sessions[-1])
    return sessions


def spec(folder, **changed):
    """Write a spec that runs PYTHON."""
    folder.mkdir(parents=True)
    document = {"argv": [str(PYTHON)], "display_name": "Mine", "language": "python", **changed}
    (folder / "kernel.json").write_text(json.dumps(document))


def write(environ, **changed):
    arguments = {"name": "demo", "display_name": "Demo", "environ": environ, **changed}
    return write_kernel_spec(PYTHON, **arguments)


def test_a_kernel_goes_into_the_users_folder(environ, tmp_path, ran):
    """With what its cells answered."""
    kernel = write(environ, settings={"KEY": "value"})
    assert kernel.folder == tmp_path / "jupyter" / "kernels" / "demo"
    assert (kernel.torch, kernel.device, kernel.executable) == ("2.13.0+cpu", "cpu", str(PYTHON))
    document = json.loads((kernel.folder / "kernel.json").read_text())
    assert (document["display_name"], document["env"]) == ("Demo", {"KEY": "value"})


def test_a_kernel_goes_below_the_prefix(environ, tmp_path, ran):
    """Where the Jupyter of that environment finds it."""
    kernel = write(environ, prefix=tmp_path / "env")
    assert kernel.folder == tmp_path / "env" / "share" / "jupyter" / "kernels" / "demo"


def test_nothing_is_registered_when_a_cell_fails(environ, tmp_path, ran):
    """Nor is anything left of it."""
    answers = {cell: PASSED.answers[cell] for cell in ALL_CELLS[:1]}
    ran.append(CellSession(answers=answers, seconds={}, failed_at="import", kind="cell", detail="no torch"))
    with pytest.raises(KernelFailed, match="no torch"):
        write(environ)
    assert list((tmp_path / "jupyter" / "kernels").iterdir()) == []


def test_what_the_user_has_changed_in_a_spec_stays(environ, tmp_path, ran):
    """A kernel that runs this Python keeps its command and its metadata."""
    spec(tmp_path / "jupyter" / "kernels" / "demo", metadata={"mine": True}, env={"A": "1"})
    kernel = write(environ, settings={"B": "2"})
    document = json.loads((kernel.folder / "kernel.json").read_text())
    assert document["metadata"] == {"mine": True}
    assert document["env"] == {"A": "1", "B": "2"}


def test_a_name_that_another_kernel_has_is_refused(environ, tmp_path):
    """Unless it may be overwritten."""
    spec(tmp_path / "jupyter" / "kernels" / "demo", argv=["/envs/other/bin/python"])
    options = {"name": "Demo", "prefix": None, "environ": environ}
    with pytest.raises(UsageError, match="exists already") as caught:
        kernel_destination(PYTHON, **options, overwrite=False)
    assert caught.value.code == "kernel-exists"
    assert kernel_destination(PYTHON, **options, overwrite=True).name == "demo"


def test_jupyters_own_name_is_refused(environ):
    """Every Jupyter has a kernel python3."""
    with pytest.raises(UsageError, match="Jupyter's own name"):
        kernel_destination(PYTHON, name="python3", prefix=None, environ=environ, overwrite=False)


@pytest.mark.skipif(sys.platform == "win32", reason="a file is no folder there either, with other words")
def test_a_folder_that_cannot_be_written_to_is_refused(environ, tmp_path):
    """Before anything is installed for the kernel."""
    (tmp_path / "jupyter").touch()
    with pytest.raises(KernelFailed) as caught:
        kernel_destination(PYTHON, name="demo", prefix=None, environ=environ, overwrite=False)
    assert caught.value.code == "kernel-folder"


def test_the_first_failure_is_raised():
    """A check that was skipped is none."""
    checks = [
        CheckResult(id=name, device="cpu", status=status, seconds=0.0, detail=name)
        for name, status in (("start", "pass"), ("python", "skip"), ("import", "fail"), ("device", "fail"))
    ]
    with pytest.raises(KernelFailed, match="`import`"):
        raise_first_failure("demo", checks)
    raise_first_failure("demo", checks[:2])
