"""What an inventory finds in an environment, one story each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.inventory.site import Environment


def test_every_distribution_is_listed_with_who_put_it_there_and_when(env):
    """Installer, whether it was asked for by name, the time of its RECORD, and its requirements of torch's."""
    info = env.put("torchvision", "0.28.0", requires=("numpy", "torch==2.13.0", "pillow"), requested=True)
    env.put("rich", "14.0", installer="uv")
    os.utime(info / "RECORD", (1_790_000_000, 1_790_000_000))
    vision, rich = env.take().distribution("torchvision"), env.take().distribution("rich")
    assert (vision.installer, vision.requested, vision.requires) == (
        "pip",
        True,
        ("numpy", "torch==2.13.0", "pillow"),
    )
    assert vision.installed_at == "2026-09-21T14:13:20+00:00"
    assert (rich.installer, rich.requested, rich.requires) == ("uv", False, ())


@pytest.mark.parametrize(
    ("version", "said", "variant"),
    [
        ("2.13.0+cpu", {}, "cpu"),
        ("2.13.0+cu130", {"cuda": "13.0"}, "cu130"),
        ("2.13.0", {"says": "2.13.0+cu130", "cuda": "13.0"}, "cu130"),
        ("2.5.1", {"cuda": "12.4"}, "cu124"),
        ("2.4.1", {"hip": "6.1.40091-a8dbc0c19"}, "rocm6.1"),
        ("2.8.0", {"xpu": "20250101"}, "xpu"),
        ("2.13.0", {}, "cpu"),
    ],
)
def test_the_variant_is_told_by_version_py_and_metadata(env, version, said, variant):
    """A local version says it, in either place; without one, what the build was made for."""
    env.torch(version, **said)
    assert env.take().torch.value.variant.value == variant


def test_a_variant_that_nothing_says_is_unknown(env):
    """torchaudio's version.py has no word of CUDA, and PyPI's name has no local part."""
    env.put(
        "torchaudio",
        "2.9.1",
        files={"torchaudio/__init__.py": "", "torchaudio/version.py": "__version__ = '2.9.1'\n"},
    )
    fact = env.take().torchaudio.value.variant
    assert (fact.state, fact.why) == ("unknown", "its version.py does not say what it was built for")


def test_every_copy_on_the_path_is_found_in_its_order(env, tmp_path):
    """PYTHONPATH comes first, then the user's own folder, then the environment's."""
    env.torch("2.13.0+cpu")
    env.put("torch", "2.1.0", site=tmp_path / "old")
    env.put("torch", "2.2.0", site=tmp_path / "user")
    (env.prefix / "pyvenv.cfg").write_text("include-system-site-packages = TRUE\n")
    inventory = env.take(environ={"PYTHONPATH": str(tmp_path / "old")}, user_site=tmp_path / "user")
    assert [row.version for row in inventory.copies.value] == ["2.1.0", "2.2.0", "2.13.0+cpu"]
    assert inventory.torch.value.version == "2.1.0"
    assert inventory.duplicates.value[0].versions == ("2.1.0", "2.2.0", "2.13.0+cpu")
    assert [row.origin for row in inventory.path.value] == [
        "PYTHONPATH", "standard library", "user site", "site-packages",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("venv", "environ", "used"),
    [(True, {}, False), (False, {}, True), (False, {"PYTHONNOUSERSITE": "1"}, False)],
)
def test_the_user_site_counts_where_the_interpreter_looks_there(tmp_path, venv, environ, used):
    """Not in a virtual environment, and not when it is switched off."""
    env = Environment(tmp_path / "env", venv=venv)
    env.put("torch", "2.2.0", site=tmp_path / "user")
    inventory = env.take(environ=environ, user_site=tmp_path / "user")
    assert inventory.user_site.value.used is used
    assert inventory.user_site.value.packages == ("torch-2.2.0.dist-info",)
    assert (inventory.torch.state == "found") is used


def test_two_metadata_of_one_folder_are_one_copy_of_what_is_there(env):
    """An install that was broken off leaves the old dist-info: the files say which one holds."""
    env.torch("2.9.1+cpu")
    env.torch("2.13.0+cpu")
    inventory = env.take()
    assert inventory.torch.value.distribution.version == "2.13.0+cpu"
    assert len(inventory.copies.value) == 1
    assert inventory.duplicates.value[0].versions == ("2.13.0+cpu", "2.9.1+cpu")


