"""Which command's output a text has already: nobody is asked to run what was pasted."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["commands_in", "is_recognised", "output_line"]

_COMMAND = re.compile(r"`([^`\n]{2,300})`")


class _Output(NamedTuple):
    """A command, the beginning of a line that it prints, in lower case, and facts that only its output gives."""

    command: str
    printed: str = ""
    facts: tuple[str, ...] = ()


# The more special command first: the first one that matches counts.
_OUTPUTS = (
    _Output(r"nvidia-smi (?:topo|nvlink)\b", r"gpu0\s+gpu1\b|legend:"),
    _Output(r"nvidia-smi -q\b.*(?:ecc|performance)", facts=("nvidia.throttle", "nvidia.ecc_uncorrectable")),
    _Output(r"nvidia-smi -q\b", r"=+\s?nvsmi log|attached gpus\s+:"),
    _Output(r"nvidia-smi -l\b", r"\s*gpu \d+: .*\(uuid: "),
    _Output(r"nvidia-smi --query-gpu=compute_mode", r"compute_mode", ("nvidia.compute_mode",)),
    _Output(r"nvidia-smi --query-gpu=persistence_mode", r"persistence_mode"),
    _Output(r"nvidia-smi --query-gpu=mig", r"mig\.mode", ("nvidia.mig_mode",)),
    _Output(
        r"!?nvidia-smi$",
        r"\|\s*nvidia-smi \d|nvidia-smi has failed|failed to initialize nvml|no devices were found"
        r"|.*nvidia-smi['\u2019]?(?::|\uff1a| is) ?(?:command not found|not found|not recognized|未找到命令)"
        r"|.*nvidia-smi['\u2019]? 不是内部或外部命令",
    ),
    _Output(r"cat /proc/driver/nvidia/version", r"nvrm version:"),
    _Output(
        r"nvcc --version|ptxas --version",
        r"cuda compilation tools|.{0,60}nvcc['\u2019]?(?::|\uff1a| is) ?(?:command not|not|未找到)",
    ),
    _Output(
        r"(?:c\+\+|g\+\+|cc|gcc) --version",
        r"(?:c\+\+|g\+\+|gcc|cc)(?:-\d+)? \(|.{0,60}\b(?:c\+\+|g\+\+|gcc|cc): (?:command )?not found",
    ),
    _Output(r"cl$", r"microsoft \(r\) c/c\+\+|.*['\"]cl['\"] is not recognized"),
    _Output(r"(?:python -m )?pip (?:list|freeze)\b|uv pip list", r"package\s+version\b|torch\s{2,}\d+\.\d\S*\s*$"),
    _Output(r"(?:python -m )?pip show torch\b", r"name: torch\s*$|.*package\(s\) not found: torch\b"),
    _Output(
        r"(?:python -m )?pip check",
        r"no broken requirements|.{1,80} has requirement .{1,80} but you have"
        r"|.{1,80} requires .{1,80} which is not installed",
    ),
    _Output(r"(?:python -m )?pip --version", r"pip \d+(?:\.\d+)+ from "),
    _Output(r"(?:python -m )?pip debug", r"compatible tags: \d"),
    _Output(r"(?:python -m )?pip config list", r"(?:global|install|site|user|:env:)\.[\w-]+="),
    _Output(r"conda list", r"# packages in environment at"),
    _Output(r"conda info", r"\s*virtual packages :|\s*active environment :"),
    _Output(r"python -vv|python --version", r"python \d\.\d+\.\d+"),
    _Output(
        r".*print\(sys\.executable\)",
        r".{0,40}sys\.executable.*[/\\]python|(?:/|[a-z]:\\)\S*[/\\]python(?:\d[\d.]*)?(?:\.exe)?\s*$",
    ),
    _Output(r".*torch\.__file__", r".*[/\\]torch[/\\]__init__\.pyc?['\"]?(?:\s|$)"),
    _Output(r".*torch\.cuda\.get_arch_list\(\)", facts=("torch.archs",)),
    _Output(r".*torch\.cuda\.get_device_capability\(\)", facts=("nvidia.capability",)),
    _Output(
        r".*print\(torch\.__version__, torch\.version\.cuda\)|.*torch\.__version__'",
        facts=("torch.cuda", "torch.build"),
    ),
    _Output(r".*print\(torch\.version\.cuda\)", facts=("torch.cuda", "torch.build")),
    _Output(r".*print\(torch\.__version__\)", facts=("torch.version",)),
    _Output(r".*platform\.platform\(\)", facts=("os.name", "python.platform", "libc.version")),
    _Output(r".*collect_env", r"collecting environment information|versions of relevant libraries"),
    _Output(r"python -m xformers\.info", r"memory_efficient_attention\.|xformers \d|build\.torch_version"),
    _Output(r"ldd --version", r"ldd \(|musl libc"),
    _Output(r"ls (?:-l )?/dev/(?:nvidia|kfd)", r"c[rwx-]{9}.*/dev/(?:nvidia|kfd)|ls: .*/dev/(?:nvidia|kfd)"),
    _Output(r"df -h", facts=("disk.used",)),
    _Output(r"lspci\b", r"(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d .*(?:vga|3d|display)|\s*kernel driver in use:"),
    _Output(r"lscpu", facts=("cpu.name", "cpu.flags")),
    _Output(
        r"rocminfo\b",
        r"name:\s+gfx\d|hsa system attributes|name:\s+amdgcn-amd|.{0,60}rocminfo: command not found",
        ("amd.gfx",),
    ),
    _Output(r"(?:sudo )?dmesg|journalctl", r"(?:\[\s*\d+\.\d+\]|[a-z]{3} \d\d \d\d:).*(?:nvrm|nvidia|amdgpu)"),
    _Output(r"dkms status", r"nvidia(?:-\w+)?[/,] ?\d{3}\."),
    _Output(r"mokutil --sb-state", r"secureboot (?:enabled|disabled)"),
    _Output(r"prime-select query", r"(?:nvidia|intel|on-demand)\s*$"),
    _Output(r"curl -i ", r"http/[12](?:\.\d)? \d{3}|curl: \(\d+\)"),
    _Output(r"wsl(?:\.exe)? --version|wsl -l -v", r"wsl(?: version|\s?版本)\s?[:\uff1a]|\s*name\s+state\s+version"),
    _Output(r"jupyter kernelspec list|torchdoctor jupyter-kernel list", r"available kernels:"),
    _Output(r"uname -m", r"(?:x86_64|aarch64)\s*$"),
    _Output(r"id(?: -un)?$", r"uid=\d+"),
    _Output(r"ulimit -n$", r"open files\s"),
    _Output(r"clinfo -l", r"platform #\d"),
    _Output(
        r"env \| grep",
        r"(?:cuda_|ld_library_path|ld_preload|pythonpath|hip_|rocr_|hsa_|pytorch_|nvidia_)\w*=",
    ),
    _Output(r"powershell .*psdrive", r"\s*name\s+used \(gb\)\s+free"),
    _Output(r"powershell .*get-childitem env:", r"name\s+: (?:cuda|python|hip)|value\s+: "),
)  # fmt: skip


def commands_in(text: str) -> tuple[str, ...]:
    """Return the commands that a sentence names."""
    return tuple(_COMMAND.findall(text))


def is_recognised(command: str) -> bool:
    """Tell whether the output of a command is recognised in a text."""
    return _output_of(command.strip()) is not None


def output_line(command: str, evidence: Evidence) -> int | None:
    """Return the number of a line of the text that the command printed; None if the text has nothing of it.

    Facts of a live machine have no line, and are no pasted output.
    """
    output = _output_of(command.strip())
    if output is None:
        return None
    if output.printed:
        found = _beginning(output.printed)
        numbered = zip(evidence.text.numbers, evidence.text.lines, strict=True)
        printed = next((number for number, line in numbered if found.match(line.lower())), None)
        if printed is not None:
            return printed
    lines = (fact.line for name in output.facts for fact in evidence.observations(name))
    return next((line for line in lines if line), None)


@functools.cache
def _output_of(command: str) -> _Output | None:
    lower = command.lower()
    return next((output for output in _OUTPUTS if re.match(output.command, lower)), None)


@functools.cache
def _beginning(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"[\s>|$#*-]{{0,12}}(?:{pattern})")
