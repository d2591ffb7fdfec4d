"""A log in which another package replaces torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["torch_replaced_in_log"]

# What an installer prints when it takes a package out by itself: who uninstalls by hand sees none of it.
_INSTALLERS = ("attempting uninstall", "found existing installation", " - torch==", "uninstalling torch-")


def torch_replaced_in_log(evidence: Evidence) -> Match | None:
    """A log in which torch is taken out and another build of it put in."""
    removed, came = evidence.observations("torch.removed"), evidence.observations("torch.installed")
    if not removed:
        return None
    others = [torch for torch in came if torch.value != removed[0].value]
    if not others and (came or not any(needle in evidence.text.lower for needle in _INSTALLERS)):
        return None
    return Match(evidence=tuple(source(torch) for torch in (removed[0], *others[:1])))
