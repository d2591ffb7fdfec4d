"""The console of tables and bars: what stands in a text is shown, only rich's own codes act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from torchdoctor.core.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

__all__ = ["GuardedConsole"]


class GuardedConsole(Console):
    """A rich console that shows an escape for each character that acts, reorders or is not seen."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of what is printed; those that are codes of rich's own, such as of bars, stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))
