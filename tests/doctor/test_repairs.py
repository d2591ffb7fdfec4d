"""What torchdoctor can repair itself, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doctor.check_ups import check_up, finding
from torchdoctor.core.fact import found
from torchdoctor.diagnose import Evidence
from torchdoctor.diagnose.catalogue import live_failures
from torchdoctor.diagnose.engine import diagnose
from torchdoctor.doctor import plan_repairs
from torchdoctor.doctor.environment_evidence import environment_observations
from torchdoctor.doctor.reinstall import damaged_in, plan_reinstall
from torchdoctor.doctor.repair_model import (
    KernelRepair,
    Reinstall,
    Relocate,
    RemoveLeftovers,
    RemoveUnneeded,
    Repaired,
)
from torchdoctor.doctor.repairs import confirmed_outcomes, fix_command, with_fix_command
from torchdoctor.doctor.stale_metadata import stale_metadata
from torchdoctor.kernel import KernelState
from torchdoctor.kernel.model import Problem
from wheels_index import bundled

INDEX = bundled()


def test_a_wrong_build_is_replaced_by_the_same_release_in_the_right_one(site):
    """Companions stay with it; one that is missing is not added."""
    site.torch("2.9.1+cpu")
    site.put("torchvision", "0.24.1+cpu")
    (repair,) = plan_repairs(check_up(site), (finding("cpu-only-wheel"),), INDEX)
    assert isinstance(repair, Reinstall)
    assert repair.plan.torch.version.public == "2.9.1"
    assert repair.plan.variant.startswith("cu")
    assert [package.name for package in repair.plan.packages] == ["torch", "torchvision"]
    assert str(repair.what).startswith("install torch 2.9.1+cu")


def test_damaged_files_are_reinstalled_in_the_same_build(site):
    """The packages whose files are not as they were installed, and no others."""
    site.torch("2.9.1+cpu")
    (site.site / "torch/__init__.py").write_text("changed")
    seen = check_up(site)
    assert damaged_in(seen) == {"torch"}
    repair = plan_reinstall(seen, ("partial-install",), INDEX, other_build=False)
    assert (repair.plan.variant, repair.reinstall) == ("cpu", {"torch"})
    assert str(repair.what) == "reinstall torch 2.9.1+cpu"


def test_a_damaged_package_that_torch_does_not_require_is_pinned(site):
    """NumPy comes back at its version, and is not taken for something that was asked for."""
    site.torch("2.9.1+cpu")
    site.put("numpy", "2.3.0")
    seen = check_up(site)
    (site.site / "numpy/__init__.py").unlink()
    repair = plan_reinstall(check_up(site), ("numpy-broken",), INDEX, other_build=False)
    assert damaged_in(seen) == frozenset()
    assert (repair.pins, repair.asked, repair.reinstall) == (("numpy==2.3.0",), (), {"numpy"})


def test_a_cut_library_is_torchs_own(site):
    """The packages beside it lie in the same folder and are whole."""
    site.torch("2.9.1+cpu")
    site.put("torchvision", "0.24.1+cpu")
    cut = f"{site.site}/torch/lib/libc10.so"
    seen = check_up(site)
    seen = replace(seen, inventory=replace(seen.inventory, truncated=found((cut,), "here")))
    assert damaged_in(seen) == {"torch"}


def test_a_companion_that_belongs_stays_at_its_version(site):
    """torch 2.14.1 has two torchvisions, and the older one belongs to it as well."""
    site.torch("2.14.1+cpu")
    site.put("torchvision", "0.29.1+cpu")
    (site.site / "torch/__init__.py").write_text("changed")
    repair = plan_reinstall(check_up(site), ("partial-install",), INDEX, other_build=False)
    assert {each.name: each.version.public for each in repair.plan.packages}["torchvision"] == "0.29.1"
    assert str(repair.request.required["torchvision"]) == "==0.29.1"


def test_leftovers_alone_are_removed(site):
    """Nothing is installed where everything else is complete."""
    site.torch("2.9.1+cpu")
    (site.site / "~orch").mkdir()
    (repair,) = plan_repairs(check_up(site), (finding("partial-install"),), INDEX)
    assert isinstance(repair, RemoveLeftovers)
    assert str(repair.what) == f"remove {site.site / '~orch'}, left by an interrupted installation"


def test_leftovers_beside_damage_go_after_the_reinstallation(site):
    """They may be the only copy of what is missing."""
    site.torch("2.9.1+cpu")
    (site.site / "torch/__init__.py").unlink()
    (site.site / "~orch").mkdir()
    (repair,) = plan_repairs(check_up(site), (finding("partial-install"),), INDEX)
    assert isinstance(repair, Reinstall)
    assert repair.leftovers == (site.site / "~orch",)


def test_an_environment_that_was_moved_is_rewritten_where_it_is(site):
    """Its packages stay."""
    folder = site.prefix / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "pip").write_text("#!/home/ada/old/bin/python3\n")
    seen = check_up(site, moved=("pip runs another",))
    (repair,) = plan_repairs(seen, (finding("env-moved-or-copied"),), INDEX)
    assert isinstance(repair, Relocate)
    assert str(repair.what) == f"rewrite the scripts and settings of {site.prefix} that name /home/ada/old"


def test_what_another_build_left_is_removed_by_name_and_size(site):
    """Its files that a package of the installed build has too do not count."""
    site.torch("2.14.1", requires=("nvidia-cudnn-cu13",))
    site.put("nvidia-cudnn-cu12", "9.10", files={"nvidia/cudnn.so": b"1" * 9, "nvidia/old.so": b"1" * 500})
    site.put("nvidia-cudnn-cu13", "9.24", files={"nvidia/cudnn.so": b"2" * 9000})
    seen = check_up(site)
    (fact,) = (fact for fact in environment_observations(seen) if fact.name == "live.unneeded")
    assert fact.value == "nvidia-cudnn-cu12"
    (repair,) = plan_repairs(seen, (finding("nvidia-wheels-twice", "note"),), INDEX)
    assert isinstance(repair, RemoveUnneeded)
    assert repair.names == {"nvidia-cudnn-cu12"}
    assert 500 <= repair.size < 9000
    assert str(repair.what) == "remove 1 package that nothing requires (0.0 GB): nvidia-cudnn-cu12"


def test_libraries_of_the_torch_that_a_companion_requires_are_not_left_over(site):
    """A CPU build took torch's place: torchvision and the libraries are of the torch that was there."""
    site.torch("2.13.0+cpu")
    site.put("torchvision", "0.29.1+cu130")
    site.put("nvidia-cudnn-cu13", "9.24", files={"nvidia/cudnn.so": b"2" * 9000})
    seen = check_up(site)
    assert [fact for fact in environment_observations(seen) if fact.name == "live.unneeded"] == []
    assert plan_repairs(seen, (finding("nvidia-wheels-twice", "note"),), INDEX) == ()


