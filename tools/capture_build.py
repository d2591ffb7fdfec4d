"""Capture what an environment with PyTorch is made of, for the stand-ins that the tests break.

Run from the repository root, once for each environment; the folder's name is the name of the build:

    python tools/capture_build.py ENVIRONMENT tests/breaks/builds/NAME.json

Of each package: version, requirements, tags, and the files that can break (libraries, programs, `__init__.py`). Of each
library: the libraries that it needs, where it looks for them, and those of its symbols in which versions show.
No path of a machine is kept, neither of this one nor of the one that built the wheel. readelf and nm read the
libraries, so that the tests do not compare the project's own readers with themselves.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

# Names in which versions of CUDA's libraries show; the others are too many to keep.
_TELLING = re.compile(r"^(nccl[A-Z]\w*|__nvJitLink\w+)$")
_KEPT = re.compile(
    r"(\.so(\.[\w.]+)?|/bin/[\w-]+|^[\w-]+\.py)$|^\w+/(version|__init__)\.py$|^nvidia/.*/__init__\.py$"
)
# Of packages that no test breaks file by file, one library and the first modules are enough.
_WHOLE = ("torch", "nvidia", "triton", "cuda-toolkit")
_MOST_FILES = 6
_LEFT_OUT = {"pip", "wheel"}
_TORCH_FILES = ("torch/functional.py", "torch/random.py", "torch/nn/functional.py", "torch/serialization.py")


def capture(site: Path) -> dict[str, Any]:
    """Capture every package of one folder of packages."""
    found = {}
    for distribution in sorted(metadata.distributions(path=[str(site)]), key=lambda each: each.name.lower()):
        if distribution.name.lower() not in _LEFT_OUT:
            found[distribution.name] = _package(distribution, site)
    version = re.search(r"__version__ = '([\w.+]+)'", (site / "torch" / "version.py").read_text("utf-8"))
    return {"built": version[1] if version else None, "packages": found}


def _package(distribution: metadata.Distribution, site: Path) -> dict[str, Any]:
    tags = re.findall(r"^Tag: (\S+)", distribution.read_text("WHEEL") or "", re.MULTILINE)
    kept_extras = distribution.name in ("torch", "cuda-toolkit")
    files: dict[str, Any] = {}
    for file in distribution.files or ():
        path = str(file)
        if path.startswith("..") or not (_KEPT.search(path) or path in _TORCH_FILES):
            continue
        if len(files) >= _MOST_FILES and not distribution.name.startswith(_WHOLE):
            break
        elf = _library(site / path) if ".so" in Path(path).name else None
        files[path] = {"bytes": file.size or 0, **({"elf": elf} if elf else {})}
    return {
        "version": distribution.version,
        "requires": [line for line in distribution.requires or () if kept_extras or "extra ==" not in line],
        "tags": tags,
        "files": files,
    }


def _library(path: Path) -> dict[str, Any] | None:
    dynamic = _said("readelf", "--dynamic", "--wide", str(path))
    if "Dynamic section" not in dynamic:
        return None
    elf: dict[str, Any] = {
        "needed": re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic),
        "soname": _first(r"\(SONAME\).*\[(.*)\]", dynamic),
        "rpath": _beside(_first(r"\(RPATH\).*\[(.*)\]", dynamic)),
        "runpath": _beside(_first(r"\(RUNPATH\).*\[(.*)\]", dynamic)),
    }
    for line in _said("nm", "--dynamic", str(path)).splitlines():
        *_, kind, symbol = line.split()
        name = symbol.partition("@")[0]
        if _TELLING.match(name):
            elf.setdefault("undefined" if kind in "Uw" else "defined", []).append(name)
    return {key: value for key, value in elf.items() if value}


def _beside(folders: str | None) -> str | None:
    """Those of the folders that are named from the library's own."""
    return ":".join(each for each in (folders or "").split(":") if each.startswith("$ORIGIN")) or None


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1] if found else None


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, errors="replace").stdout


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("environment", type=Path)
    parser.add_argument("target", type=Path)
    chosen = parser.parse_args()
    document = capture(next(chosen.environment.glob("lib/python*/site-packages")))
    text = json.dumps(document, indent=1)
    chosen.target.parent.mkdir(parents=True, exist_ok=True)
    chosen.target.write_text(re.sub(r"\n {3,}|\n {2}(?=[\]}])", "", text) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
