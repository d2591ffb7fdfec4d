"""Starts a kernel and runs cells in it. Runs with a Python that has jupyter_client: the kernel's own, mostly.

Usage: `python client.py MARK REQUEST`, the request a JSON object: folder (of the spec), cells (their names), start
and cell (limits in seconds). Prints one JSON object a line behind the mark, so that what a kernel prints cannot be
taken for it. Standard library and jupyter_client; Python 3.8+.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import threading
import time
from typing import Any

# Each leaves its answer in `_answer`. The device is the best that torch can use.
CELLS = {
    "python": """
import sys as _sys
_answer = {"executable": _sys.executable, "prefix": _sys.prefix, "version": "%d.%d.%d" % _sys.version_info[:3]}
""",
    "import": """
import torch as _torch
_answer = {"torch": str(_torch.__version__), "file": _torch.__file__}
""",
    "device": """
import torch as _torch
_kinds = [_kind for _kind in ("cuda", "xpu", "mps") if (
    getattr(_torch, _kind, None) if _kind != "mps" else getattr(_torch.backends, "mps", None)
) is not None and (_torch.backends.mps if _kind == "mps" else getattr(_torch, _kind)).is_available()]
_device = _torch.device(_kinds[0], 0) if _kinds and _kinds[0] != "mps" else _torch.device((_kinds + ["cpu"])[0])
_named = getattr(getattr(_torch, _device.type, None), "get_device_name", None)
_answer = {"device": str(_device), "name": str(_named(_device)) if _named else None}
""",
    "tensor": """
_x = _torch.arange(4.0, device=_device, requires_grad=True)
(_x ** 2).sum().backward()
_answer = {"gradient": _x.grad.tolist(), "device": str(_x.grad.device)}
""",
}
# Nothing that a cell prints is its answer: Jupyter evaluates this apart from the output.
ANSWER = {"answer": "__import__('json').dumps(_answer)"}
KEPT = 8192


class Said:
    """The end of what the kernel's process prints, read as it comes so that it never waits for us."""

    def __init__(self) -> None:
        self._end = b""
        read, self.write = os.pipe()
        threading.Thread(target=self._read, args=(read,), daemon=True).start()

    def _read(self, pipe: int) -> None:
        while True:
            got = os.read(pipe, 65536)
            if not got:
                return
            self._end = (self._end + got)[-KEPT:]

    @property
    def lines(self) -> list[str]:
        """The last lines that hold anything."""
        text = self._end.decode("utf-8", "replace")
        return [line.rstrip()[:400] for line in text.splitlines() if line.strip()][-12:]


class Broken(Exception):
    """The kernel did not do what a kernel does; `kind` says what it did, `values` what is to be told of that."""

    def __init__(self, kind: str, **values: Any) -> None:
        super().__init__(kind)
        self.kind, self.values = kind, values


def main(mark: str, request: dict[str, Any]) -> None:
    """Run the request; whatever happens, an `end` or an `error` is said and the kernel is stopped."""

    def say(event: str, **values: Any) -> None:
        print("\n" + mark + json.dumps(dict(values, event=event)), flush=True)  # noqa: T201

    said = Said()
    manager = None
    try:
        manager = start(request, said)
        say("started", pid=getattr(process_of(manager), "pid", None))
        client = manager.client()
        client.start_channels()
        began = time.monotonic()
        wait_until_ready(client, manager, request["start"])
        say("ready", seconds=round(time.monotonic() - began, 3))
        for name in request["cells"]:
            say("cell", id=name)
            began = time.monotonic()
            outcome = run(client, manager, CELLS[name], request["cell"])
            say("result", id=name, seconds=round(time.monotonic() - began, 3), **outcome)
        say("end")
    except Broken as error:
        say("error", kind=error.kind, values=error.values, said=said.lines)
    except Exception as error:  # noqa: BLE001  (whatever it is, the caller names it)
        values = {"error": f"{type(error).__name__}: {error}"}
        say("error", kind="garbage" if manager else "start", values=values, said=said.lines)
    finally:
        if manager is not None:
            manager.shutdown_kernel(now=True)
    # ZeroMQ may hold the process while a channel that nobody reads has something to send.
    os._exit(0)


def start(request: dict[str, Any], said: Said) -> Any:
    """The kernel of the spec in the folder asked for, whatever else has its name."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    parent, name = os.path.split(request["folder"])
    specs = KernelSpecManager(kernel_dirs=[parent], ensure_native_kernel=False)
    manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
    manager.start_kernel(stdout=said.write, stderr=said.write)
    os.close(said.write)
    return manager


def wait_until_ready(client: Any, manager: Any, seconds: float) -> None:
    """Return once the kernel has said on the shell channel that it is a Python kernel."""
    from queue import Empty

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        asked = client.kernel_info()
        try:
            while True:
                reply = client.get_shell_msg(timeout=min(1.0, seconds))
                if reply["parent_header"].get("msg_id") == asked:
                    language = str(reply["content"]["language_info"]["name"])
                    if "python" in language.lower():
                        return
                    raise Broken("not-python", language=language)
        except Empty:
            if not manager.is_alive():
                raise Broken("died", status=status_of(manager)) from None
    raise Broken("silent", seconds=seconds)


def run(client: Any, manager: Any, code: str, seconds: float) -> dict[str, Any]:
    """The answer of one cell, or its error."""
    from queue import Empty

    asked = client.execute(code, store_history=False, user_expressions=ANSWER, allow_stdin=False)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            reply = client.get_shell_msg(timeout=0.5)
        except Empty:
            if not manager.is_alive():
                raise Broken("died", status=status_of(manager)) from None
            continue
        if reply["parent_header"].get("msg_id") != asked:
            continue
        content = reply["content"]
        if content["status"] != "ok":
            return {"error": "{}: {}".format(content.get("ename"), content.get("evalue"))}
        answer = content["user_expressions"]["answer"]
        if answer["status"] != "ok":
            return {"error": "{}: {}".format(answer.get("ename"), answer.get("evalue"))}
        return {"answer": json.loads(ast.literal_eval(answer["data"]["text/plain"]))}
    raise Broken("silent", seconds=seconds)


def process_of(manager: Any) -> Any:
    """The kernel's process; before jupyter_client 7 the manager held it, and other provisioners have none."""
    return getattr(getattr(manager, "provisioner", manager), "process", getattr(manager, "kernel", None))


def status_of(manager: Any) -> int | None:
    """How its process ended, where that is known."""
    process = process_of(manager)
    return process.poll() if process is not None else None


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