def test_metadata_of_another_version_than_torch_says_is_removed(site):
    """torch itself says which of the two belongs; of the files, which are whole, none is fetched."""
    site.torch("2.9.1+cpu")
    stale = site.put("torch", "2.8.0", files={"torch/old.py": b"old"})
    (site.site / "torch/old.py").unlink()
    seen = check_up(site)
    assert damaged_in(seen) == frozenset()
    (repair,) = plan_repairs(seen, (finding("partial-install"),), INDEX)
    assert isinstance(repair, RemoveLeftovers)
    assert repair.leftovers == (stale,)
    damage = ("live.listed_twice", "live.leftover", "live.record", "live.unrecorded")
    facts = [fact for fact in environment_observations(seen) if fact.name in damage]
    assert [(fact.name, fact.value) for fact in facts] == [
        ("live.listed_twice", "torch"),
        ("live.leftover", str(stale)),
    ]
    found = diagnose(Evidence(facts=tuple(facts)), failures=live_failures())
    first, *others = found.findings[0].fix
    assert (found.findings[0].id, first) == ("partial-install", f"Remove these, and nothing else: {stale}.")
    assert not any("--force-reinstall" in line for line in others)


def test_where_torch_says_neither_version_no_metadata_is_removed(site):
    """Which of the two belongs is open then."""
    site.torch("2.9.1+cpu")
    site.put("torch", "2.8.0")
    (site.site / "torch/version.py").write_text("__version__ = '2.7.0'\n")
    assert stale_metadata(check_up(site).inventory) == ()


