"""The template engine of the HTML pages: everything is escaped, nothing is loaded, no script runs.

jinja2 stays a dependency: it escapes every value by default and refuses an undefined one. Plain Python would need a
call to escape at each of some hundred places, and one that is forgotten lets a device's name put markup into the page.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import translate
from torchdoctor.core.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

__all__ = ["page_engine", "read_style", "style_digest"]

_FOLDER = Path(__file__).parent


def page_engine(*, translated: bool = False) -> Environment:
    """Return the engine for the templates in this folder; with `translated` it shows texts in the user's language."""
    import jinja2  # some 40 ms, for pages alone

    finalize: Callable[[object], object] = _translated if translated else _seen
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )


def _translated(value: object) -> object:
    return visible(translate(value)) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _seen(value: object) -> object:
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def read_style(name: str) -> str:
    """Return a stylesheet of this folder."""
    return (_FOLDER / name).read_text("utf-8")


def style_digest(style: str) -> str:
    """Return the digest by which the page's policy allows this stylesheet and no other."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
