"""Shared libraries, by their names and places."""

from __future__ import annotations

import pytest

from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.libraries import cuda_majors, openmp_runtimes, torch_libraries


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libgomp-a34b3233.so.1", "gomp"), ("libiomp5.so", "iomp5"), ("libiomp5md.dll", "iomp5"),
        ("libomp.dylib", "omp"), ("vcomp140.dll", None), ("libgomp.txt", None),
    ],
)  # fmt: skip
def test_an_openmp_runtime_is_known_by_its_name(env, file, name):
    """Also a copy that a wheel renamed; Windows' own is no trouble."""
    (env.site / "x.libs").mkdir()
    (env.site / "x.libs" / file).touch()
    runtimes = openmp_runtimes(str(env.prefix), [read_folder(str(env.site))])
    assert [row.name for row in runtimes] == ([name] if name else [])


def test_the_libraries_of_torch_and_nvidia_are_listed(env):
    """Those of other packages are not."""
    for path in ("torch/lib/libc10.so", "nvidia/cublas/lib/libcublas.so.12", "other/lib/libx.so"):
        (env.site / path).parent.mkdir(parents=True)
        (env.site / path).touch()
    names = {path.rpartition("/")[2] for path in torch_libraries(read_folder(str(env.site)))}
    assert names == {"libc10.so", "libcublas.so.12"}


def test_the_cuda_major_is_in_the_name_or_from_13_on_in_the_version(env):
    """https://pypi.org/project/nvidia-cuda-runtime/."""
    env.put("nvidia-cublas-cu12", "12.8.4.1")
    env.put("nvidia-cuda-runtime", "13.0.48")
    env.put("nvidia-ml-py", "12.570")
    majors = cuda_majors(read_folder(str(env.site)).distributions)
    assert [(row.major, row.packages) for row in majors] == [
        (12, ("nvidia-cublas-cu12 12.8.4.1",)), (13, ("nvidia-cuda-runtime 13.0.48",)),
    ]  # fmt: skip
