"""From a paste to a diagnosis: the right failure first, with a fix that can be pasted, in any wrapping."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import diagnose_text

TOO_OLD = """\
PyTorch version: 2.12.0+cu130
Is debug build: False
CUDA used to build PyTorch: 13.0
OS: Ubuntu 22.04.4 LTS (x86_64)
Python version: 3.11.9 (main, Apr 19 2024) [GCC 11.2.0] (64-bit runtime)
Is CUDA available: False
GPU models and configuration: GPU 0: NVIDIA GeForce RTX 4090
Nvidia driver version: 550.54.15
"""


def test_the_driver_is_judged_by_its_version_against_the_builds():
    """Nothing in the report says what is wrong; the two numbers do."""
    found = diagnose_text(TOO_OLD).findings[0]
    assert found.id == "driver-too-old"
    assert found.evidence == ("Nvidia driver version: 550.54.15", "PyTorch version: 2.12.0+cu130")


def test_the_fix_names_the_build_that_the_driver_can_run():
    """The resolver's own plan, for the release that is installed."""
    fix = diagnose_text(TOO_OLD).findings[0].fix
    assert (
        "python -m pip install torch==2.12.0+cu126 torchvision==0.27.0+cu126 torchaudio==2.11.0+cu126"
        " --index-url https://download.pytorch.org/whl/cu126"
    ) in fix


def test_quotes_bullets_and_escapes_change_nothing():
    """A report quoted in a reply, indented in a list, coloured by a terminal: the same answer."""
    plain = diagnose_text(TOO_OLD)
    for wrapped in (
        "".join(f"> > {line}\n" for line in TOO_OLD.splitlines()),
        "".join(f"    - {line}\n" for line in TOO_OLD.splitlines()),
        "".join(f"\x1b[32m{line}\x1b[0m\r\n" for line in TOO_OLD.splitlines()),
        f"<details>\n<pre>\n{TOO_OLD}</pre></details>",
    ):
        assert [row.id for row in diagnose_text(wrapped).findings] == [row.id for row in plain.findings]


def test_a_text_that_says_nothing_gets_what_to_run_next():
    """No finding is made up; the verdict says what is missing."""
    found = diagnose_text("it does not work, please help")
    assert (found.verdict, found.findings) == ("not-enough-to-tell", ())
    assert any("collect_env" in step for step in found.next_steps)


def test_a_healthy_report_lists_what_was_looked_at():
    """Nothing wrong found, with the facts that were judged."""
    healthy = TOO_OLD.replace("550.54.15", "580.65.06").replace("available: False", "available: True")
    found = diagnose_text(healthy)
    assert (found.verdict, found.findings) == ("nothing-wrong-found", ())
    assert "NVIDIA driver: 580.65.06" in found.checked


REPLACED = """\
$ pip install xformers
Collecting torch==2.3.1 (from xformers)
  Attempting uninstall: torch
    Found existing installation: torch 2.4.0+cu121
    Uninstalling torch-2.4.0+cu121:
      Successfully uninstalled torch-2.4.0+cu121
Successfully installed torch-2.3.1 xformers-0.0.27
AssertionError: Torch not compiled with CUDA enabled
"""


def test_the_cause_is_told_and_what_follows_from_it_is_named_there():
    """torch was replaced; that it is a CPU build now is a consequence, and the package is named."""
    found = diagnose_text(REPLACED).findings
    assert found[0].id == "torch-replaced-by-other-package"
    assert "cpu-only-wheel" in found[0].explains
    assert "xformers" in found[0].explanation


def test_what_a_message_says_is_enough_for_an_exact_fix():
    """The driver's CUDA in the error, the GPU in the warning: the build is named without any report."""
    for text, index in (
        ("The NVIDIA driver on your system is too old (found version 11040).", "cu118"),
        ("NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current", "cu128"),
    ):
        steps = diagnose_text(text).findings[0].fix
        assert any(step.endswith(f"--index-url https://download.pytorch.org/whl/{index}") for step in steps)


def test_a_gpu_that_a_build_dropped_gets_the_same_torch_in_another_build():
    """A Pascal card: the release stays, the index changes."""
    text = "NVIDIA GeForce GTX 1080 Ti\ntorch 2.8.0+cu128\nLinux\nno kernel image is available for execution"
    found = diagnose_text(text).findings[0]
    assert found.id == "gpu-arch-too-old"
    assert any("torch==2.8.0" in step and step.endswith("/cu126") for step in found.fix)


def test_what_an_administrator_or_the_host_must_do_is_said():
    """Nothing is proposed here that has to be done elsewhere."""
    driver = diagnose_text("The NVIDIA driver on your system is too old (found version 12040).").findings[0]
    assert driver.fix[0].startswith("As administrator:")
    docker = diagnose_text('could not select device driver "" with capabilities: [[gpu]]').findings[0]
    assert docker.fix[0].startswith("On the host, not here:")


