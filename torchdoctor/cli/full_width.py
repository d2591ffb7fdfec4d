"""What click puts together itself, with the marks of Chinese: the headings of its help, and its errors."""

from __future__ import annotations

import re

import click

from torchdoctor.core.i18n.catalog import gettext

__all__ = ["FullWidthHelp", "in_full_width"]

# A name in quotes, or a Chinese sign: what stands behind it is a mark of a Chinese sentence.
_BEFORE = r"(?<=['\"）\u4e00-\u9fff])"  # noqa: RUF001


class FullWidthHelp(click.HelpFormatter):
    """A help whose colons are full-width, and hold their own space."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the first line."""
        super().write_usage(prog, args, gettext("Usage:") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write the line above a list."""
        self.write(f"{'':>{self.current_indent}}{heading}：\n")  # noqa: RUF001


def in_full_width(text: str) -> str:
    """A Chinese error of click's, whose sentences are joined by ASCII marks and spaces."""
    text = re.sub(rf"{_BEFORE}\.(?=\s|$)", "。", text)
    text = text.replace("', '", "'、'")
    return re.sub(r"(?<=[，。；：？！]) +", "", text)  # noqa: RUF001
