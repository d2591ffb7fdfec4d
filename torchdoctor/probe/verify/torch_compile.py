"""The check of torch.compile, and the causes for which it does not work."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, broken, failed, skipped
from ..torch_errors import error_line, says
from .tolerances import CHAIN_ERROR, Expectation, compare_results, reason_for_low_precision

__all__ = ["torch_compile"]

_MAX_CHARACTERS = 400


def torch_compile(torch: Any, device: str) -> Outcome:
    """Compile a small function with torch.compile, trace its gradient, and compare with the function as it is.

    The gradient only goes through the tracer: a second kernel would take as long again and show nothing new.
    """
    impossible = _cannot_compile(torch, device)
    if impossible is not None:
        return impossible
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randn(16, 16, generator=generator).to(device) for _ in range(2))

    def work(x: Any, w: Any) -> Any:
        return torch.sin(x @ w).relu().sum(1)

    def gradient_of(function: Any) -> Any:
        weight = w.clone().requires_grad_()
        function(x, weight).sum().backward()
        return weight.grad

    try:
        _without_precompiled_headers()
        output = torch.compile(work)(x, w)
        gradient = gradient_of(torch.compile(work, backend="aot_eager"))
    except Exception as error:  # noqa: BLE001  # whatever it raises, we look for its cause
        if says(error, "compile-not-supported"):
            text = sentence("torch says: {words}", words=" ".join(str(error).split())[:200])
            return skipped("compile-not-supported", text)
        return _explain_failure(torch, error)
    low = reason_for_low_precision(torch, device)
    expectations = [
        Expectation(sentence("output"), output, work(x, w).cpu().double(), CHAIN_ERROR, low),
        Expectation(sentence("gradient"), gradient, gradient_of(work).cpu().double(), CHAIN_ERROR, low),
    ]
    return compare_results(
        torch, expectations, sentence("; the reference is the same function, not compiled")
    )


def _without_precompiled_headers() -> None:
    # They pay off after several kernels; we compile two and delete the folder.
    with contextlib.suppress(ImportError, AttributeError):
        config: Any = importlib.import_module("torch._inductor.config")
        config.cpp_cache_precompile_headers = False


def _cannot_compile(torch: Any, device: str) -> Outcome | None:
    """Say why nothing can be compiled here and what to install; None where it can."""
    if not hasattr(torch, "compile"):
        return skipped("torch-too-old", "torch.compile came with torch 2.0")
    if kind(device) not in ("cpu", "cuda", "xpu"):
        return skipped(
            "not-for-device", sentence("torch.compile is a prototype on {kind}", kind=kind(device))
        )
    if kind(device) != "cpu" and importlib.util.find_spec("triton") is None and sys.platform == "win32":
        return skipped(
            "triton-missing",
            "triton is not installed, and torch for Windows does not bring it: pip install triton-windows",
        )
    compilers = _compilers(device)
    if any(shutil.which(name.split()[0]) for name in compilers if name.strip()):
        return None
    packages = {"win32": "the Visual Studio Build Tools", "darwin": "xcode-select --install"}
    text = sentence(
        "no C++ compiler ({names}) is on PATH, and torch.compile needs one: {package}",
        names=joined(compilers),
        package=packages.get(sys.platform, "apt install g++ (or dnf install gcc-c++)"),
    )
    return skipped("compiler-missing", text)


def _compilers(device: str) -> list[str]:
    """The commands that torch.compile may use: the one of CXX or CC, else those that it looks for."""
    on_cpu = kind(device) == "cpu"
    chosen = os.environ.get("CXX" if on_cpu else "CC")
    if chosen:
        return [chosen]
    default = ["g++", "clang++"] if on_cpu else ["gcc", "clang", "cc"]
    return {"win32": ["cl"], "darwin": ["clang++"]}.get(sys.platform, default)


def _explain_failure(torch: Any, error: Exception) -> Outcome:
    """The failure with its cause, where that is known."""
    raised = broken(error)
    home = str(Path(str(torch.__file__)).parent)
    # Seen with torch 2.13: the compiler is given the folders without quotes.
    if " " in home and says(error, "compiler-lost-its-path"):
        cause = sentence(
            "the environment's path has a space ({home}), at which the compiler's command breaks", home=home
        )
        text = sentence("torch.compile fails: {said}; install into a folder without one", said=cause)
        return failed("path-with-space", text, raised.evidence)
    include = sysconfig.get_paths()["include"]
    if says(error, "no-python-header") and not Path(include, "Python.h").is_file():
        cause = sentence(
            "Python's headers are missing ({include}/Python.h): apt install python{version}-dev",
            include=include,
            version="%d.%d" % sys.version_info[:2],  # noqa: UP031
        )
        text = sentence("torch.compile cannot compile: {said}", said=cause)
        return failed("python-headers-missing", text, raised.evidence)
    if says(error, "triton") and importlib.util.find_spec("triton") is None:
        text = sentence("torch.compile needs triton, which is not installed: {detail}", detail=raised.detail)
        return failed("triton-missing", text, raised.evidence)
    text = sentence("torch.compile fails: {more}", more=error_line(error) or raised.detail)
    return failed("compile-failed", text[:_MAX_CHARACTERS], raised.evidence)
