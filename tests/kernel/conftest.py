"""A Jupyter folder of the test's own, with the real torch registered in it."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import run_torchdoctor


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """Kernel specs, runtime files and settings of Jupyter and IPython stay below the test's folder."""
    folder = tmp_path / "jupyter"
    for name in ("JUPYTER_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return folder


@pytest.fixture
def put_spec(jupyter):
    """Writes a kernel spec into the user's folder, as someone else may have."""

    def put(name, document):
        folder = jupyter / "kernels" / name
        folder.mkdir(parents=True)
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / "kernel.json").write_text(text, "utf-8")
        return folder

    return put


@pytest.fixture(scope="session")
def _registered(once):
    """Registers the real torch once for the whole run, and gives the folder of its spec."""

    def register(real):
        def register_in(folder):
            ran = run_torchdoctor(
                "jupyter-kernel", real.folder, "--name", "demo", "--env", "TD_MARK=it is set",
                environ={"JUPYTER_DATA_DIR": str(folder), "IPYTHONDIR": str(folder / "ipython")},
            )  # fmt: skip
            assert ran.status == 0, ran.err
            assert [path.name for path in (folder / "kernels").iterdir()] == ["demo"]
            return str(folder / "kernels" / "demo")

        return Path(once("registered", register_in))

    return register


@pytest.fixture
def demo(real, jupyter, _registered):
    """The real torch as the kernel `demo`, as `torchdoctor jupyter-kernel` wrote it."""
    return Path(shutil.copytree(_registered(real), jupyter / "kernels" / "demo"))


@pytest.fixture(scope="session")
def _served(tmp_path_factory, _registered):
    """Starts the one Jupyter server of the run, in which the kernel `demo` is registered."""
    from tests.kernel.server import jupyter_server

    with ExitStack() as stack:
        made = {}

        def once(real):
            if not made:
                folder = tmp_path_factory.mktemp("served")
                shutil.copytree(_registered(real), folder / "data" / "kernels" / "demo")
                environ = {
                    "HOME": str(folder / "home"),
                    "JUPYTER_DATA_DIR": str(folder / "data"),
                    "JUPYTER_CONFIG_DIR": str(folder / "config"),
                    "IPYTHONDIR": str(folder / "ipython"),
                }
                made["server"] = stack.enter_context(jupyter_server(folder, environ))
            return made["server"]

        yield once


@pytest.fixture
def server(real, _served):
    """A Jupyter server that offers the real torch as the kernel `demo`."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: python -m pip install '.[test]'")
    return _served(real)
