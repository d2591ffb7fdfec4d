"""Runs a cell in a kernel and says what came back. Runs inside the environment, which has jupyter_client.

Usage: `python cell.py where NAME` or `python cell.py run NAME SECONDS`. Prints one JSON line behind a mark, so
that what a kernel prints on the way cannot be taken for it. Standard library, jupyter_client; Python 3.8+.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

MARK = "torchdoctor-cell:"
STOPPING = threading.Event()

CELL = """
import json, sys
import torch
x = torch.arange(4.0, requires_grad=True)
(x ** 2).sum().backward()
print(json.dumps({"prefix": sys.prefix, "executable": sys.executable, "torch": torch.__version__,
                  "gradient": x.grad.tolist()}))
"""


def where(name: str) -> dict[str, Any]:
    """Where kernel specs of this user lie, and what the name stands for now."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    from jupyter_core.paths import jupyter_data_dir

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        existing = None
    else:
        existing = {"argv": spec.argv, "display_name": spec.display_name, "folder": spec.resource_dir}
    return {"data_dir": jupyter_data_dir(), "existing": existing}


def watch(manager: Any) -> None:
    """Say at once that the kernel died: the client would wait for its answer until the time is up."""
    process = getattr(getattr(manager, "provisioner", None), "process", None)
    if process is None:
        return
    status = process.wait()
    if status not in (0, None) and not STOPPING.is_set():
        say({"error": f"the kernel died while it ran the cell (status {status})"})
        os._exit(1)


def say(result: dict[str, Any]) -> None:
    """Print the one line that counts."""
    print("\n" + MARK + json.dumps(result), flush=True)  # noqa: T201


def run(name: str, seconds: float) -> dict[str, Any]:
    """Start the kernel, execute the cell, stop the kernel; the cell's own JSON or what went wrong."""
    from jupyter_client.manager import start_new_kernel

    lines: list[str] = []

    def hear(message):  # type: ignore[no-untyped-def]  # noqa: ANN001
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            lines.append(message["content"]["text"])

    manager, client = start_new_kernel(kernel_name=name, startup_timeout=seconds)
    threading.Thread(target=watch, args=(manager,), daemon=True).start()
    try:
        reply = client.execute_interactive(CELL, output_hook=hear, timeout=seconds)["content"]
    finally:
        STOPPING.set()
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["status"] != "ok":
        return {"error": "{}: {}".format(reply.get("ename"), reply.get("evalue"))}
    answer: dict[str, Any] = json.loads("".join(lines).strip().splitlines()[-1])
    return answer


if __name__ == "__main__":
    try:
        result = where(sys.argv[2]) if sys.argv[1] == "where" else run(sys.argv[2], float(sys.argv[3]))
    except Exception as error:  # noqa: BLE001  (whatever it is, the caller names it)
        result = {"error": f"{type(error).__name__}: {error}"}
    say(result)
