"""Make all generated files: `python tools/generate.py`; with --check list those that are out of date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOLS = (
    "texts",
    "pages",
    "man",
    "failure_pages",
    "checks_page",
    "extensions_page",
    "matrix_pages",
    "schemas",
    "likeness",
)

if __name__ == "__main__":
    here = Path(__file__).parent
    ended = [
        subprocess.run([sys.executable, here / f"{name}.py", *sys.argv[1:]], check=False).returncode
        for name in TOOLS
    ]
    sys.exit(max(ended))