def test_a_missing_torch_comes_back_as_its_companion_requires_it(site):
    """In the release and the build that torchvision was made for, which stays."""
    site.put("torchvision", "0.24.1+cu128", requires=("torch==2.9.1",))
    seen = check_up(site)
    (repair,) = plan_repairs(seen, (finding("torch-missing"),), INDEX)
    assert str(repair.what) == "install torch 2.9.1+cu128 into the environment"
    assert (str(repair.request.required["torchvision"]), repair.kept) == ("==0.24.1", {"torchvision"})
    facts = {fact.name: fact.value for fact in environment_observations(seen)}
    assert facts["live.torch_belonging"] == "2.9.1+cu128"


def test_a_missing_torch_of_which_several_would_do_is_not_chosen(site):
    """torchvision 0.29.1 goes with several releases: its build is told, and nothing is installed."""
    site.put("torchvision", "0.29.1+cu130", requires=("torch>=2.14.0",))
    seen = check_up(site)
    for name in ("torch-missing", "partial-install"):
        assert plan_repairs(seen, (finding(name),), INDEX) == ()
    facts = {fact.name: fact.value for fact in environment_observations(seen)}
    assert facts["live.build_belonging"] == "cu130"
    assert "live.torch_belonging" not in facts


def kernel(kind="python-gone", **more):
    problem = Problem(kind=kind, message="its Python is gone", fix="f", repairable=True)
    values = {
        "name": "k",
        "folder": Path("/k"),
        "place": "user",
        "language": "python",
        "problem": problem,
    } | more
    return KernelState(**values)


@pytest.mark.parametrize(
    ("state", "findings", "torch", "count"),
    [
        (kernel(), ("jupyter-kernel-python-missing",), True, 1),
        (kernel(), ("jupyter-kernel-python-missing",), False, 0),
        (kernel("no-ipykernel"), ("jupyter-kernel-without-ipykernel",), False, 1),
        (kernel(), (), True, 0),
        (kernel(place="nb_conda_kernels"), ("jupyter-kernel-python-missing",), True, 0),
    ],
)
def test_a_kernel_is_repaired_where_there_is_a_torch_for_it(site, state, findings, torch, count):
    """With ipykernel anywhere; by another Python only where torch is installed, and only after a finding."""
    if torch:
        site.torch("2.9.1+cpu")
    found = tuple(finding(name) for name in findings)
    own = replace(state, folder=site.prefix / "share/jupyter/kernels/k")
    repairs = plan_repairs(check_up(site, kernels=(own,)), found, INDEX)
    assert [type(repair) for repair in repairs] == [KernelRepair] * count


@pytest.mark.parametrize(
    "more",
    [
        {"argv": ("/gone/bin/python", "-m", "ipykernel_launcher")},
        {"prefix": Path("/other"), "python": Path("/other/bin/python")},
        {},
    ],
)
def test_a_kernel_of_another_environment_is_not_repaired(site, more):
    """It is changed only where it is named: `jupyter-kernel repair`."""
    site.torch("2.9.1+cpu")
    found = (finding("jupyter-kernel-python-missing"), finding("jupyter-kernel-without-ipykernel"))
    for kind in ("python-gone", "no-ipykernel"):
        assert plan_repairs(check_up(site, kernels=(kernel(kind, **more),)), found, INDEX) == ()


def test_the_command_stands_before_the_steps_by_hand(site):
    """Only for what can be repaired; a folder with spaces is quoted."""
    repair = RemoveLeftovers(findings=("a",), leftovers=())
    one, other = with_fix_command((finding("a"), finding("b")), (repair,), "cmd")
    assert (one.fix[1:], other.fix) == (("cmd", "by hand"), ("by hand",))
    assert fix_command(replace(site.python, prefix=Path("/my env"))) == "torchdoctor doctor '/my env' --fix"


def test_a_repair_whose_finding_is_still_there_has_failed():
    """Whatever it said of itself."""
    done = (
        Repaired(findings=("a",), what="x", outcome="repaired"),
        Repaired(findings=("b",), what="y", outcome="repaired"),
        Repaired(findings=("a",), what="z", outcome="skipped", reason="declined"),
    )
    outcomes = confirmed_outcomes(done, (finding("a"),))
    assert [row.outcome for row in outcomes] == ["failed", "repaired", "skipped"]
    assert outcomes[0].to_json()["why"] == "still found after the repair: a"
