"""What each check says of what was seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.detect.recorded_system import RecordedSystem, paper_python
from tests.doctor.check_ups import MACHINE, check_up
from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.net import Reach
from torchdoctor.detect import Detection, Machine, Python, detect
from torchdoctor.doctor.checks import CHECKS
from torchdoctor.doctor.checks.environment import (
    describe_hold,
    describe_import_path,
    describe_packages,
    describe_python,
)
from torchdoctor.doctor.checks.gpu import describe_access, describe_devices, describe_driver
from torchdoctor.doctor.checks.kernels import describe_kernels
from torchdoctor.doctor.checks.machine import describe_resources, describe_system
from torchdoctor.doctor.checks.model import fact_lines
from torchdoctor.doctor.checks.network import describe_network
from torchdoctor.doctor.checks.pytorch import (
    describe_build,
    describe_companions,
    describe_import,
    describe_plan,
)
from torchdoctor.doctor.evidence import evidence_from
from torchdoctor.doctor.hold_state import hold_state
from torchdoctor.install.hold.model import Hold
from torchdoctor.install.hold.write import HoldChange, change_hold
from torchdoctor.kernel import KernelState
from torchdoctor.kernel.model import Problem
from torchdoctor.resolve import Request, resolve
from torchdoctor.verify import CheckResult
from wheels_index import bundled

BARE = Machine(os="linux", arch="x86_64", python=Python(version="3.12.4"))


def test_every_check_describes_an_empty_environment(site):
    """None of them needs more than what was seen, and each says something."""
    assert all(check.describe(check_up(site, machine=BARE)).text for check in CHECKS.values())


def test_facts_are_evidence_with_where_they_were_read(site):
    """Found and unknown ones; an absent fact shows nothing. A section is named by its beginning."""
    facts = (
        ("system.memory", found(True, "a")),
        ("system.swap", absent("b")),
        ("system.disk", unknown("it is closed", "c")),
        ("systems", found(1, "d")),
        ("system.list", found((1, None), "e")),
    )
    assert [str(line) for line in fact_lines(check_up(site, facts=facts), "system")] == [
        "system.memory: yes (a)", "system.disk: unknown: it is closed (c)", "system.list: 1, none (e)",
    ]  # fmt: skip


def test_the_system_is_named_with_its_facts(site):
    """In one line, and where it was read."""
    description = describe_system(check_up(site))
    assert "x86_64" in description.text
    assert description.evidence == ("os.name: Ubuntu (/etc/os-release)",)


def test_a_limit_of_memory_goes_before_the_memory_that_there_is(site):
    """A container has no more than its limit."""
    facts = [("system.memory.total", found(65536, "a")), ("system.cpu.threads", found(8, "b"))]
    assert "64.0 GiB of memory" in describe_resources(check_up(site, facts=facts)).text
    facts.append(("system.memory.limit", found(2048, "c")))
    assert "8 threads, 2.0 GiB of memory" in describe_resources(check_up(site, facts=facts)).text


@pytest.mark.parametrize(
    ("machine", "facts", "text", "mark"),
    [
        (MACHINE, (), "NVIDIA L4", "ok"),
        (BARE, (), "no GPU was found", "ok"),
        (BARE, (("nvidia.gpus", unknown("NVML hung", "NVML")),), "no GPU was found; NVML hung", "unknown"),
        (MACHINE, (("amd.gpus", unknown("closed", "/sys")),), "NVIDIA L4; closed", "ok"),
    ],
)
def test_gpus_are_named_or_it_is_said_who_could_not_be_asked(site, machine, facts, text, mark):
    """Unknown only where no GPU is known at all."""
    description = describe_devices(check_up(site, machine=machine, facts=facts))
    assert (description.text, description.mark) == (text, mark)


def test_the_driver_is_named_where_one_is_needed(site):
    """By its version."""
    assert describe_driver(check_up(site)).text == "NVIDIA 580.95.05"
    assert describe_driver(check_up(site, machine=BARE)).text == "none is needed"


def test_nodes_that_may_not_be_opened_are_named(site):
    """And that nothing blocks access where there are none."""
    denied = (("nvidia.devices_denied", found("/dev/nvidia0", "/dev")),)
    assert describe_access(check_up(site, facts=denied)).text == "no permission to open /dev/nvidia0"
    assert describe_access(check_up(site)).text == "nothing blocks access"


def test_the_environment_is_named_with_its_kind(site):
    """Folder, Python, and that it is a virtual environment."""
    assert describe_python(check_up(site)).text == f"{site.prefix}, Python 3.12.4 (venv)"


def test_foreign_folders_on_the_path_are_named(site, tmp_path):
    """By what added them."""
    (tmp_path / "more").mkdir()
    inventory = site.take(environ={"PYTHONPATH": str(tmp_path / "more")})
    description = describe_import_path(check_up(site, inventory=inventory))
    assert description.text == "imports search 2 folders, also from PYTHONPATH"
    assert f"PYTHONPATH: {tmp_path / 'more'}" in description.evidence


def test_packages_are_counted_and_doubles_named(site):
    """Each is a line of the evidence."""
    site.put("rich", "14.0")
    site.put("rich", "13.0")
    description = describe_packages(check_up(site))
    assert description.text == "2 packages, installed more than once: rich"
    assert len([line for line in description.evidence if line.startswith("rich ")]) == 2
    assert description.evidence[0] == "files: 0 RECORD files, by their sizes unless --deep was given"


def test_a_missing_torch_is_told_with_where_there_is_one(site):
    """Unknown, not wrong: nobody has to want torch here."""
    description = describe_build(check_up(site, elsewhere="/other: torch 2.9.1"))
    assert description.text == f"torch is not in {site.prefix}; /other: torch 2.9.1"
    assert description.mark == "unknown"


def test_torch_and_its_companions_are_named_with_their_builds(site):
    """And whether a companion belongs to this torch."""
    site.torch("2.9.1+cpu")
    site.put("torchvision", "0.24.1+cpu")
    assert describe_build(check_up(site)).text == "torch 2.9.1+cpu (cpu)"
    companions = describe_companions(check_up(site))
    assert companions.text == "torchvision 0.24.1+cpu (cpu)"
    assert companions.evidence[0].startswith("torchvision: known to belong to torch 2.9.1+cpu: 0.24.1")


@pytest.mark.parametrize(
    ("installed", "beginning"),
    [
        (None, "the newest that fits: torch "),
        ("2.4.1+cpu", "torch {whole} is published; "),
        ("99.0.0+cpu", "newer than torch "),
        ("{newest}+cpu", "the newest that fits; its best build here is cu1"),
        ("{whole}", "the newest that fits"),
    ],
)
def test_the_installed_torch_is_compared_with_the_newest_that_fits(site, installed, beginning):
    """Older, newer, the same release in another build, or the very one."""
    plan = resolve(MACHINE, Request(), bundled())
    if installed:
        site.torch(installed.format(newest=plan.torch.version.public, whole=plan.torch.version))
    text = describe_plan(check_up(site, plan=plan)).text
    assert text.startswith(beginning.format(whole=plan.torch.version))


def test_no_newer_build_of_a_lesser_family_is_offered_for_an_upgrade(site):
    """A CUDA build on a machine without a GPU: the newest of its own family, by name, or none."""
    site.torch("2.9.1+cu128")
    plan = resolve(BARE, Request(), bundled())
    own = resolve(BARE, Request(variant="cu128", allow_cuda_without_gpu=True), bundled())
    assert plan.variant == "cpu"
    text = describe_plan(check_up(site, machine=BARE, plan=plan, same_family=own)).text
    assert text.startswith(f"torch {own.torch.version} is published; ")
    assert text.partition("; this machine")[0].endswith("--variant cu128 --dry-run")
    none = describe_plan(check_up(site, machine=BARE, plan=plan)).text
    assert none == "no newer cu128 build is known to fit"


def test_no_build_that_fits_is_a_warning_with_its_reason(site):
    """What no newer torch could change is not an error of this environment."""
    description = describe_plan(check_up(site, unfit="Python 3.7 is too old"))
    assert (description.text, description.mark) == ("no build fits: Python 3.7 is too old", "warning")


def result(name, status="pass", detail="fine", seconds=0.5):
    return CheckResult(id=name, device="cpu", status=status, seconds=seconds, detail=detail)


def test_the_import_is_told_with_its_time_or_with_what_failed(site):
    """Untried is unknown; one failed check is an error."""
    assert describe_import(check_up(site)).mark == "unknown"
    good = describe_import(check_up(site, imported=(result("import"), result("devices", detail="cpu"))))
    assert (good.text, good.mark) == ("imports in 1.0 s; cpu", "ok")
    unseen = describe_import(check_up(site, imported=(result("import"), result("devices", "warn", "none"))))
    assert unseen.mark == "warning"
    bad = describe_import(check_up(site, imported=(result("import", "fail", "no libcuda"),)))
    assert (bad.text, bad.mark) == ("no libcuda", "error")


def test_kernels_that_cannot_start_are_named(site):
    """The first of them; kernels of other languages are not counted."""
    broken = Problem(kind="python-gone", message="gone", fix="f")
    kernels = [
        KernelState(name=f"k{n}", folder=site.prefix / "k", place="user", language="python", problem=broken)
        for n in range(6)
    ]
    kernels.append(KernelState(name="R", folder=Path("/r"), place="user", language="R"))
    description = describe_kernels(check_up(site, kernels=tuple(kernels)))
    assert description.text == "6 registered, cannot start: k0, k1, k2, k3, k4, …"
    assert len(description.evidence) == 7
    assert describe_kernels(check_up(site)).text == "none is registered"


def test_a_broken_kernel_of_another_environment_is_told_and_not_judged(site):
    """The line names it and where more is said; no observation of it reaches the diagnosis."""
    problem = Problem(kind="python-gone", message="gone", fix="repair k ENV")
    kernel = KernelState(
        name="k", folder=Path("/home/.local/share/jupyter/kernels/k"), place="user", language="python",
        argv=("/gone/bin/python", "-m", "ipykernel_launcher"), problem=problem,
    )  # fmt: skip
    seen = check_up(site, kernels=(kernel,))
    description = describe_kernels(seen)
    assert description.mark == "ok"
    assert "not of this environment, and cannot start: k" in description.text
    assert description.evidence == (
        "k: /gone/bin/python -m ipykernel_launcher, no torch; gone; repair k ENV",
    )
    real = replace(seen, detection=detect(RecordedSystem(), python=paper_python()))
    assert not [fact for fact in evidence_from(real).facts if fact.name.startswith("live.kernel")]


def test_an_index_that_does_not_answer_is_unknown_with_what_helps(site):
    """It is no fault of the environment."""
    answers = describe_network(check_up(site, reach=Reach(host="h", seconds=0.012, through="p:1")))
    assert (answers.text, answers.mark) == ("h answers in 12 ms (p:1)", "ok")
    silent = describe_network(check_up(site, reach=Reach(host="h", reason="no answer")))
    assert "h cannot be reached: no answer" in silent.text
    assert silent.mark == "unknown"
    assert describe_network(check_up(site)).text == "not asked"


def test_a_detection_without_facts_is_described(site):
    """A description of another machine has none."""
    seen = check_up(site)
    empty = type(seen)(
        python=seen.python, detection=Detection(machine=BARE, facts=()), inventory=seen.inventory
    )
    assert describe_resources(empty).text.startswith("unknown threads, ?")


def test_the_hold_is_described(site):
    """Up to which release torch is kept; an environment without one says so, and one that was moved names the place."""
    folder = site.prefix
    assert describe_hold(check_up(site, hold=hold_state(site.python))).text == (
        "pip and uv may replace torch by any build"
    )
    hold = Hold(variant="cu126", caps=(("torch", "2.14.1"),), uv_backend="cu126")
    change_hold(folder, folder, HoldChange(hold=hold, inherited={}))
    assert describe_hold(check_up(site, hold=hold_state(site.python))).text == (
        "torch is kept in its cu126 builds, up to 2.14.1"
    )
    (folder / "torchdoctor-hold.txt").rename(folder / "elsewhere.txt")
    state = hold_state(site.python)
    assert state.lost == str(folder / "torchdoctor-hold.txt")
    assert state.lost in describe_hold(check_up(site, hold=state)).text
    (folder / "torchdoctor-hold-pip.conf").unlink()
    state = hold_state(site.python)
    assert not state.lost
    assert "was moved" in describe_hold(check_up(site, hold=state)).text
