"""The check-up of a live machine: everything looked at once, judged by the same rules as a pasted report."""

from torchdoctor.checkup.look import Looking, look
from torchdoctor.checkup.seen import Reach, Seen

__all__ = ["Looking", "Reach", "Seen", "look"]
