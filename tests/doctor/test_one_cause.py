"""One break is told by one cause: what the files of the machine state is never hidden by what is only likely."""

from __future__ import annotations

import pytest

from tests.binaries import make_elf
from tests.doctor.check_ups import check_up
from torchdoctor.diagnose import Evidence, Observation, diagnose, live_failures
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.doctor.environment_evidence import environment_observations

NVJITLINK = (
    "ImportError: /envs/a/lib/python3.11/site-packages/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: "
    "undefined symbol: __nvJitLinkCreate_12_8, version libnvJitLink.so.12"
)
NO_NUMPY = (
    "ImportError: cannot import name 'multiarray' from partially initialized module 'numpy._core' (most likely due "
    "to a circular import) (/envs/a/lib/python3.11/site-packages/numpy/_core/__init__.py)"
)


def _found(site, *, raised=""):
    facts = list(environment_observations(check_up(site)))
    facts.append(Observation(name="os.system", value="linux", source="operating system"))
    if raised:
        facts.append(Observation(name="live.check.import", value="fail", source=raised))
    evidence = Evidence(facts=tuple(facts)).merged_with(parse_report(raised))
    return diagnose(evidence, failures=live_failures()).findings


@pytest.fixture
def cu128(site):
    """As torch 2.9.1 for CUDA 12.8 requires."""
    site.torch("2.9.1", says="2.9.1+cu128", cuda="12.8", requires=("nvidia-nvjitlink-cu12==12.8.93",))
    return site


def test_an_older_nvjitlink_is_told_by_its_version(cu128):
    """The missing symbol may be LD_LIBRARY_PATH's, too; the metadata says that it is not."""
    cu128.put("nvidia-nvjitlink-cu12", "12.4.127")
    found = _found(cu128, raised=NVJITLINK)
    assert [finding.id for finding in found] == ["nvidia-wheels-mixed"]
    assert found[0].confidence == "certain"


def test_with_the_right_packages_the_same_symbol_is_the_systems(cu128):
    """Then only another library can be in the way."""
    cu128.put("nvidia-nvjitlink-cu12", "12.8.93")
    assert [finding.id for finding in _found(cu128, raised=NVJITLINK)] == ["ld-library-path-pollution"]


@pytest.mark.parametrize("raised", ["", NO_NUMPY])
def test_a_damaged_numpy_is_named(cu128, raised):
    """Whether the import fails or not: a part that is used later is broken all the same."""
    cu128.put("nvidia-nvjitlink-cu12", "12.8.93")
    cu128.put("numpy", "2.4.6", files={"numpy/__init__.py": "text", "numpy/linalg/a.py": "text"})
    (cu128.site / "numpy/linalg/a.py").unlink()
    found = _found(cu128, raised=raised)
    assert [finding.id for finding in found] == ["numpy-broken"]
    assert "--force-reinstall --no-deps numpy==2.4.6" in "\n".join(found[0].fix)


def test_a_torch_without_metadata_is_named(site):
    """pip and uv take it for not installed."""
    site.torch("2.9.1", says="2.9.1+cu128", cuda="12.8")
    for file in (site.site / "torch-2.9.1.dist-info").iterdir():
        file.unlink()
    (site.site / "torch-2.9.1.dist-info").rmdir()
    found = _found(site)
    assert [finding.id for finding in found] == ["torch-metadata-missing"]
    assert any(
        "torch==2.9.1 --index-url https://download.pytorch.org/whl/cu128" in step for step in found[0].fix
    )


def test_a_torch_of_conda_needs_no_other_metadata(site):
    """conda-meta is its list of packages."""
    site.torch("2.9.1", cuda="12.8")
    for file in (site.site / "torch-2.9.1.dist-info").iterdir():
        file.unlink()
    (site.site / "torch-2.9.1.dist-info").rmdir()
    site.conda("pytorch", "2.9.1", "py3.12_cuda12.8_0")
    assert "torch-metadata-missing" not in [finding.id for finding in _found(site)]


