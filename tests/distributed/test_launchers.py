"""Who started us, and as which rank: torchrun's and Slurm's variables, and torchrun's summary of a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.bench.launchers import exit_codes, first_host, launched
from torchdoctor.errors import UsageError

TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "16",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "node1",
    "MASTER_PORT": "29500",
}
# torch 2.13.0's own words, of a rank that was killed while the other waited.
SUMMARY = """
============================================================
/envs/a/bin/python FAILED
------------------------------------------------------------
Failures:
[1]:
  time      : 2026-11-25_02:40:11
  host      : localhost
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 4711)
  error_file: <N/A>
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-11-25_02:40:08
  host      : localhost
  rank      : 1 (local_rank: 1)
  exitcode  : -9 (pid: 4712)
  error_file: <N/A>
  traceback : Signal 9 (SIGKILL) received by PID 4712
============================================================
"""


def test_torchruns_variables_say_which_rank_we_are():
    found = launched(TORCHRUN)

    assert (found.name, found.rank, found.size) == ("torchrun", 3, 16)
    assert found.command == ()
    assert found.environ == TORCHRUN


def test_slurms_variables_become_torchs():
    """Every task of a job meets at the same host and port."""
    common = {
        "SLURM_NTASKS": "4",
        "SLURM_JOB_ID": "123456",
        "SLURM_STEP_NODELIST": "gpu[03-05]",
        "SLURM_LOCALID": "1",
    }
    one, other = (launched({**common, "SLURM_PROCID": rank}) for rank in "12")

    assert (one.name, one.rank, one.size) == ("srun", 1, 4)
    assert one.environ["MASTER_ADDR"] == other.environ["MASTER_ADDR"] == "gpu03"
    assert one.environ["MASTER_PORT"] == other.environ["MASTER_PORT"] == "23456"
    assert one.environ["LOCAL_RANK"] == "1"


def test_nobody_has_started_us():
    """A Slurm job's batch script is no task of a step."""
    assert launched({}) is None
    assert launched({"SLURM_JOB_ID": "1", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}) is None


@pytest.mark.parametrize(
    "change", [{"RANK": "x"}, {"WORLD_SIZE": ""}, {"RANK": "16"}, {"MASTER_PORT": "-1"}, {"MASTER_ADDR": ""}]
)
def test_variables_that_make_no_sense_are_wrong_usage(change):
    with pytest.raises(UsageError, match="which rank"):
        launched(TORCHRUN | change)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("n1", "n1"),
        ("n1,n2", "n1"),
        ("gpu[03-05,9],login", "gpu03"),
        ("a[1,3]b,c", "a1b"),
        ("", ""),
        ("[", ""),
    ],
)
def test_the_first_host_of_slurms_list(nodes, first):
    assert first_host(nodes) == first


@given(st.text())
def test_any_list_gives_a_host_without_brackets(nodes):
    assert not set("[],") & set(first_host(nodes))


def test_how_a_rank_ended_is_in_torchruns_summary():
    assert exit_codes(SUMMARY.splitlines()) == {0: 1, 1: -9}


@given(st.lists(st.text()))
def test_any_summary_can_be_read(lines):
    assert all(isinstance(code, int) for code in exit_codes(lines).values())
