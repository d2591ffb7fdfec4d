"""The order of builds, what is turned down for the best, and what is left when nothing fits."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.resolve.machines import GTX_1080, RTX_4090, RTX_5090, linux
from torchdoctor.detect import Amd, AmdGpu
from torchdoctor.resolve import Request
from torchdoctor.resolve.evaluation import evaluate_builds
from torchdoctor.resolve.model import Ranking
from torchdoctor.resolve.ranking import NothingFits, preferred_builds, rank_builds
from wheels_index import bundled


def ranked(machine, **request):
    ranking = rank_builds(machine, Request(**request), bundled())
    assert isinstance(ranking, Ranking)
    return ranking


def test_candidates_fall_from_the_newest_release_to_the_oldest():
    """Within a release the newest toolkit comes first."""
    candidates = ranked(linux(RTX_4090, driver="580.65.06")).candidates
    versions = [candidate.torch for candidate in candidates]
    assert versions == sorted(versions, reverse=True)
    newest = [candidate.variant for candidate in candidates if candidate.torch == versions[0]]
    assert newest[0] == "cu132"


def test_builds_of_one_kind_alone_replace_each_other():
    """A machine with a usable NVIDIA GPU gets no CPU build in place of a CUDA one."""
    kinds = {candidate.variant[:2] for candidate in ranked(linux(RTX_4090, driver="580.65.06")).candidates}
    assert kinds == {"cu"}


def test_an_nvidia_gpu_comes_before_an_amd_one():
    """A laptop's integrated GPU does not decide over its discrete one."""
    machine = linux(RTX_4090, driver="580.65.06", amd=Amd(gpus=(AmdGpu(gfx="gfx1100"),)))
    assert ranked(machine).candidates[0].variant.startswith("cu")


def test_builds_that_leave_a_gpu_out_serve_the_same_ones():
    """No fallback swaps which GPU is served."""
    evaluation = evaluate_builds(linux(GTX_1080, RTX_5090, driver="580.65.06"), Request(), bundled())
    builds = preferred_builds(evaluation, Request())
    assert len({(build.compatibility.coverage, build.compatibility.reach) for build in builds}) == 1


def test_each_variant_is_rejected_once():
    """Of the newest release that has it and is not older than the one chosen."""
    ranking = ranked(linux(RTX_4090, driver="550.54.15"))
    names = [rejected.variant for rejected in ranking.rejected]
    assert len(names) == len(set(names))
    assert ranking.candidates[0].variant not in names
    assert all(Version(rejected.torch) >= ranking.candidates[0].torch for rejected in ranking.rejected)


def test_the_first_of_all_is_the_first_of_the_best_alone():
    """`best_only` reads fewer releases and leads with the same build."""
    for machine in (linux(), linux(RTX_4090, driver="550.54.15"), linux(GTX_1080, driver="580.95.05")):
        quick = rank_builds(machine, Request(), bundled(), best_only=True)
        assert isinstance(quick, Ranking)
        assert quick.candidates[0] == ranked(machine).candidates[0]


def test_pypis_cuda_default_is_the_last_resort_of_a_machine_without_a_gpu():
    """It is never among the candidates, and with a variant asked for there is none."""
    ranking = ranked(linux())
    assert {candidate.variant for candidate in ranking.candidates} == {"cpu"}
    assert all(candidate.variant.startswith("cu") for candidate in ranking.last_resort)
    assert ranking.last_resort
    assert ranked(linux(), variant="cpu").last_resort == ()


def test_the_build_with_another_abi_is_taken_only_by_name():
    """It is for those who link against it."""
    wanted = SpecifierSet("==2.6.0")
    assert {c.variant for c in ranked(linux(), torch=wanted).candidates} == {"cpu"}


def test_when_nothing_fits_every_release_has_its_refusal():
    """The newest first, each with a code."""
    nothing = rank_builds(linux(python="3.7.9"), Request(), bundled())
    assert isinstance(nothing, NothingFits)
    assert {refusal.code for refusal in nothing.refusals} == {"python-version"}
    assert "torch 2.15.0" in nothing.refusals[0].message


def test_a_companion_that_does_not_belong_is_a_refusal_with_its_name():
    """Versions that go with another torch, and a Python that none of its versions takes."""
    request = Request(torch=SpecifierSet("==2.15.0"), required={"torchvision": SpecifierSet("==0.20.1")})
    nothing = rank_builds(linux(), request, bundled())
    assert isinstance(nothing, NothingFits)
    assert [(refusal.code, refusal.project) for refusal in nothing.refusals] == [
        ("companion-version", "torchvision")
    ]


def test_a_build_that_may_not_be_published_comes_after_the_others_of_its_release():
    """rocm7.14 of 2.14.1 is doubted, rocm7.2 is not; of 2.15.0 the build scripts name two, and each says its doubt."""
    candidates = ranked(linux(amd=Amd(gpus=(AmdGpu(gfx="gfx1100"),)))).candidates
    names = [(str(each.torch), each.variant, each.doubt is None) for each in candidates]
    assert names[:4] == [
        ("2.15.0", "rocm10.0", False),
        ("2.15.0", "rocm7.14", False),
        ("2.14.1", "rocm7.2", True),
        ("2.14.1", "rocm7.14", False),
    ]
