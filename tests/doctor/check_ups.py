"""Check-ups made up for the tests: a machine on paper, an environment of real files, nothing run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core import NamedFact
from torchdoctor.core.fact import found
from torchdoctor.detect import Detection, Libc, Machine, Nvidia, NvidiaGpu, Python
from torchdoctor.diagnose import Finding
from torchdoctor.doctor import CheckUp

if TYPE_CHECKING:
    from tests.inventory.site import Environment

MACHINE = Machine(
    os="linux",
    arch="x86_64",
    python=Python(version="3.12.4"),
    libc=Libc(name="glibc", version="2.35"),
    nvidia=Nvidia(driver="580.95.05", gpus=(NvidiaGpu(name="NVIDIA L4", compute_capability="8.9"),)),
)


def check_up(env: Environment, *, machine: Machine = MACHINE, facts=(), **more) -> CheckUp:
    """What a look at `env` on this machine would give; `facts` are pairs of a name and a fact."""
    named = [NamedFact(name="os.name", fact=found("Ubuntu", "/etc/os-release"))]
    named += [NamedFact(name=name, fact=fact) for name, fact in facts]
    detection = Detection(machine=machine, facts=tuple(named))
    return CheckUp(
        python=env.python, detection=detection, inventory=more.pop("inventory", env.take()), **more
    )


def finding(name: str, severity="error") -> Finding:
    """A finding of this id."""
    return Finding(id=name, severity=severity, title="T", evidence=(), explanation="E", fix=("by hand",))
