"""Reports of `key: value` lines: torch's and vLLM's collect_env, `transformers env`, `xformers.info`, `ds_report`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_collect_env"]

# A key may stand behind bullets or a table's bar, and in Markdown's emphasis; dots may lead to the value.
_LINE = re.compile(
    r"[\s>*|`#+•-]{0,12}(?P<key>[A-Za-z][\w ./()?'-]{1,60}?)[`*\s]{0,6}(?:[:=|]|\.{3,60}(?=\s))[`*\s]{0,6}(?P<value>.*)"
)
_NAMES = {
    "pytorch version": "torch.version",
    "pytorch": "torch.version",
    "pytorch version (gpu?)": "torch.version",
    "pytorch.version": "torch.version",
    "torch version": "torch.version",
    "torch": "torch.version",
    "torch.__version__": "torch.version",
    "cuda used to build pytorch": "torch.cuda",
    "torch cuda version": "torch.cuda",
    "torch.version.cuda": "torch.cuda",
    "build.cuda_version": "torch.cuda",
    "rocm used to build pytorch": "torch.hip",
    "torch.version.hip": "torch.hip",
    "is cuda available": "cuda.available",
    "cuda available": "cuda.available",
    "cuda is available": "cuda.available",
    "gpu available": "cuda.available",
    "is_available": "cuda.available",
    "torch.cuda.is_available": "cuda.available",
    "torch.cuda.is_available()": "cuda.available",
    "is xpu available": "xpu.available",
    "cuda runtime version": "cuda.toolkit",
    "nvidia driver version": "nvidia.driver",
    "driver version": "nvidia.driver",
    "nvidia driver": "nvidia.driver",
    "gpu driver version": "nvidia.driver",
    "cudnn version": "cudnn.version",
    "hip runtime version": "rocm.runtime",
    "miopen runtime version": "rocm.miopen",
    "rocm version": "rocm.version",
    "os": "os.name",
    "operating system": "os.name",
    "platform": "python.platform",
    "python platform": "python.platform",
    "libc version": "libc",
    "gcc version": "gcc.version",
    "python version": "python.version",
    "python": "python.version",
    "nvcc version": "cuda.toolkit",
    "gpu.compute_capability": "nvidia.capability",
    "pytorch accelerator": "accelerator",
    "cuda_home": "env.CUDA_HOME",
    "torchvision": "package.torchvision",
    "torchaudio": "package.torchaudio",
    "torchvision version": "package.torchvision",
    "numpy version": "package.numpy",
    "transformers version": "package.transformers",
    "vllm version": "package.vllm",
    "model name": "cpu.name",
    "gpu.name": "nvidia.gpu",
    "gpu type": "nvidia.gpu",
    "gpu models and configuration": "nvidia.gpu",
    "cpu": "cpu.name",
    "flags": "cpu.flags",
    "hypervisor vendor": "cpu.hypervisor",
}
# A table of two columns with blanks between them, as detectron2 prints it.
_ROW = re.compile(
    r"(?P<key>sys\.platform|Python|PyTorch|GPU available|GPU \d{1,2}(?:,\d{1,2}){0,15}|CUDA_HOME"
    r"|Driver version|torchvision|numpy)\s{2,40}(?P<value>\S.{0,200})"
)
_ROW_NAMES = {"sys.platform": "os.name", "gpu": "nvidia.gpu", "numpy": "package.numpy"}
_VARIABLE = re.compile(
    r"\s{0,8}(?:\$ )?(?:export |set |\$env:|-e |ENV )?(?P<name>(?:LD_(?:LIBRARY_PATH|PRELOAD)"
    r"|PYTHON(?:PATH|HOME|NOUSERSITE)"
    r"|(?:CUDA|HIP|ROCR|NVIDIA)_VISIBLE_DEVICES|CUDA_(?:HOME|PATH)|NVIDIA_DRIVER_CAPABILITIES"
    r"|ZE_AFFINITY_MASK"
    r"|HSA_OVERRIDE_GFX_VERSION|TORCH_CUDA_ARCH_LIST|PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|TMPDIR|HTTPS?_PROXY"
    r"|KMP_DUPLICATE_LIB_OK|VIRTUAL_ENV|CONDA_PREFIX))\s?[=:]\s?(?P<value>.*)"
)
# The command for which a shell sets a variable: CUDA_VISIBLE_DEVICES=0,1 NCCL_DEBUG=INFO python train.py.
_FOR_COMMAND = re.compile(
    r"(?:(?P<value>[\w,:.'\"-]{1,200})\s{1,8})?(?:[A-Z]\w{1,40}=\S{0,80}\s{1,8}){0,8}"
    r"(?:python[\d.]{0,5}|torchrun|accelerate|deepspeed|mpirun|srun|bash|sh|uv|vllm|jupyter|\./\S{1,80})\s"
)
_GPU = re.compile(
    r"[\s>*|#-]{0,12}(?:\[?GPU ?(?:\d{1,3}(?:,\d{1,3})*)\]?|cuda:\d{1,2})\s{0,3}[:=]\s{0,3}(?P<name>.*)"
)
_VERSION = re.compile(
    r"v?(\d{1,4}(?:\.\d{1,6}){0,5}(?:[abrc.-]+(?:dev|post|rc|a|b|git)?\w{1,12})?(?:\+[\w.]{1,40})?)"
)
_NOTHING = ("n/a", "could not collect", "none", "no cuda", "not available", "not found", "unknown", "")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def parse_collect_env(text: Text) -> Iterator[Observation]:
    """Yield the facts of every `key: value` line; a value that was not collected is no fact.

    `torch.cuda` and `torch.hip` are `none` if the report states that the build has none.
    """
    has_table = "sys.platform" in text.lower
    for number, line in zip(text.numbers, text.lines, strict=True):
        if has_table and (row := _ROW.match(line)):
            key = row["key"].lower()
            key = "gpu" if key.startswith("gpu ") and key != "gpu available" else key
            yield from _fact(_ROW_NAMES.get(key) or _NAMES[key], row["value"].strip(), line, number)
        elif ":" not in line and "=" not in line and "|" not in line and "..." not in line:
            continue
        elif ("=" in line or "_VISIBLE_DEVICES" in line) and (variable := _VARIABLE.match(line)):
            value = variable["value"].strip()
            if command := _FOR_COMMAND.match(value):
                value = command["value"] or ""
            value = value.strip("\"'")
            yield Observation(name=f"env.{variable['name']}", value=value, source=line, line=number)
        elif ("gpu" in line.lower() or "cuda:" in line) and (gpu := _GPU.match(line)):
            yield from _fact("nvidia.gpu", gpu["name"], line, number)
        elif pair := _LINE.match(line):
            name = _NAMES.get(pair["key"].strip().lower())
            if name:
                yield from _fact(name, pair["value"].strip().strip("`'\"*|").strip(), line, number)


def _fact(name: str, value: str, line: str, number: int) -> Iterator[Observation]:
    read = _READ.get(name)
    if read is None:
        read = _available if name.endswith(".available") else _number if name in _NUMBERS else _words
        read = _number if name.startswith("package.") else read
    if read in (_cuda, _available, _accelerator) or value.lower() not in _NOTHING:
        for fact, stated in read(name, value):
            yield Observation(name=fact, value=stated, source=line, line=number)


def _words(name: str, value: str) -> Iterator[tuple[str, str]]:
    yield name, value[:400]


def _number(name: str, value: str) -> Iterator[tuple[str, str]]:
    # A toolkit's version ends in the day of its build: 12.4.131_cuda_12.4.r12.4/compiler.
    # "Driver Version: 0" is what a program prints that found no driver.
    if (match := _VERSION.search(value.split("_", maxsplit=1)[0])) and match[1] != "0":
        yield name, match[1]


def _cuda(name: str, value: str) -> Iterator[tuple[str, str]]:
    # N/A says that torch could not be imported; the build has none of it where it is `None`, which old
    # reports wrote as "Could not collect".
    if value.lower() in ("none", "no cuda", "not available", "could not collect") or value.lower().startswith(
        "none "
    ):
        yield name, "none"
    elif match := _VERSION.match(value):
        yield name, match[1]


def _available(name: str, value: str) -> Iterator[tuple[str, str]]:
    word = value.lower().split()[0].strip(".,;`'\"") if value else ""
    if word in _TRUE or word in _FALSE:
        yield name, str(word in _TRUE).lower()


def _accelerator(_: str, value: str) -> Iterator[tuple[str, str]]:
    """Yield what `accelerate env` says that torch computes on; N/A is the processor."""
    name = value.lower()
    if name in ("cuda", "xpu", "mps"):
        yield f"{name}.available", "true"
    elif name in ("n/a", "cpu"):
        yield "cuda.available", "false"


def _libc(_: str, value: str) -> Iterator[tuple[str, str]]:
    if match := re.match(r"(glibc|musl)-?(\d{1,2}\.\d{1,3})?", value.lower()):
        yield "libc.name", match[1]
        if match[2]:
            yield "libc.version", match[2]


def _torch(_: str, value: str) -> Iterator[tuple[str, str]]:
    if match := _VERSION.match(value):
        yield "torch.version", match[1]
        # `transformers env` and mmcv put availability behind the version.
        if available := re.search(r"\((True|False)\)", value):
            yield "cuda.available", available[1].lower()


def _python(_: str, value: str) -> Iterator[tuple[str, str]]:
    if match := re.match(r"(\d\.\d{1,2}(?:\.\d{1,2})?t?)", value):
        yield "python.version", match[1]
    if bits := re.search(r"\b(32|64)[- ]?bit", value):
        yield "python.bits", bits[1]
    if re.search(r"free-?thread", value, re.IGNORECASE):
        yield "python.free_threaded", "true"


def _gpu(_: str, value: str) -> Iterator[tuple[str, str]]:
    value = re.sub(r"^GPU ?\d{1,3}: ?", "", value)
    name = value.split("(UUID")[0].strip().strip("'\"`")[:80]
    # vLLM's topology table and process lists have rows that begin alike.
    kind = next((kind for kind, pattern in _VENDORS if pattern.match(name)), None)
    if kind:
        yield kind, name


_NUMBERS = ("nvidia.capability", "nvidia.driver", "cuda.toolkit", "cudnn.version")
_VENDORS = (
    (
        "nvidia.gpu",
        re.compile(
            r"NVIDIA|GeForce|Tesla|Quadro|GRID|TITAN|[ARHBTVLP]\d{1,4}\b|RTX|GTX|Graphics Device",
            re.IGNORECASE,
        ),
    ),
    ("amd.gpu", re.compile(r"AMD|Radeon|gfx\d", re.IGNORECASE)),
    ("intel.gpu", re.compile(r"Intel", re.IGNORECASE)),
)
_READ = {
    "torch.cuda": _cuda,
    "torch.hip": _cuda,
    "torch.version": _torch,
    "libc": _libc,
    "accelerator": _accelerator,
    "python.version": _python,
    "nvidia.gpu": _gpu,
}
