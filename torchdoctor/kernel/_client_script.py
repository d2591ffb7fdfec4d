"""Starts a kernel and runs cells in it. Runs with a Python that has jupyter_client: usually the kernel's own.

Usage: `python _client_script.py MARK REQUEST`. The request is a JSON object: folder (of the spec), cells (their names),
start and cell (limits in seconds). Prints events, each a JSON object on a line after the mark, which tells them from
what the kernel prints. Standard library and jupyter_client; Python 3.8+.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import threading
import time
from typing import Any

# Each cell leaves its answer in `_answer`. The device is the best one that torch can use.
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
# Jupyter evaluates this separately from the output: nothing that a cell prints can be taken for its answer.
ANSWER = {"answer": "__import__('json').dumps(_answer)"}
OUTPUT_BYTES = 8192
POLL_SECONDS = 0.5


class OutputTail:
    """The end of what the kernel's process prints, read as it comes so that the process never waits for us."""

    def __init__(self) -> None:
        self._end = b""
        read, self.write = os.pipe()
        threading.Thread(target=self._read, args=(read,), daemon=True).start()

    def _read(self, pipe: int) -> None:
        while True:
            got = os.read(pipe, 65536)
            if not got:
                return
            self._end = (self._end + got)[-OUTPUT_BYTES:]

    @property
    def lines(self) -> list[str]:
        """The last lines that hold anything."""
        text = self._end.decode("utf-8", "replace")
        return [line.rstrip()[:400] for line in text.splitlines() if line.strip()][-12:]


class KernelError(Exception):
    """The kernel failed: `kind` says how, `values` are for the sentence about it."""

    def __init__(self, kind: str, **values: Any) -> None:
        super().__init__(kind)
        self.kind, self.values = kind, values


def main(mark: str, request: dict[str, Any]) -> None:
    """Run the request; whatever happens, the last event is `end` or `error` and the kernel is stopped."""

    def send(event: str, **values: Any) -> None:
        print("\n" + mark + json.dumps(dict(values, event=event)), flush=True)  # noqa: T201

    output = OutputTail()
    manager = None
    try:
        manager = start(request, output)
        send("started", pid=getattr(process_of(manager), "pid", None))
        client = manager.client()
        client.start_channels()
        started = time.monotonic()
        wait_until_ready(client, manager, request["start"])
        send("ready", seconds=round(time.monotonic() - started, 3))
        for name in request["cells"]:
            send("cell", id=name)
            started = time.monotonic()
            outcome = run(client, manager, CELLS[name], request["cell"])
            send("result", id=name, seconds=round(time.monotonic() - started, 3), **outcome)
        send("end")
    except KernelError as error:
        send("error", kind=error.kind, values=error.values, output=output.lines)
    except Exception as error:  # noqa: BLE001  (the caller describes it, whatever it is)
        values = {"error": f"{type(error).__name__}: {error}"}
        send("error", kind="garbage" if manager else "start", values=values, output=output.lines)
    finally:
        if manager is not None:
            manager.shutdown_kernel(now=True)
    # ZeroMQ may hold the process while a channel that nobody reads has something to send.
    os._exit(0)


def start(request: dict[str, Any], output: OutputTail) -> Any:
    """Start the kernel whose spec is in the requested folder, whatever other specs have its name."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    parent, name = os.path.split(request["folder"])
    specs = KernelSpecManager(kernel_dirs=[parent], ensure_native_kernel=False)
    manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
    manager.start_kernel(stdout=output.write, stderr=output.write)
    os.close(output.write)
    return manager


def wait_until_ready(client: Any, manager: Any, seconds: float) -> None:
    """Return once the kernel has answered on the shell channel that it is a Python kernel."""
    from queue import Empty

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        request_id = client.kernel_info()
        try:
            while True:
                reply = client.get_shell_msg(timeout=min(1.0, seconds))
                if reply["parent_header"].get("msg_id") == request_id:
                    language = str(reply["content"]["language_info"]["name"])
                    if "python" in language.lower():
                        return
                    raise KernelError("not-python", language=language)
        except Empty:
            if not manager.is_alive():
                raise KernelError("died", status=status_of(manager)) from None
    raise KernelError("silent", seconds=seconds)


def run(client: Any, manager: Any, code: str, seconds: float) -> dict[str, Any]:
    """Run one cell; return its answer or its error."""
    from queue import Empty

    request_id = client.execute(code, store_history=False, user_expressions=ANSWER, allow_stdin=False)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            reply = client.get_shell_msg(timeout=POLL_SECONDS)
        except Empty:
            if not manager.is_alive():
                raise KernelError("died", status=status_of(manager)) from None
            continue
        if reply["parent_header"].get("msg_id") != request_id:
            continue
        content = reply["content"]
        if content["status"] != "ok":
            return {"error": "{}: {}".format(content.get("ename"), content.get("evalue"))}
        answer = content["user_expressions"]["answer"]
        if answer["status"] != "ok":
            return {"error": "{}: {}".format(answer.get("ename"), answer.get("evalue"))}
        return {"answer": json.loads(ast.literal_eval(answer["data"]["text/plain"]))}
    raise KernelError("silent", seconds=seconds)


def process_of(manager: Any) -> Any:
    """Return the kernel's process: before jupyter_client 7 the manager had it; some provisioners have none."""
    return getattr(getattr(manager, "provisioner", manager), "process", getattr(manager, "kernel", None))


def status_of(manager: Any) -> int | None:
    """Return the exit status of the kernel's process, if it is known."""
    process = process_of(manager)
    return process.poll() if process is not None else None


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
