"""Right inputs of each parser, which the fuzzer spoils, and pieces that break parsers."""
# ruff: noqa: E501  (inputs stand as they are)

from __future__ import annotations

import json

URL = "https://example.org/simple/torch/"
NAME = "torch-2.13.0+cu130-cp312-cp312-manylinux_2_28_x86_64.whl"
SHA = "ab" * 32
# What breaks parsers: ends, numbers without end, signs that act, other digits, half a pair, deep nests.
PIECES = (
    "", "\x00", "\x1b[2J", "\u202e", "\ufeff", "\u2028", "\r", "\n", "\t", "\\", "/", "..", "../../x", "%2e%2e", "%00",
    "'", '"', "<", ">", "<!--", "]]>", "&#0;", "&#x110000;", "{", "[" * 300, '{"a":' * 300, "]", "}", ",", ":", ";",
    "=", "#", "@", "$(x)", "`x`", "!", "9" * 400, "-1", "1e999", "NaN", "Infinity", "null", "true", "٣", "²", "Ⅷ",
    "\ud800", "\U0001f600", "a" * 2000, " " * 500, "1." * 200, "file:///etc/passwd", "http://[", "https://a:b@c/d?e#f",
    "python_version < '3'", "'a' in 'aaa'", "extra == 'x'", "-r x", "--hash=sha256:", "; ", " @ ", "[extra]", "!=", "~=",
    "con", "NUL.txt", "sha256=", "cp312", "any", "0x10", "1_000", "__proto__",
)  # fmt: skip


SMI = """Tue Dec  1 03:38:25 2026
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: 13.0     |
|-----------------------------------------+------------------------+----------------------+
|   0  NVIDIA GeForce RTX 4090        Off |   00000000:01:00.0 Off |                  Off |
|  0%   35C    P8             12W /  450W |       1MiB /  24564MiB |      0%      Default |
+-----------------------------------------+------------------------+----------------------+
"""
ROCMINFO = """*******
Agent 2
*******
  Name:                    gfx1100
  Marketing Name:          Radeon RX 7900 XTX
  Vendor Name:             AMD
  Device Type:             GPU
"""
TRACE = """Traceback (most recent call last):
  File "/home/ada/train.py", line 3, in <module>
    x.to("cuda:0")
AssertionError: Torch not compiled with CUDA enabled
PyTorch version: 2.13.0+cpu
CUDA used to build PyTorch: None
Nvidia driver version: 580.95.05
ERROR: Could not find a version that satisfies the requirement torch==9.9 (from versions: 2.6.0, 2.7.0)
"""
LOCK = f"""lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
created-by = "torchdoctor"
[[packages]]
name = "torch"
version = "2.13.0+cu130"
marker = "python_version >= '3.9'"
[[packages.wheels]]
name = "{NAME}"
url = "https://download.pytorch.org/whl/cu130/{NAME}"
size = 5
hashes = {{sha256 = "{SHA}"}}
"""
MACHINE = {
    "os": "linux", "os_version": "22.04", "arch": "x86_64", "libc": {"name": "glibc", "version": "2.35"}, "wsl": False,
    "container": None, "python": {"implementation": "cpython", "version": "3.12.4", "free_threaded": False, "bits": 64},
    "nvidia": {"driver": "550.54.15", "gpus": [{"name": "RTX 4090", "compute_capability": "8.9", "memory_mib": 24564}]},
}  # fmt: skip
RECORD = {
    "schema": 1, "written": "2026-12-01", "torchdoctor": "0.1.0", "plan": {"variant": "cu130"},
    "files": [{"name": "torch", "version": "2.13.0", "filename": NAME, "sha256": SHA, "size": 5, "url": URL + NAME, "vouched_by": "facts", "requires": ["numpy; extra == 'x'"]}],
    "asked": [{"requirement": "timm", "origin": "--with"}],
}  # fmt: skip
SIMPLE = {
    "meta": {"api-version": "1.4"}, "name": "torch", "project-status": {"status": "archived"},
    "files": [{"filename": NAME, "url": NAME, "hashes": {"sha256": SHA}, "requires-python": ">=3.9", "yanked": False, "size": 5, "core-metadata": {"sha256": SHA}, "upload-time": "2026-01-01T00:00:00Z"}],
}  # fmt: skip
HTML = f'<!DOCTYPE html><meta name="pypi:repository-version" content="1.4"><a href="{NAME}#sha256={SHA}" data-requires-python="&gt;=3.9" data-yanked="" data-core-metadata="sha256={SHA}">{NAME}</a>'
METADATA = "Metadata-Version: 2.4\nName: torch\nVersion: 2.13.0\nLicense-Expression: MIT\nClassifier: License :: X\nRequires-Dist: numpy>=1; python_version < '3.13'\n\n# text\n"

SEEDS: dict[str, tuple[str, ...]] = {
    "index pages, HTML": (HTML,),
    "index pages, JSON": (json.dumps(SIMPLE),),
    "wheel names": (NAME, "a-1-py3-none-any.whl", "a-1-1x-cp39.py3-abi3-win32.whl"),
    "metadata": (METADATA,),
    "small files of an environment": (
        '{"url": "https://a:b@c/d", "dir_info": {"editable": true}}',
        "__version__ = '2.1'\ncuda: str = None\n",
        '{"name": "mkl", "version": "1", "depends": ["a"]}',
        "import x\n/a/b\n",
    ),
    "locks": (LOCK,),
    "requirements": (
        f"torch>=2 ; python_version > '3.8'\nnumpy==1.0 --hash=sha256:{SHA} \\\n  --hash=sha256:{SHA}\n--extra-index-url https://a:b@c/simple\n",
        "x[y] @ https://example.org/x-1-py3-none-any.whl#sha256=1\n-c other.txt\n",
    ),
    "machine files": (json.dumps(MACHINE), json.dumps({"machine": MACHINE})),
    "nvidia-smi": (
        SMI,
        "NVIDIA GeForce RTX 4090, 24564, 580.95.05\n",
        "GPU 0: NVIDIA A100 (UUID: GPU-1)\n",
        '{"driver": "580", "gpus": []}',
    ),
    "rocminfo, amd-smi": (
        ROCMINFO,
        '[{"gpu": 0, "asic": {"market_name": "x", "target_graphics_version": "gfx1100"}}]',
        "gfx_target_version 110000\nvendor_id 4098\n",
    ),
    "torchdoctor.json": (json.dumps(RECORD),),
    "stored indexes": (
        '{"schema": 1, "as_of": "2026-01-01", "pypi": false, "requires": {"torchvision-1": ["torch==2"]}, "groups": []}',
    ),
    "sums of bundles": (f"{SHA}  {NAME}\n{SHA}  install.py\n",),
    "texts to diagnose": (TRACE, SMI + TRACE),
}
