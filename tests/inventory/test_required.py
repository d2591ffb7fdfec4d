"""What torch requires, with extras and markers followed, against what is installed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.inventory.package_model import Distribution
from torchdoctor.inventory.required import marker_environment, required_by_torch, required_packages

# As torch 2.14.1 and cuda-toolkit 13.0.3 have them.
TORCH = (
    'cuda-toolkit[cublas,cusolver]==13.0.3; platform_system == "Linux"',
    'nvidia-cudnn-cu13==9.24.0.43; platform_system == "Linux"',
    'optree>=0.13.0; extra == "optree"',
)
TOOLKIT = tuple(
    f"nvidia-{name}; (sys_platform == 'linux' and platform_machine == 'aarch64' or sys_platform == 'linux' and "
    f"platform_machine == 'x86_64' or sys_platform == 'win32' and platform_machine == 'AMD64') and extra == '{extra}'"
    for name, extra in (
        ("cublas==13.1.1.3.*", "cublas"),
        ("cuda-nvrtc==13.0.88.*", "cublas"),
        ("cusolver==12.0.4.66.*", "cusolver"),
        ("cuda-nvcc==13.0.88.*", "nvcc"),
        ("cublas==13.1.1.3.*", "all"),
    )
)


def _required(env):
    installed = env.take(depth="list").distributions.value
    return {
        each.name: (each.by.name, each.there is not None, each.is_met)
        for each in required_packages(("torch",), installed, marker_environment(env.python))
    }


def test_extras_are_followed_into_the_package_that_has_them(env):
    """`cuda-toolkit[cublas,cusolver]` brings the packages of these two, and none of the others."""
    env.torch("2.14.1", cuda="13.0", requires=TORCH)
    env.put("cuda-toolkit", "13.0.3.0", requires=TOOLKIT)
    env.put("nvidia-cublas", "13.0.0.19")
    assert _required(env) == {
        "cuda-toolkit": ("torch", True, True),
        "nvidia-cudnn-cu13": ("torch", False, False),
        "nvidia-cublas": ("cuda-toolkit", True, False),
        "nvidia-cuda-nvrtc": ("cuda-toolkit", False, False),
        "nvidia-cusolver": ("cuda-toolkit", False, False),
    }


def test_two_packages_that_require_each_other_come_to_an_end(env):
    """Each line once."""
    env.torch("2.14.1", requires=("triton[b]",))
    env.put("triton", "3.8.0", requires=("torch[a]", 'torch[b]; extra == "b"'))
    assert _required(env) == {"triton": ("torch", True, True), "torch": ("triton", True, True)}


def test_what_torch_requires_is_unknown_where_its_metadata_is_gone(env):
    """Else nothing that belongs to it would be looked at."""
    env.put("nvidia-cublas", "13.1.1.3")
    installed = env.take(depth="list").distributions.value
    assert required_by_torch(installed, marker_environment(env.python)) is None


@given(st.lists(st.text(max_size=60), max_size=5))
def test_no_line_breaks_the_reader(lines):
    """Metadata is somebody's text: what cannot be read is left out."""
    torch = Distribution(
        name="torch", version="2.14.1", kind="wheel", folder="/s", metadata="/s/t", requires=tuple(lines)
    )
    found = required_packages(("torch",), (torch,), {"sys_platform": "linux"})
    assert all(each.by.name == "torch" for each in found)


def test_a_marker_that_cannot_be_compared_holds_for_nobody(env):
    """`~=` between words is undefined: the line is left out, and the rest is read."""
    env.torch("2.14.1", requires=('filelock; os_name ~= "posix"', "sympy>=1.13"))
    assert set(_required(env)) == {"sympy"}