def test_metadata_without_its_folder_and_a_folder_without_metadata(env):
    """Both are copies: one that cannot be imported, one that pip does not know."""
    env.put("torch", "2.13.0", files={"elsewhere.py": ""})
    (env.site / "torchvision").mkdir()
    (env.site / "torchvision/__init__.py").write_text("")
    inventory = env.take()
    assert (inventory.torch.value.there, inventory.torch.value.version) == (False, "2.13.0")
    assert (inventory.torchvision.value.there, inventory.torchvision.value.distribution) == (True, None)


@pytest.mark.parametrize(
    ("torch", "name", "version", "requires", "matches"),
    [
        ("2.4.1+cu124", "torchvision", "0.19.1+cu124", ("torch==2.4.1",), True),
        ("2.4.1", "torchvision", "0.18.0", ("torch==2.3.0",), False),
        ("2.4.1", "torchaudio", "2.4.1", (), True),
        ("2.4.1", "torchaudio", "2.5.0", (), False),
        ("2.13.0", "torchvision", "0.28.0", (), True),
        ("9.9.0", "torchvision", "0.99.0", ("torch==9.9.0",), True),
        ("9.9.0", "torchvision", "0.99.0", ("torch (>=9.10)",), False),
        ("9.9.0", "torchaudio", "9.9.0", (), None),
    ],
)
def test_a_companion_matches_by_the_facts_then_by_what_it_declares(
    env, torch, name, version, requires, matches
):
    """A release that is known decides; of an unknown one its metadata does; else nobody knows."""
    env.torch(torch)
    env.put(name, version, requires=requires)
    assert env.take().companions.value[0].matches is matches


def test_a_companion_of_another_build_is_told(env):
    """cpu beside cu124: the versions match and the builds do not."""
    env.torch("2.4.1+cu124", cuda="12.4")
    env.put("torchvision", "0.19.1+cpu")
    row = env.take().companions.value[0]
    assert (row.matches, row.same_variant) == (True, False)


@pytest.mark.parametrize(
    ("torch", "numpy", "needed", "fits"),
    [
        ("2.1.0", "2.1.0", "<2", False),
        ("2.1.0", "1.26.4", "<2", True),
        ("2.13.0", "2.4.0", None, True),
        ("9.9.0", "2.4.0", None, None),
    ],
)
def test_numpys_major_is_held_to_what_the_build_needs(env, torch, numpy, needed, fits):
    """No metadata says it: the facts do."""
    env.torch(torch)
    env.put("numpy", numpy)
    row = env.take().numpy.value
    assert (row.major, row.needed, row.fits) == (int(numpy[0]), needed, fits)


