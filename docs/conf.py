"""Sphinx: Markdown pages by MyST in furo's dress."""

from torchdoctor._version import __version__

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
