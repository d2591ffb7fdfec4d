"""The case file: what is read from reports of any era, however they were pasted, and that nothing breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import Evidence, Observation
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.text import LIMIT, plain_text

SMI = """\
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 550.54.15              Driver Version: 550.54.15      CUDA Version: 12.4     |
|-----------------------------------------+------------------------+----------------------+
|   0  NVIDIA A100-SXM4-40GB          On  |   00000000:06:00.0 Off |                    0 |
| N/A   66C    P0            253W /  400W |   39000MiB /  40960MiB |     98%   E. Process |
"""


def test_a_report_of_key_and_value_lines():
    """Versions, build, system and Python, each with its line."""
    case = parse_report(
        "PyTorch version: 2.4.1+cu124\nCUDA used to build PyTorch: 12.4\nOS: Ubuntu 22.04.4 LTS (x86_64)\n"
        "Libc version: glibc-2.35\nPython version: 3.11.9 (main) [GCC 11.2.0] (64-bit runtime)\n"
        "Is CUDA available: False\nGPU models and configuration: \nGPU 0: NVIDIA GeForce RTX "
        "4090\nGPU 1: Tesla T4\n"
    )
    assert case.first("torch.version") == "2.4.1+cu124"
    assert case.first("torch.build") == "cu124"
    assert case.first("cuda.available") == "false"
    assert case.first("os.system") == "linux"
    assert (case.first("libc.version"), case.first("python.version")) == ("2.35", "3.11.9")
    assert case.all("nvidia.gpu") == ("NVIDIA GeForce RTX 4090", "Tesla T4")
    assert case.observations("nvidia.gpu")[1].line == 9


def test_the_aligned_report_of_vllm():
    """Keys padded to a column, sections between them, variables at the end."""
    case = parse_report(
        "==============================\n        System Info\n==============================\n"
        "OS                           : Red Hat Enterprise Linux release 8.3 (Ootpa) (x86_64)\n"
        "PyTorch version              : 2.5.1+cu124\nIs CUDA available            : True\n"
        "LD_LIBRARY_PATH=/usr/local/cuda/lib64\n"
    )
    assert (case.first("torch.version"), case.first("cuda.available")) == ("2.5.1+cu124", "true")
    assert case.first("env.LD_LIBRARY_PATH") == "/usr/local/cuda/lib64"


def test_a_report_of_2019_says_yes_and_no():
    """The words of that time."""
    case = parse_report("PyTorch version: 1.3.1\nIs debug build: No\nIs CUDA available: Yes\n")
    assert case.first("cuda.available") == "true"


def test_what_could_not_be_imported_is_not_a_cpu_build():
    """N/A is no answer; Could not collect, beside a version, was how a CPU build looked."""
    assert parse_report("CUDA used to build PyTorch: N/A").first("torch.cuda") is None
    assert parse_report("CUDA used to build PyTorch: Could not collect").first("torch.cuda") == "none"


def test_a_table_of_nvidia_smi():
    """Driver, its CUDA, the GPU, memory and compute mode."""
    case = parse_report(SMI)
    assert (case.first("nvidia.driver"), case.first("nvidia.cuda")) == ("550.54.15", "12.4")
    assert case.first("nvidia.gpu") == "NVIDIA A100-SXM4-40GB"
    assert (case.first("nvidia.memory"), case.first("nvidia.compute_mode")) == ("39000/40960", "E. Process")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.90.07  Fri May 31", "nvidia.driver", "550.90.07"),
        (">>> torch.cuda.is_available()\nFalse", "cuda.available", "false"),
        ("torch.__version__\n'2.1.0+cpu'", "torch.version", "2.1.0+cpu"),
        ("pytorch                   1.4.0               py3.7_cpu_0  [cpuonly]  pytorch", "package.torch", "1.4.0"),
        ("      Successfully uninstalled torch-2.4.0+cu121", "torch.removed", "2.4.0+cu121"),
        (" + torch==2.9.1", "torch.installed", "2.9.1"),
        ("Looking in indexes: https://download.pytorch.org/whl/cu124", "index", "https://download.pytorch.org/whl/cu124"),
        ("- PyTorch version (GPU?): 2.1.0+cu121 (True)", "cuda.available", "true"),
        ("Name: gfx1100", "amd.gfx", "gfx1100"),
        ("/dev/xvda1       78G     29G   46G   39% /", "disk.used", "39 /"),
        (r"C:\Users\user\venv\Scripts\python.exe", "os.system", "windows"),
        ("torch-2.4.0-cp38-cp38-linux_x86_64.whl", "python.version", "3.8"),
    ],
)  # fmt: skip
def test_a_line_gives_a_fact(text, name, value):
    """One kind of line, one fact."""
    assert parse_report(text).first(name) == value


def test_the_systems_that_wheels_exist_for_are_not_the_one_here():
    """uv lists them; only the platform that it looked for is this one."""
    case = parse_report(
        "Wheels are available for `torch` (v2.6.0) on the following platforms: "
        "`macosx_11_0_arm64`, `win_amd64`"
    )
    assert case.first("os.system") is None


def test_two_case_files_join_with_the_first_trusted_more():
    """A live fact stands before what a text says."""
    live = Evidence(facts=(Observation(name="nvidia.driver", value="580.65.06", source="NVML"),))
    joined = live.merged_with(parse_report("Nvidia driver version: 550.54.15"))
    assert joined.all("nvidia.driver") == ("580.65.06", "550.54.15")
    assert joined.text.lines


def test_a_wrapped_sentence_is_whole_and_keeps_its_line():
    """A terminal's line end is a blank, and the place is still known."""
    text = plain_text("one\nA module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.0.0")
    position = text.lower.index("cannot be run in numpy 2.0.0")
    assert text.line_at(position)[0] == 2


@given(st.text(max_size=400))
def test_any_text_is_read(raw):
    """No error, and every fact's line is one of the text's."""
    case = parse_report(raw)
    assert all(1 <= (fact.line or 1) <= raw.count("\n") + raw.count("\r") + 1 for fact in case.facts)


PIECES = [
    *SMI.splitlines(),
    "GPU 0: NVIDIA",
    "Python version: 3",
    "torch==",
    "\x1b[",
    "| |",
    "(from versions: ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_pieces_of_reports_in_any_order_are_read(lines):
    """Cut tables, half keys, lone escapes."""
    assert parse_report("\n".join(lines)).text.left_out == 0


@given(st.text(max_size=300))
def test_plain_text_hides_nothing(raw):
    """No control character, no escape, no mark that reorders text is left; positions fit in all three forms."""
    text = plain_text(raw)
    assert all(sign.isprintable() or not sign.isascii() for sign in text.flat)
    assert "\x1b" not in text.flat
    assert "\u202e" not in text.flat
    assert len(text.flat) == len(text.lower) == len(text.rows)


def test_of_a_long_text_the_ends_and_the_telling_lines_are_read():
    """What was run stands first, the error last; between them a line that speaks of torch is kept."""
    filler = "".join(f"nothing of note in row {number}\n" for number in range(60_000))
    text = plain_text(f"first line\n{filler}torch 2.9.1+cpu is here\n{filler}last line")
    assert text.lines[0] == "first line"
    assert text.lines[-1] == "last line"
    assert "torch 2.9.1+cpu is here" in text.lines
    assert text.left_out > 0
    assert sum(map(len, text.lines)) <= LIMIT
