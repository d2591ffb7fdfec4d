"""For conda: an environment whose packages of pip come from the right index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, translate
from torchdoctor.report.formats.pip import requirement_lines

if TYPE_CHECKING:
    from torchdoctor.report.formats.stack_text import StackText

__all__ = ["environment_yml"]


def environment_yml(text: StackText) -> str:
    """Return an environment.yml. PyTorch publishes for pip alone since 2.6, so conda gives Python and pip."""
    about = message("{title}: conda env create -f environment.yml", title=text.title)
    free_threaded = text.machine.python.free_threaded
    return "\n".join(
        [
            f"# {' '.join(translate(about).split())}",
            "name: torch",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            f"  - python={text.python}",
            *(["  - python-freethreading"] if free_threaded else []),
            "  - pip",
            "  - pip:",
            # A string of JSON is one of YAML: https://yaml.org/spec/1.2.2/#12-overview
            *(f"      - {json.dumps(line, ensure_ascii=False)}" for line in requirement_lines(text)),
        ]
    )
