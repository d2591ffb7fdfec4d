"""Where wheels can come from: what was asked, a mirror, the official index, pip's and uv's settings, PyPI."""

from torchdoctor.sources.configured import Setting, pip_settings, uv_settings
from torchdoctor.sources.order import Sources, sources_in_order
from torchdoctor.sources.shelf import SourceShelf
from torchdoctor.sources.source import OFFICIAL, PYPI, Source

__all__ = [
    "OFFICIAL",
    "PYPI",
    "Setting",
    "Source",
    "SourceShelf",
    "Sources",
    "pip_settings",
    "sources_in_order",
    "uv_settings",
]
