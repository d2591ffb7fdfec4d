"""A real Jupyter server on loopback, with the settings of the test alone."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass

import requests


@dataclass(frozen=True)
class Server:
    """Where it answers, and what lets one in."""

    url: str
    token: str

    def ask(self, method, path, **more):
        """The answer of its REST API."""
        headers = {"Authorization": f"token {self.token}"}
        answer = requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **more)
        answer.raise_for_status()
        return answer


@contextmanager
def jupyter_server(folder, environ):
    """JupyterLab and Notebook, from the Python that runs the tests; notebooks lie in `folder`."""
    token = secrets.token_hex(16)
    runtime = folder / "runtime"
    log = folder / "server.log"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}",
        # Nothing is asked of the network.
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, **environ, "JUPYTER_RUNTIME_DIR": str(runtime)}, start_new_session=True,
        )  # fmt: skip
        try:
            yield Server(url=_address(process, runtime, log), token=token)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _address(process, runtime, log):
    """Where the server says that it listens; it writes that down once it does."""
    for _ in range(600):
        for path in runtime.glob("jpserver-*.json"):
            try:
                return json.loads(path.read_text())["url"].rstrip("/")
            except ValueError:
                pass  # It is being written.
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())
