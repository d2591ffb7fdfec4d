"""Exit statuses: each has a code that decides, and a sentence that may change."""

from __future__ import annotations

import signal
import sys

import pytest

from torchdoctor.verify.process_end import describe_end, signal_name


@pytest.mark.parametrize(
    ("returncode", "code", "text"),
    [
        (None, "process-running", "still running"),
        (0, "process-exit", "ended with status 0"),
        (7, "process-exit", "ended with status 7"),
        (-signal.SIGSEGV, "process-signal", "was killed by SIGSEGV"),
        (-signal.SIGILL, "process-sigill", "was killed by SIGILL"),
        (-9, "process-sigkill", "was killed by SIGKILL (as the system does when memory runs out)"),
        (0xC0000005, "process-signal", "was killed by Windows: access violation"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals have other numbers there")
def test_each_end_has_a_code_and_a_sentence(returncode, code, text):
    """A memory error, a missing instruction and every other crash are told apart."""
    end = describe_end(returncode)

    assert (end.code, end.text) == (code, text)


def test_a_signal_without_a_name_is_a_number():
    """Real-time signals have none."""
    assert signal_name(signal.SIGTERM) == "SIGTERM"
    assert signal_name(250) == "signal 250"
