"""Checks of what makes models fast: mixed precision, fused attention, the compiler."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, broken, failed, passed, skipped
from .tolerances import CHAIN, FLOAT32, Expectation, lowered, relative_error, unsupported, verdict

__all__ = ["amp", "attention", "compiled"]

# bfloat16 keeps 8 bits, 4e-3; two layers of it stay well below this, and garbage is at 1.
MIXED = 3e-2
# torch 2.0 on Python 3.11 and on Windows, 2.9 on Python 3.14, and so on.
_NOT_FOR_THIS_PYTHON = re.compile(
    r"not (yet )?supported (for|on|with) (torch\.compile|Python|Windows)|Dynamo is not supported"
)
# float16 attention against float64: the probabilities are rounded once, the sums kept in float32.
HALF = 5e-3


def amp(torch: Any, device: str) -> Outcome:
    """A step under autocast: low precision where it belongs, float32 gradients that are finite, the loss falls."""
    name = kind(device)
    dtype = torch.float16 if name in ("cuda", "mps") else torch.bfloat16
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8)).to(device)
    x = torch.randn(32, 64, generator=torch.Generator().manual_seed(0)).to(device)
    exact = model(x).detach()
    try:
        with torch.autocast(name, dtype=dtype):
            output = model(x)
    except RuntimeError as error:
        if not unsupported(error):
            raise
        return skipped(
            sentence(
                "autocast is not there for {name} in torch {version}", name=name, version=torch.__version__
            )
        )
    if output.dtype != dtype:
        return failed(
            sentence(
                "autocast leaves the output in {dtype}, not in {dtype2}", dtype=output.dtype, dtype2=dtype
            )
        )
    off = relative_error(torch, output.float(), exact.cpu().double())
    if not off <= MIXED:
        return failed(
            sentence("autocast gives a result {off:.1e} off (limit {mixed:.0e})", off=off, mixed=MIXED)
        )
    first = (output.float() ** 2).mean()
    scaler = _scaler(torch) if name == "cuda" else None
    (scaler.scale(first) if scaler else first).backward()
    scale = scaler.get_scale() if scaler else 1.0
    for parameter in model.parameters():
        if parameter.grad.dtype != torch.float32 or not bool(torch.isfinite(parameter.grad).all()):
            return failed(sentence("a gradient under autocast is not finite float32"))
        with torch.no_grad():
            parameter.sub_(0.05 * parameter.grad / scale)
    with torch.autocast(name, dtype=dtype):
        second = (model(x).float() ** 2).mean()
    if not second.item() < first.item():
        return failed(
            sentence(
                "the loss went from {item:.5f} to {item2:.5f} in a step under autocast",
                item=first.item(),
                item2=second.item(),
            )
        )
    short = str(dtype).partition(".")[2]
    return passed(
        sentence(
            "{short} autocast is {off:.1e} from float32, gradients are finite, the loss falls",
            short=short,
            off=off,
        )
    )


def _scaler(torch: Any) -> Any:
    # torch.amp.GradScaler came with 2.3; the older name warns since 2.4.
    made = getattr(torch.amp, "GradScaler", None)
    return made("cuda") if made is not None else torch.cuda.amp.GradScaler()


def attention(torch: Any, device: str) -> Outcome:
    """scaled_dot_product_attention, plain, causal and in half precision, against the formula in float64."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 4, 32, 16, generator=generator) for _ in range(3))
    fused = torch.nn.functional.scaled_dot_product_attention
    here = [tensor.to(device) for tensor in (q, k, v)]
    note = lowered(torch, device)
    rows = [
        Expectation(
            sentence("plain"), fused(*here), _formula(torch, q, k, v, causal=False), FLOAT32 * 5, note
        ),
        Expectation(
            sentence("causal"),
            fused(*here, is_causal=True),
            _formula(torch, q, k, v, causal=True),
            FLOAT32 * 5,
            note,
        ),
    ]
    if kind(device) == "cuda":
        half = [tensor.half() for tensor in (q, k, v)]
        got = fused(*(tensor.to(device) for tensor in half), is_causal=True)
        rows.append(Expectation("float16", got, _formula(torch, *half, causal=True), HALF))
    return verdict(torch, rows)


def _formula(torch: Any, q: Any, k: Any, v: Any, *, causal: bool) -> Any:
    scores = q.double() @ k.double().transpose(-2, -1) / q.shape[-1] ** 0.5
    if causal:
        ahead = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(ahead, float("-inf"))
    return scores.softmax(-1) @ v.double()


