"""The check of the network: whether the index of PyTorch answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.doctor.checks.model import CheckText

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp

__all__ = ["describe_network"]


def describe_network(check_up: CheckUp) -> CheckText:
    """In how many milliseconds the index answers, or why it does not."""
    reach = check_up.reach
    if reach is None:
        return CheckText(text=message("not asked"), mark="unknown")
    through = f" ({reach.through})" if reach.through else ""
    if reach.seconds is not None:
        text = message(
            "{host} answers in {milliseconds} ms{through}",
            host=reach.host,
            milliseconds=f"{reach.seconds * 1000:.0f}",
            through=through,
        )
        return CheckText(text=text)
    text = message(
        "{host} cannot be reached: {why}; `--mirror auto` or `--find-links` help an installation",
        host=reach.host + through,
        why=reach.reason,
    )
    return CheckText(text=text, mark="unknown")
