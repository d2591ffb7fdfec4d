"""Two real ranks under torchrun: they report bandwidth, and one that dies, hangs or differs is named."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.conftest import run_torchdoctor
from tests.probe.fakes import patching, spoilt
from torchdoctor.bench.distributed import run_ranks

OTHER = 'if os.environ.get("RANK") == "1":\n'


@pytest.fixture
def broken(torch_python, tmp_path):
    """The interpreter of an environment in which rank 1 does this at its all-reduce."""

    def make(statement):
        lines = (
            "import os, signal, time, torch.distributed as dist",
            "real = dist.all_reduce",
            "def odd(*args, **kwargs):",
            '    if os.environ.get("RANK") == "1" and args[0].numel() > 2000: ' + statement,
            "    return real(*args, **kwargs)",
            "dist.all_reduce = odd",
        )
        return spoilt(torch_python, tmp_path / "env", sitecustomize=patching("\n".join(lines)))

    return make


def test_two_ranks_under_torchrun_report_bandwidth(torch_python):
    """Every collective by size, both links, and a value for each."""
    ran = run_torchdoctor("bench", torch_python, "--distributed", "--ranks", "2", "--quick", "--json")
    assert ran.status == 0, ran.out + ran.err
    found = ran.json

    assert (found["launcher"], found["environment"]["backend"], found["passed"]) == ("torchrun", "gloo", True)
    assert {row["id"] for row in found["results"]} == {"all-reduce", "all-gather", "broadcast"}
    for row in found["results"]:
        factor = {"all-reduce": 1.0, "all-gather": 0.5, "broadcast": 1.0}[row["id"]]
        assert row["params"]["ranks"] == 2
        assert row["unit"] == "GB/s"
        assert row["value"] == pytest.approx(
            row["params"]["bytes"] / row["median_s"] / 1e9 * factor, rel=1e-3
        )
    assert [(row["from"], row["to"]) for row in found["links"]] == [(0, 1), (1, 0)]
    assert len(found["compute_gflops"]) == 2
    assert found["slowest_rank"] in (0, 1)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        pytest.param("time.sleep(600)", "does not answer", marks=pytest.mark.slow),
        ('raise RuntimeError("a <b>cable</b>")', "a <b>cable</b>"),
    ],
    ids=["dies", "hangs", "raises"],
)
def test_a_rank_that_fails_is_named_within_the_limit(broken, statement, words):
    """And not the one that waited for it in vain; nothing of it is left."""
    started = time.monotonic()
    report = run_ranks(broken(statement), quick=True, ranks=2, limit=5)

    assert [trouble.rank for trouble in report.troubles] == [1]
    assert words in report.troubles[0].detail
    assert report.troubles[0].stage.startswith("all-reduce of 65536 bytes")
    assert not report.passed
    assert time.monotonic() - started < 90


@pytest.mark.slow
def test_a_rank_of_another_version_is_named(torch_python, tmp_path):
    """Before anything is measured; without measuring nothing else is done."""
    patched = patching(f"import os\n{OTHER}    torch.__version__ = '2.9.1'")
    report = run_ranks(
        spoilt(torch_python, tmp_path / "env", sitecustomize=patched), measure=False, ranks=3, limit=30
    )

    assert [difference.text for difference in report.differences] == [
        "torch is 2.9.1 on rank 1, and 2.13.0+cpu elsewhere"
    ]
    assert report.troubles == ()
    assert report.results == ()
    assert not report.passed


@pytest.mark.slow
def test_torchrun_of_several_machines_can_start_it(torch_python, tmp_path):
    """Each rank runs the command; the first speaks for all."""
    command = [
        torch_python, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1",
        "--nproc-per-node", "2", "--no-python", sys.executable, "-m", "torchdoctor", "verify", torch_python,
        "--distributed",
    ]  # fmt: skip
    environ = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=environ, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 ranks by torchrun, gloo") == 1
    assert "their sum is correct" in done.stdout


def test_srun_can_start_it(torch_python, tmp_path):
    """By Slurm's variables; each task finds the first host of the step."""
    tasks = []
    for rank in range(2):
        environ = {
            **os.environ, "SLURM_PROCID": str(rank), "SLURM_NTASKS": "2", "SLURM_LOCALID": str(rank),
            "SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_NODELIST": "localhost", "GLOO_SOCKET_IFNAME": "lo",
        }  # fmt: skip
        call = [sys.executable, "-m", "torchdoctor", "verify", torch_python, "--distributed", "--json"]
        tasks.append(
            subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)
        )
    said = [task.communicate(timeout=200) for task in tasks]

    assert [task.returncode for task in tasks] == [0, 0], said
    assert '"launcher": "srun"' in said[0][0]
    assert said[1][0] == ""
