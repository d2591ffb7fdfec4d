"""Sphinx: Markdown pages by MyST in furo's dress."""

import json
from pathlib import Path
from typing import Any

from torchdoctor._version import __version__
from wheels_index.matrix import matrix_document, matrix_schema_file

project = "torchdoctor"
author = "The torchdoctor authors"
copyright = author  # noqa: A001  # the name that Sphinx reads
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
# Types are shown as they are written; those of the standard library and of modules without a page have no link.
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
nitpick_ignore_regex = [("py:.*", r".*")]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "*.ipynb"]

html_theme = "furo"
html_title = "torchdoctor"
# A page is read where there is no network: no fonts or scripts from elsewhere.
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["_static"]
html_css_files = ["pages.css"]
# `--fix` is an option, not a dash.
smartquotes = False


def _write_matrix(app: Any, error: Exception | None) -> None:
    """Put the facts and their schema beside the pages: matrix.json and matrix.schema.json."""
    if error is None and app.builder.name == "html":
        Path(app.outdir, "matrix.json").write_text(json.dumps(matrix_document()), "utf-8")
        Path(app.outdir, "matrix.schema.json").write_text(matrix_schema_file().read_text("utf-8"), "utf-8")


def setup(app: Any) -> None:
    """Register what is written after the pages."""
    app.connect("build-finished", _write_matrix)
