"""The registered kernel in the programs that people use: jupyter_client, a server's API, the console."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

from tests.conftest import TORCH
from torchdoctor.core.system import host_system
from torchdoctor.kernel import list_kernels

CODE = (
    "import os, sys, torch\nx = torch.ones(3, requires_grad=True)\n(x * x).sum().backward()\n"
    "print(torch.__version__, x.grad.tolist(), sys.prefix, os.environ['TD_MARK'])"
)


def expected(real):
    """What the cell prints when it runs in the environment, with the variable of the spec."""
    return f"{TORCH}+cpu [2.0, 2.0, 2.0] {real.folder} it is set"


def test_jupyter_client_finds_it_and_runs_cells(demo, real):
    """The library under every front end."""
    spec = KernelSpecManager().get_kernel_spec("demo")
    assert spec.resource_dir == str(demo)
    heard = []
    manager, client = start_new_kernel(kernel_name="demo", startup_timeout=120)
    try:
        reply = client.execute_interactive(
            CODE, timeout=120, output_hook=lambda message: heard.append(message["content"].get("text", ""))
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok"
    assert expected(real) in "".join(heard)


def test_what_is_listed_is_what_jupyter_finds(put_spec, tmp_path, monkeypatch):
    """The same names and folders, of odd specs too; what is no kernel to Jupyter is none here."""
    for name in ("plain", "UPPER", ".hidden", "b [x]"):
        put_spec(name, {"argv": ["python"], "display_name": name, "language": "python"})
    put_spec("corrupt", "{")
    (put_spec("empty", "{}") / "kernel.json").unlink()
    first = tmp_path / "first" / "kernels" / "plain"
    first.mkdir(parents=True)
    (first / "kernel.json").write_text('{"argv": ["python"]}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "first"))
    with pytest.warns(UserWarning, match="Invalid kernelspec directory name"):
        found = KernelSpecManager(ensure_native_kernel=False).find_kernel_specs()
    listed = list_kernels(host_system(dict(os.environ)), prefixes=[Path(sys.prefix)])
    assert {row.name: str(row.folder) for row in listed if row.hidden_by is None} == found


def test_a_server_offers_it_with_its_logo(server):
    """What JupyterLab and Notebook show in their menus comes from here."""
    offered = server.ask("GET", "/api/kernelspecs").json()["kernelspecs"]["demo"]
    assert offered["spec"]["display_name"] == f"Python (PyTorch {TORCH} cpu)"
    assert set(offered["resources"]) == {"logo-32x32", "logo-64x64", "logo-svg"}
    logo = server.ask("GET", offered["resources"]["logo-64x64"])
    assert logo.headers["Content-Type"] == "image/png"
    assert logo.content.startswith(b"\x89PNG")


def test_a_server_runs_cells_in_it_over_its_websocket(server, real):
    """As a browser does: start by REST, execute over the channels, read what comes back, stop."""
    websocket = pytest.importorskip("websocket")
    started = server.ask("POST", "/api/kernels", json={"name": "demo"}).json()
    address = f"{server.url.replace('http', 'ws', 1)}/api/kernels/{started['id']}/channels"
    channel = websocket.create_connection(
        address, header={"Authorization": f"token {server.token}"}, timeout=120
    )
    try:
        asked = _execute(channel, CODE)
        printed, reply = _follow(channel, asked)
    finally:
        channel.close()
        server.ask("DELETE", f"/api/kernels/{started['id']}")
    assert reply["status"] == "ok"
    assert expected(real) in printed


def _execute(channel, code):
    number = uuid.uuid4().hex
    header = {
        "msg_id": number,
        "msg_type": "execute_request",
        "username": "",
        "session": number,
        "version": "5.3",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
    }
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channel.send(json.dumps(message))
    return number


def _follow(channel, asked):
    """What the cell printed and the reply to it; the two come over two channels, in any order."""
    printed, reply, idle = "", None, False
    while reply is None or not idle:
        message = json.loads(channel.recv())
        if message["parent_header"].get("msg_id") != asked:
            continue
        content = message["content"]
        if message["msg_type"] == "stream":
            printed += content["text"]
        elif message["msg_type"] == "execute_reply":
            reply = content
        elif message["msg_type"] == "status":
            idle = content["execution_state"] == "idle"
    return printed, reply


def test_the_console_runs_it(demo, real):
    """`jupyter console --kernel demo`, as typed."""
    pytest.importorskip("jupyter_console")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_console", "--simple-prompt", "--kernel", "demo"],
        input="\n".join([*CODE.splitlines(), "exit", ""]), capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert expected(real) in done.stdout, done.stderr