def compiled(torch: Any, device: str) -> Outcome:
    """Compile a small function with torch.compile, trace its gradient, and compare with the function as it is.

    The gradient goes through the tracer only: a second kernel would take as long again and prove the same compiler.
    """
    why = _no_compiler(torch, device)
    if why:
        return skipped(why)
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randn(16, 16, generator=generator).to(device) for _ in range(2))

    def work(x: Any, w: Any) -> Any:
        return torch.sin(x @ w).relu().sum(1)

    def slope(function: Any) -> Any:
        weight = w.clone().requires_grad_()
        function(x, weight).sum().backward()
        return weight.grad

    try:
        _without_precompiled_headers()
        got, got_slope = torch.compile(work)(x, w), slope(torch.compile(work, backend="aot_eager"))
    except Exception as error:  # noqa: BLE001  # whatever it raises, its cause is looked for
        if _NOT_FOR_THIS_PYTHON.search(str(error)):
            return skipped(sentence("torch says: {words}", words=" ".join(str(error).split())[:200]))
        return _not_compiled(torch, error)
    note = lowered(torch, device)
    rows = [
        Expectation(sentence("output"), got, work(x, w).cpu().double(), CHAIN, note),
        Expectation(sentence("gradient"), got_slope, slope(work).cpu().double(), CHAIN, note),
    ]
    return verdict(torch, rows, sentence("; the reference is the same function, not compiled"))


def _without_precompiled_headers() -> None:
    # They pay for themselves after some kernels; we compile two and throw the folder away.
    with contextlib.suppress(ImportError, AttributeError):
        config: Any = importlib.import_module("torch._inductor.config")
        config.cpp_cache_precompile_headers = False


def _no_compiler(torch: Any, device: str) -> str | None:
    """Why there is nothing to compile with, in words that say what to install."""
    if not hasattr(torch, "compile"):
        return "torch.compile came with torch 2.0"
    if kind(device) not in ("cpu", "cuda", "xpu"):
        return sentence("torch.compile is a prototype on {kind}", kind=kind(device))
    if kind(device) != "cpu" and importlib.util.find_spec("triton") is None and sys.platform == "win32":
        return "triton is not installed, and torch for Windows does not bring it: pip install triton-windows"
    asked = os.environ.get("CXX" if kind(device) == "cpu" else "CC")
    names = (
        [asked]
        if asked
        else {"win32": ["cl"], "darwin": ["clang++"]}.get(
            sys.platform, ["g++", "clang++"] if kind(device) == "cpu" else ["gcc", "clang", "cc"]
        )
    )
    if any(shutil.which(name.split()[0]) for name in names if name.strip()):
        return None
    package = {"win32": "the Visual Studio Build Tools", "darwin": "xcode-select --install"}.get(
        sys.platform, "apt install g++ (or dnf install gcc-c++)"
    )
    return sentence(
        "no C++ compiler ({names}) is on PATH, and torch.compile needs one: {package}",
        names=joined(names),
        package=package,
    )


def _not_compiled(torch: Any, error: Exception) -> Outcome:
    """The failure with its cause, where it is one that is known."""
    seen = broken(error)
    whole = str(error)
    home = str(Path(str(torch.__file__)).parent)
    # Seen with torch 2.13: the compiler is given the folders without quotes.
    if " " in home and "cannot find" in whole:
        said = sentence(
            "the environment's path has a space ({home}), at which the compiler's command breaks", home=home
        )
        return failed(
            sentence("torch.compile fails: {said}; install into a folder without one", said=said),
            seen.evidence,
        )
    include = sysconfig.get_paths()["include"]
    if "Python.h" in whole and not Path(include, "Python.h").is_file():
        version = "%d.%d" % sys.version_info[:2]  # noqa: UP031
        said = sentence(
            "Python's headers are missing ({include}/Python.h): apt install python{version}-dev",
            include=include,
            version=version,
        )
        return failed(sentence("torch.compile cannot compile: {said}", said=said), seen.evidence)
    if "triton" in whole.lower() and importlib.util.find_spec("triton") is None:
        return failed(
            sentence("torch.compile needs triton, which is not installed: {detail}", detail=seen.detail),
            seen.evidence,
        )
    errors = re.findall(r"^.*\berror: .*$", whole, re.MULTILINE)
    return failed(
        sentence("torch.compile fails: {more}", more=errors[0].strip() if errors else seen.detail)[:400],
        seen.evidence,
    )
