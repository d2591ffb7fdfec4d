"""An environment becomes observations, under the names that the catalogue knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.doctor.check_ups import MACHINE, check_up
from torchdoctor.detect import Amd, AmdGpu
from torchdoctor.doctor.environment_evidence import environment_observations, observation, translatable_word


def observed(site, **more):
    """Name -> values of every observation."""
    values = {}
    for row in environment_observations(check_up(site, inventory=site.take(**more))):
        values.setdefault(row.name, []).append(row.value)
    return values


def test_torch_and_packages_have_the_names_that_they_have_in_reports(site):
    """So that the same rules judge both."""
    site.torch("2.9.1+cu128", cuda="12.8")
    site.put("numpy", "2.1.0")
    values = observed(site, environ={"CUDA_VISIBLE_DEVICES": "1", "PYTHONPATH": "/x"})
    assert values["torch.version"] == ["2.9.1+cu128"]
    assert values["torch.build"] == ["cu128"]
    assert values["torch.cuda"] == ["12.8"]
    assert values["torch.hip"] == ["none"]
    assert values["package.numpy"] == ["2.1.0"]
    assert values["env.CUDA_VISIBLE_DEVICES"] == ["1"]
    assert "env.PYTHONPATH" not in values


def test_damage_is_observed(site):
    """Changed files, truncated libraries, leftovers of torch; those of other packages are not."""
    site.torch("2.9.1+cpu")
    (site.site / "torch/__init__.py").write_text("changed")
    (site.site / "torch/lib").mkdir()
    (site.site / "torch/lib/libx.so").write_bytes(b"\x7fELF")
    (site.site / "~orch").mkdir()
    (site.site / "~ich").mkdir()
    values = observed(site)
    assert values["live.record"] == ["torch"]
    assert values["live.truncated"] == [str(site.site / "torch/lib/libx.so")]
    assert values["live.leftover"] == [str(site.site / "~orch")]


def test_what_does_not_match_torch_is_observed(site):
    """A companion of another release or build, and a NumPy that the build cannot use."""
    site.torch("2.1.0+cpu")
    site.put("torchvision", "0.24.1+cpu")
    site.put("numpy", "2.1.0")
    values = observed(site)
    assert values["live.companion"] == ["torchvision"]
    assert values["live.numpy"] == ["2.1.0"]


def test_what_is_in_front_of_the_environment_is_observed(site, tmp_path):
    """A torch on PYTHONPATH before the environment's own; alone it is there on purpose."""
    site.put("torch", "2.4.0", site=tmp_path / "old", files={"torch/__init__.py": ""})
    environ = {"PYTHONPATH": str(tmp_path / "old")}
    assert "live.python_path" not in observed(site, environ=environ)
    site.torch("2.9.1+cpu")
    values = observed(site, environ=environ)
    assert values["live.python_path"] == ["torch 2.4.0"]
    assert len(values["live.torch.copy"]) == 2


def test_two_intel_openmp_runtimes_are_observed(site):
    """One is normal."""
    for name in ("a", "b"):
        (site.site / name / "lib").mkdir(parents=True)
        (site.site / name / "lib/libiomp5.so").touch()
        assert len(observed(site).get("live.openmp", ())) == (2 if name == "b" else 0)


def test_a_torch_of_pip_in_a_conda_environment_is_observed(site):
    """conda's own is there as well."""
    site.conda("pytorch", "2.1.0", "py3.10_cuda")
    site.torch("2.9.1+cpu")
    values = observed(site)
    assert (values["conda.torch"], values["live.conda_and_pip"]) == (["2.1.0 py3.10_cuda"], ["2.9.1+cpu"])


@pytest.mark.parametrize(
    ("requires", "name", "value"),
    [
        ("triton==3.5.1", "live.unmet", "triton missing"),
        ("sympy>=1.13", "live.required.missing", "sympy"),
    ],
)
def test_unmet_requirements_are_observed(site, requires, name, value):
    """Packages with a failure of their own one by one, the others as a list."""
    site.torch("2.9.1+cpu", requires=(requires,))
    assert observed(site)[name] == [value]


def test_an_observation_says_what_it_is_and_where_it_was_read():
    """As one sentence."""
    assert observation("a.b", 3, "count", "/x").source == "count: 3 (/x)"
    assert translatable_word("/usr/lib") == "/usr/lib"


AMDS_OWN = tuple(
    f'amd-torch-device-{gfx}==2.13.0+rocm10.0.0; extra == "device-{gfx}"' for gfx in ("gfx1100", "gfx1151")
)


@pytest.mark.parametrize(
    ("gfx", "requires", "installed", "expected"),
    [
        ("gfx1151", AMDS_OWN, (), ["gfx1151"]),
        ("gfx1151", AMDS_OWN, ("amd-torch-device-gfx1100",), ["gfx1151"]),
        ("gfx1151", AMDS_OWN, ("amd-torch-device-gfx1151",), []),
        ("gfx906", AMDS_OWN, (), []),  # the build has no such package: that is another failure
        ("gfx1151", ("filelock",), (), []),  # PyTorch's own build has its code inside
    ],
)
def test_amds_build_without_the_package_of_the_gpu_is_observed(site, gfx, requires, installed, expected):
    """Torch calls the GPU available, and the first kernel fails."""
    site.torch("2.13.0+rocm10.0.0", hip="10.0", requires=requires)
    for name in installed:
        site.put(name, "2.13.0")
    machine = replace(MACHINE, nvidia=None, amd=Amd(gpus=(AmdGpu(name="Radeon", gfx=gfx),)))
    rows = environment_observations(check_up(site, machine=machine, inventory=site.take()))
    assert [row.value for row in rows if row.name == "live.amd.no_device_code"] == expected