LOOK_ALIKE = {
    "Failed to initialize NVML: Driver/library version mismatch": "driver-library-mismatch",
    "Failed to initialize NVML: Unknown Error": "container-lost-gpu-cgroup",
    "Failed to initialize NVML: GPU access blocked by the operating system": "wsl-host-too-old",
    "Error 802: system not yet initialized": "fabric-manager-not-running",
    "Error 804: forward compatibility was attempted on non supported HW": "cuda-compat-on-unsupported-gpu",
    "Error 803: system has unsupported display driver / cuda driver combination": "driver-library-mismatch",
    "after suspend: CUDA unknown error (999)": "nvidia-uvm-stale-after-suspend",
    "CUDA_VISIBLE_DEVICES=3 python a.py: no CUDA-capable device is detected": "cuda-visible-devices-wrong",
    "RTX 5090, torch 2.6.0+cu124: no kernel image is available": "gpu-arch-too-new",
    "GTX 1080, torch 2.9.1+cu128: no kernel image is available": "gpu-arch-too-old",
    "gsplat: no kernel image is available, RTX 4090, torch 2.9.1+cu128": "extension-built-for-other-arch",
}


@pytest.mark.parametrize(("text", "name"), LOOK_ALIKE.items(), ids=LOOK_ALIKE.values())
def test_look_alikes_are_told_apart(text, name):
    """One sentence, several causes: the rest of it decides."""
    assert diagnose_text(text).in_order[0].id == name


NONE = "ERROR: No matching distribution found for torch"
NO_MATCH = {
    "python-too-new": f"Python 3.15.0\nERROR: Could not find a version (from versions: none)\n{NONE}",
    "python-too-old": f"Python 3.6.9\nERROR: Could not find a version (from versions: 1.0.0, 1.10.2)\n{NONE}==2.9.1",
    "python-32bit": f"Python 3.9 (32-bit runtime)\n(from versions: 0.1.2, 0.1.2.post1)\n{NONE}",
    "musl-unsupported": f"FROM python:3.12-alpine\n(from versions: none)\n{NONE}",
    "glibc-too-old": f"CentOS 7, Python 3.9\n{NONE}==2.8.0",
    "macos-intel-unsupported": (
        "ERROR: Could not find a version that satisfies the requirement torch==2.6.0 "
        f"(from versions: 2.2.0, 2.2.1, 2.2.2)\n{NONE}==2.6.0"
    ),
    "macos-rosetta-python": f"MacBook M2, platform macosx_13_0_x86_64, Rosetta\n{NONE}==2.6.0",
    "windows-arm64-python": f"Windows 11 on Snapdragon, win_arm64\n(from versions: none)\n{NONE}",
    "wrong-index-url": f"macOS 14\nLooking in indexes: https://download.pytorch.org/whl/cu124\n{NONE}",
    "pip-too-old": f"You are using pip version 9.0.1, however version 24.0 is available.\n{NONE}",
    "proxy-not-set": f"Temporary failure in name resolution\n(from versions: none)\n{NONE}",
    "tls-certificate-not-trusted": f"[SSL: CERTIFICATE_VERIFY_FAILED]\n(from versions: none)\n{NONE}",
    "python-without-ssl": f"the ssl module in Python is not available.\n(from versions: none)\n{NONE}",
}


@pytest.mark.parametrize(("name", "text"), NO_MATCH.items(), ids=NO_MATCH)
def test_the_causes_of_no_matching_distribution(name, text):
    """Python, processor, C library, system, index, network: the list and what stands around it decide."""
    assert diagnose_text(text).in_order[0].id == name


@pytest.mark.parametrize(
    ("own", "confidence"),
    [("69.17 MiB", "certain"), ("7.50 GiB", "possible")],
    ids=["others", "this-process"],
)
def test_the_memory_that_others_hold_is_worked_out_of_the_message(own: str, confidence: str) -> None:
    found = diagnose_text(
        f"CUDA out of memory. Tried to allocate 216.00 MiB (GPU 0; 7.92 GiB total capacity; {own} already "
        f"allocated; 24.56 MiB free; {own} reserved in total by PyTorch)"
    )
    assert [(one.id, one.confidence) for one in found.in_order] == [("gpu-memory-held-by-others", confidence)]


CUDNN = (
    "RuntimeError: cuDNN version incompatibility: PyTorch was compiled  against (9, 10, 2) but found runtime version"
    " (9, 1, 0). PyTorch already comes bundled with cuDNN. One option to resolving this error is to ensure PyTorch can"
    " find the bundled cuDNN."
)
PIP_CHECK = (
    "torch 2.9.1 requires nvidia-cudnn-cu12==9.10.2.21, but you have nvidia-cudnn-cu12 9.1.0.70 which is "
    "incompatible.\n"
)


def test_another_cudnn_is_the_packages_where_pip_says_so():
    """torch's own sentence names no cause; without more, the usual one is only likely."""
    alone = diagnose_text(CUDNN).findings[0]
    assert (alone.id, alone.confidence) == ("ld-library-path-pollution", "likely")
    both = diagnose_text(PIP_CHECK + CUDNN).findings
    assert [(finding.id, finding.confidence) for finding in both] == [("nvidia-wheels-mixed", "certain")]


def test_another_cudnn_is_the_variables_where_torch_says_so():
    """It looks at LD_LIBRARY_PATH itself."""
    said = f"{CUDNN}Looks like your LD_LIBRARY_PATH contains incompatible version of cudnn. Please either remove it"
    found = diagnose_text(said).findings
    assert [(finding.id, finding.confidence) for finding in found] == [
        ("ld-library-path-pollution", "certain")
    ]