def test_files_that_are_imported_in_place_of_the_real_ones_are_named(env, tmp_path):
    """torch.py where a person works, a folder with __init__.py on PYTHONPATH, a module named as the library's own."""
    here, more = tmp_path / "here", tmp_path / "more"
    for path in (
        "here/torch.py",
        "here/random.py",
        "here/torchvision/readme.txt",
        "more/numpy/__init__.py",
        "here/x.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    inventory = env.take(here=here, environ={"PYTHONPATH": str(more)})
    assert {
        (row.module, Path(row.path).relative_to(tmp_path).as_posix(), row.where)
        for row in inventory.shadows.value
    } == {
        ("torch", "here/torch.py", "current folder"),
        ("random", "here/random.py", "current folder"),
        ("numpy", "more/numpy/__init__.py", "PYTHONPATH"),
    }


def test_the_environments_own_folder_shadows_nothing(env):
    """Standing in site-packages, torch is torch."""
    env.torch("2.13.0")
    assert env.take(here=env.site).shadows.state == "absent"


def test_several_openmp_runtimes_are_found_where_wheels_put_them(env):
    """torch's own, one in a `.libs` folder, one in a `.dylibs`, and conda's."""
    for path in (
        "torch/lib/libgomp-a34b3233.so.1", "scikit_learn.libs/libgomp-24e2ab19.so.1.0.0",
        "sklearn/.dylibs/libomp.dylib",
        "torch/lib/libiomp5md.dll", "numpy.libs/libopenblas.so", "torch/lib/libompstub.txt",
    ):  # fmt: skip
        (env.site / path).parent.mkdir(parents=True, exist_ok=True)
        (env.site / path).write_text("")
    (env.prefix / "lib/libiomp5.so").write_text("")
    found = {(row.name, Path(row.path).name) for row in env.take().openmp.value}
    assert found == {
        ("gomp", "libgomp-a34b3233.so.1"), ("gomp", "libgomp-24e2ab19.so.1.0.0"), ("omp", "libomp.dylib"),
        ("iomp5", "libiomp5md.dll"), ("iomp5", "libiomp5.so"),
    }  # fmt: skip


def test_nvidias_packages_of_two_cuda_majors_are_told_apart(env):
    """Up to CUDA 12 the name has the major, from 13 on the version has it."""
    env.put("nvidia-cublas-cu12", "12.4.5.8")
    env.put("nvidia-cuda-runtime", "13.0.48")
    env.put("nvidia-cufft", "12.0.0.15")
    env.put("nvidia-ml-py", "13.580.82")
    assert {row.major: row.packages for row in env.take().cuda_majors.value} == {
        12: ("nvidia-cublas-cu12 12.4.5.8",), 13: ("nvidia-cuda-runtime 13.0.48",),
    }  # fmt: skip


def test_what_an_interrupted_pip_left_is_named(env):
    """A folder that begins with ~, and metadata that lost its METADATA."""
    (env.site / "~orch").mkdir()
    info = env.put("torch", "2.13.0")
    (info / "METADATA").unlink()
    assert {Path(path).name for path in env.take().leftovers.value} == {"~orch", "torch-2.13.0.dist-info"}


def test_pth_files_that_change_the_path_are_told(env):
    """What they add and whether they run code."""
    (env.site / "easy.pth").write_text("/opt/torch-src\nimport os\n")
    (env.site / "empty.pth").write_text("# nothing\n")
    row = env.take().pth.value
    assert [(Path(one.path).name, one.folders, one.code_lines) for one in row] == [
        ("easy.pth", ("/opt/torch-src",), 1)
    ]


def test_a_conda_environment_is_read_by_condas_own_records(tmp_path):
    """Build strings say CPU or CUDA; its dist-info beside the record is no second copy."""
    env = Environment(tmp_path / "env", venv=False)
    env.put("torch", "2.5.1", installer="conda", files={
        "torch/__init__.py": "", "torch/version.py": "__version__ = '2.5.1'\ncuda = '12.4'\nhip = None\n",
    })  # fmt: skip
    env.conda("pytorch", "2.5.1", "py3.12_cuda12.4_cudnn9.1.0_0", channel="pytorch", requested_spec="pytorch")
    env.conda("cpuonly", "2.0", "0")
    env.conda("zlib", "1.3", "h123")
    inventory = env.take()
    pytorch = inventory.distribution("pytorch")
    assert inventory.kind.value == "conda"
    assert (pytorch.build, pytorch.channel, pytorch.requested) == (
        "py3.12_cuda12.4_cudnn9.1.0_0",
        "pytorch",
        True,
    )
    assert inventory.distribution("cpuonly").kind == inventory.distribution("zlib").kind == "conda"
    assert inventory.torch.value.variant.value == "cu124"
    assert inventory.duplicates.state == "absent"


def test_the_base_environment_of_conda_is_told_apart(tmp_path):
    """It has conda itself in it: installing there breaks conda."""
    env = Environment(tmp_path / "conda", venv=False)
    env.conda("conda", "24.9.0", "py312_0")
    (env.prefix / "condabin").mkdir()
    assert env.take().kind.value == "conda-base"


def test_an_editable_install_is_there_though_its_folder_is_elsewhere(env):
    """The finder of a source checkout stands in for the folder."""
    info = env.put("torch", "2.14.0a0+git1234567", files={"__editable__.torch.pth": "/src/torch\n"})
    (info / "direct_url.json").write_text('{"url": "file:///src/torch", "dir_info": {"editable": true}}')
    torch = env.take().torch.value
    assert (torch.there, torch.distribution.editable, torch.distribution.direct_url) == (
        True,
        True,
        "file:///src/torch",
    )


def test_an_eggs_metadata_counts_too(env):
    """setup.py's way, still conda's for pytorch."""
    (env.site / "torch-2.5.1-py3.12.egg-info").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 2.5.1\n"
    )
    row = env.take().distribution("torch")
    assert (row.kind, row.version, row.installer) == ("egg", "2.5.1", None)