def test_a_dependency_of_torch_with_missing_files_is_named(site):
    """With the command that puts it back, from PyPI."""
    site.torch("2.9.1", says="2.9.1+cpu", requires=("sympy",))
    site.put("sympy", "1.14.0", files={"sympy/core.py": "text"})
    (site.site / "sympy/core.py").unlink()
    found = _found(site)
    assert [finding.id for finding in found if finding.id != "cpu-only-wheel"] == ["torch-dependency-damaged"]
    assert any("--no-deps sympy==1.14.0" in step for finding in found for step in finding.fix)


def _metadata_of(site, name):
    return next(site.site.glob(f"{name}-*.dist-info"))


def test_a_torch_whose_list_of_files_is_empty_is_named(site):
    """pip cannot remove or replace it."""
    site.torch("2.9.1", says="2.9.1+cu128", cuda="12.8")
    (_metadata_of(site, "torch") / "RECORD").write_text("")
    assert [finding.id for finding in _found(site)] == ["partial-install"]


def test_metadata_of_two_versions_in_one_folder_are_named(site):
    """An update ended after it had written the new one."""
    site.torch("2.9.1", says="2.9.1+cu128", cuda="12.8")
    old = site.site / "torch-2.8.0.dist-info"
    old.mkdir()
    for name, text in (("METADATA", "Name: torch\nVersion: 2.8.0\n"), ("RECORD", "torch/x.py,,\n")):
        (old / name).write_text(text)
    (site.site / "torch/x.py").write_text("")
    (finding,) = _found(site)
    assert finding.id == "partial-install"
    assert any("2.8.0" in line for line in finding.evidence)


def test_a_torch_that_is_gone_is_named_where_a_companion_stayed(site):
    """A folder of nothing that has to do with torch is no finding."""
    assert _found(site) == ()
    site.put("torchvision", "0.24.1", requires=("torch==2.9.1",))
    assert [finding.id for finding in _found(site)] == ["torch-missing"]


def test_a_folder_that_is_left_of_torch_is_named(site):
    """It is imported as an empty module."""
    site.put("torchvision", "0.24.1", requires=("torch==2.9.1",))
    (site.site / "torch/lib").mkdir(parents=True)
    (finding,) = _found(site)
    assert finding.id == "partial-install"
    assert any(str(site.site / "torch") in line for line in (*finding.evidence, *finding.fix))


def test_a_triton_of_another_version_is_not_told_as_an_extension_as_well(site):
    """One package, one cause."""
    site.torch("2.9.1", says="2.9.1+cu128", cuda="12.8", requires=("triton==3.5.1",))
    site.put("triton", "3.1.0")
    assert [finding.id for finding in _found(site)] == ["triton-missing"]


def test_a_library_that_no_package_explains_is_named(site):
    """The metadata is right, and what torch's own library needs is nowhere."""
    library = make_elf(needed=("libcupti.so.12",), runpath="$ORIGIN")
    files = {
        "torch/__init__.py": "",
        "torch/version.py": "cuda = '12.8'\n",
        "torch/lib/libtorch_cuda.so": library,
    }
    site.put("torch", "2.9.1+cu128", files=files, requires=("nvidia-cuda-cupti-cu12==12.8.90",))
    site.put("nvidia-cuda-cupti-cu12", "12.8.90")
    (finding,) = _found(site)
    assert finding.id == "nvidia-wheels-missing"
    assert "libcupti.so.12" in finding.evidence[0]


def test_a_library_of_a_missing_package_is_told_as_that_package(site):
    """Once."""
    library = make_elf(needed=("libcupti.so.12",), runpath="$ORIGIN")
    files = {
        "torch/__init__.py": "",
        "torch/version.py": "cuda = '12.8'\n",
        "torch/lib/libtorch_cuda.so": library,
    }
    site.put("torch", "2.9.1+cu128", files=files, requires=("nvidia-cuda-cupti-cu12==12.8.90",))
    (finding,) = _found(site)
    assert (finding.id, len(finding.evidence)) == ("nvidia-wheels-missing", 1)
