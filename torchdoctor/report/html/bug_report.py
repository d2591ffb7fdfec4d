"""The sections of a bug report as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.report.html.engine import page_engine, read_style, style_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.report.bug_report_sections import Section

__all__ = ["bug_report_page"]


def bug_report_page(sections: Sequence[Section], *, title: str) -> str:
    """Return a page that loads nothing and runs nothing: its policy allows its own style alone."""
    style = read_style("bug_report.css")
    template = page_engine().get_template("bug_report.html")
    return template.render(sections=sections, title=title, style=style, digest=style_digest(style))
