"""What follows a fault: retry, leave the server, or end the transfer. The caller holds the lock of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.interfaces import FileChanged
from torchdoctor.fetch.transfer.retry import PROGRESS_BYTES
from torchdoctor.fetch.transfer.throughput import STALL_SECONDS

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.connection import Connection
    from torchdoctor.fetch.transfer.faults import FaultKind
    from torchdoctor.fetch.transfer.origin import Origin
    from torchdoctor.fetch.transfer.response import RangeResponse
    from torchdoctor.fetch.transfer.retry import RetryPolicy
    from torchdoctor.fetch.transfer.state import TransferState

__all__ = ["check_response", "should_retry"]

_MAX_MISSES = 3  # after so many failures an origin is left for another one


def check_response(state: TransferState, connection: Connection, response: RangeResponse) -> None:
    """Take in what a response says of the file; raises `Fault` when it is not the file that is being fetched."""
    origin = connection.origin
    if response.total is not None and response.total != state.size:
        reason = message(
            "the file there has {total} bytes and should have {size}", total=response.total, size=state.size
        )
        raise Fault(_contradiction(state, origin, reason), reason)
    if origin.validator is None:
        origin.validator = response.validator
        state.part.note_validator(origin.key, response.validator)
    if not response.ranged and origin.ranges:
        origin.ranges = False
        if len(state.connections) > 1 or any(other.ranges and not other.refused for other in state.origins):
            raise Fault("bad-range", message("it has no ranges"))
    if response.ranged:
        state.ramp.begin(response.waited, state.segments.waiting_bytes)
        state.lock.notify_all()


def _contradiction(state: TransferState, origin: Origin, reason: str) -> FaultKind:
    """Say what follows where an origin says another size: it is left, or the file is begun again with its size.

    A size that no lock vouches for may be a lie of the one that said it first, of a mirror, or of an earlier run.
    """
    source = state.size_source
    if state.exact:
        return "refused"
    if source is origin:
        return "changed"
    if not origin.own and any(other.refused is None for other in state.origins if other is not origin):
        return "refused"
    if source is not None:
        source.refuse(Fault("refused", reason))
    return "changed"


def should_retry(
    state: TransferState, connection: Connection, fault: Fault, gained: int, policy: RetryPolicy
) -> bool:
    """Say whether the connection tries again after a fault that came when `gained` more bytes were there."""
    origin, others = connection.origin, len(state.connections) - 1
    if state.is_over or state.error is not None or connection.abandoned:
        return False
    if fault.kind == "changed":
        state.error = FileChanged(fault.reason)
        return False
    if fault.kind == "refused":
        origin.refuse(fault)
        return False
    if fault.kind == "busy" and others:
        state.ramp.settle(others)
        return False
    _report(state, fault, gained)
    if fault.kind == "bad-range":
        origin.ranges = False
        return False
    if gained < PROGRESS_BYTES and any(not other.refused for other in state.origins if other is not origin):
        origin.misses += 1
        if origin.misses == _MAX_MISSES:
            origin.refuse(fault)
        return False
    if policy.failed(gained, fault.kind):
        return True
    state.ramp.settle(max(others, 1))
    alone = not any(other.origin is origin for other in state.connections if other is not connection)
    # Where nothing comes over the others either, they are as patient again, each by itself.
    if alone or state.clock() - origin.heard > STALL_SECONDS:
        origin.refuse(fault)
    return False


def _report(state: TransferState, fault: Fault, gained: int) -> None:
    # A connection that closes every few megabytes would fill the screen otherwise.
    if not gained or fault.reason not in state.reported:
        state.reported.add(fault.reason)
        state.observer.retry(fault.reason)
