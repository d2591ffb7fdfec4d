"""How the ranks are started: by torchrun, which we run, or by the launcher that has started us (torchrun, srun)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.system.process import run_process
from torchdoctor.errors import EnvironmentUnusable, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Launch", "exit_codes", "first_host", "launched", "own_launch"]

# Slurm's own ports begin at 6817; Linux assigns those from 32768 by itself.
_FIRST_PORT, _PORT_COUNT = 20_000, 10_000
_COUNT_GPUS_SECONDS = 120.0
_MAX_NODE_LIST_CHARACTERS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """A launcher (`name`) and the number of its ranks (`size`).

    `command` goes before the probe's command, `environ` is added to the environment. `rank` is our own rank, None when
    we start all of them.
    """

    name: str
    size: int
    environ: Mapping[str, str]
    command: tuple[str | Path, ...] = ()
    rank: int | None = None


def launched(environ: Mapping[str, str]) -> Launch | None:
    """Return the launcher that has started us as one rank, or None. Raises `UsageError` for senseless variables."""
    if "RANK" in environ and "WORLD_SIZE" in environ:
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
        variables = {name: environ[name] for name in names if name in environ}
        return _launch(variables, "torchrun")
    if "SLURM_PROCID" in environ and "SLURM_STEP_NODELIST" in environ:
        job = environ.get("SLURM_JOB_ID", "0")
        variables = {
            "RANK": environ["SLURM_PROCID"],
            "WORLD_SIZE": environ.get("SLURM_NTASKS", ""),
            "LOCAL_RANK": environ.get("SLURM_LOCALID", "0"),
            "MASTER_ADDR": first_host(environ["SLURM_STEP_NODELIST"]),
            "MASTER_PORT": str(_FIRST_PORT + (int(job) if job.isdecimal() else 0) % _PORT_COUNT),
        }
        return _launch(variables, "srun")
    return None


def _launch(variables: Mapping[str, str], name: str) -> Launch:
    values = {"LOCAL_RANK": "0", **variables}
    numbers = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")
    wrong = [key for key in numbers if not values.get(key, "").isdecimal()]
    wrong += [] if values.get("MASTER_ADDR") else ["MASTER_ADDR"]
    if wrong or int(values["RANK"]) >= int(values["WORLD_SIZE"]):
        raise UsageError(
            message(
                "{name} has started this, and {variables} does not say which rank it is",
                name=name,
                variables=joined(wrong or ["RANK"]),
            ),
            fix=message(
                "start it with torchrun or srun, or unset RANK and WORLD_SIZE to start all ranks on this machine"
            ),
        )
    return Launch(name=name, size=int(values["WORLD_SIZE"]), rank=int(values["RANK"]), environ=values)


def first_host(nodes: str) -> str:
    """Return the first name of Slurm's list of nodes: `gpu[03-05,9],login` is gpu03 (https://slurm.schedmd.com/scontrol.html)."""
    match = re.match(r"([^\[\],\s]*)(?:\[([^\]\[]*)\])?([^\[\],\s]*)", nodes[:_MAX_NODE_LIST_CHARACTERS])
    if match is None:
        return ""
    number = re.match(r"\d*", match.group(2) or "")
    return match.group(1) + (number.group() if number else "") + match.group(3)


def own_launch(python: Path, ranks: int | None, environ: Mapping[str, str]) -> Launch:
    """Start torchrun on this machine with `ranks` ranks, by default one for each GPU, at least two.

    Raises `EnvironmentUnusable` when torch does not work there.
    """
    size = ranks or max(2, _count_gpus(python, environ))
    here = "lo" if sys.platform.startswith("linux") else "lo0"
    # On one machine neither a host name without an address nor a firewall may matter.
    more = {} if sys.platform == "win32" else {"GLOO_SOCKET_IFNAME": environ.get("GLOO_SOCKET_IFNAME", here)}
    command: tuple[str | Path, ...] = (
        python, "-I", "-B", "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1",
        "--nproc-per-node", str(size), "--no-python",
    )  # fmt: skip
    return Launch(name="torchrun", size=size, command=command, environ=more)


def _count_gpus(python: Path, environ: Mapping[str, str]) -> int:
    """Return how many CUDA or ROCm devices torch has there; 0 when it does not answer in time."""
    script = "import torch; print('gpus', torch.cuda.device_count())"
    done = run_process(str(python), (str(python), "-I", "-B", "-c", script), environ, _COUNT_GPUS_SECONDS)
    if done.failure == "denied":
        raise EnvironmentUnusable(
            message("{python} cannot be run: {why}", python=python, why=done.detail),
            fix=message("name an environment that has a working Python: torchdoctor install makes one"),
            code="no-python",
        )
    if done.failure == "status":
        last = done.stderr.strip().splitlines()[-1:] or [message("it wrote no error message")]
        raise EnvironmentUnusable(
            message("torch does not work in {python}: {why}", python=python, why=last[0][:300]),
            fix=message("see what is wrong: torchdoctor verify"),
        )
    found = re.search(r"^gpus (\d+)$", done.stdout, re.MULTILINE)
    return int(found.group(1)) if found else 0


def exit_codes(lines: Sequence[str]) -> dict[int, int]:
    """Return each rank's exit code (a signal is negative), from the summary that torchrun writes when one fails."""
    codes: dict[int, int] = {}
    rank = None
    for line in lines:
        if found := re.match(r"\s*rank\s*:\s*(\d{1,6})\b", line):
            rank = int(found.group(1))
        elif (found := re.match(r"\s*exitcode\s*:\s*(-?\d{1,6})\b", line)) and rank is not None:
            codes.setdefault(rank, int(found.group(1)))
    return codes
