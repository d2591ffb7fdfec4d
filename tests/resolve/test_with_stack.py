"""What a stack asks of torch and its companions joins the request, and the rest stays."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchdoctor.detect import machine_from_options
from torchdoctor.errors import UsageError
from torchdoctor.lock.target import marker_environment
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.requirements.markers import stack_for_environment
from torchdoctor.resolve import Request
from torchdoctor.resolve.stack import with_stack


def asked(*lines, origin="requirements.txt:1"):
    return tuple(
        AskedRequirement(line=line, name=canonicalize_name(Parsed(line).name), origin=origin)
        for line in lines
    )


def lines(requirements):
    return [each.line for each in requirements]


def test_torch_and_companions_join_the_request():
    """Several limits of torch hold together; a companion that is named is required; the rest stays."""
    stack = StackRequest(
        requirements=asked("torch>=2.1", "torchvision==0.20.*", "timm"),
        constraints=asked("torch<2.6", "numpy<2"),
    )
    request, rest = with_stack(Request(torch=SpecifierSet("!=2.5.0")), stack)
    assert request.torch == SpecifierSet(">=2.1,<2.6,!=2.5.0")
    assert request.required == {"torchvision": SpecifierSet("==0.20.*")}
    assert (lines(rest.requirements), lines(rest.constraints)) == (["timm"], ["numpy<2"])


def test_the_build_that_a_file_pins_is_chosen_anew_and_said():
    """`torch==2.1.0+cu121` in a file is a release: whoever wrote it had another machine."""
    request, rest = with_stack(Request(), StackRequest(requirements=asked("torch==2.1.0+cu121")))
    assert (request.torch, request.variant) == (SpecifierSet("==2.1.0"), "auto")
    assert "torch 2.1.0+cu121 counts for the release" in rest.notes[0]


def test_the_build_that_a_user_types_is_chosen():
    """`--with torch==2.9.1+cu128` means that build, unless another option means another one."""
    stack = StackRequest(requirements=asked("torch==2.9.1+cu128", origin="--with torch==2.9.1+cu128"))
    request, rest = with_stack(Request(), stack)
    assert (request.torch, request.variant, rest.notes) == (SpecifierSet("==2.9.1"), "cu128", ())
    with pytest.raises(UsageError, match="cu128"):
        with_stack(Request(variant="cpu"), stack)


def test_a_file_of_the_pytorch_index_is_a_release():
    """A URL to torch on PyTorch's index names a release; a URL to anywhere else is refused."""
    link = "torch @ https://download.pytorch.org/whl/cu121/torch-2.1.0%2Bcu121-cp311-cp311-linux_x86_64.whl"
    request, _ = with_stack(Request(), StackRequest(requirements=asked(link)))
    assert request.torch == SpecifierSet("==2.1.0")
    other = asked("torch @ https://example.org/torch-2.1.0-cp311-cp311-linux_x86_64.whl")
    with pytest.raises(UsageError, match="not a file of PyTorch's index") as caught:
        with_stack(Request(), StackRequest(requirements=other))
    assert caught.value.code == "torch-url"


def test_an_override_stands_in_the_place_of_what_is_asked():
    """The pin of a file gives way to `--override`, and to nothing else."""
    stack = StackRequest(requirements=asked("torch==2.1.0", "timm"), overrides=("torch>=2.7",))
    request, rest = with_stack(Request(), stack)
    assert request.torch == SpecifierSet(">=2.7")
    assert rest.overrides == ("torch>=2.7",)


def test_extras_of_torch_stay_beside_it():
    """`torch[opt-einsum]` asks for torch and for what the extra needs."""
    request, rest = with_stack(Request(), StackRequest(requirements=asked("torch[opt-einsum]>=2")))
    assert request.torch == SpecifierSet(">=2")
    assert lines(rest.requirements) == ["torch[opt-einsum]"]


def test_what_is_excluded_is_left_out_and_said():
    """`--without` counts more than a file."""
    stack = StackRequest(requirements=asked("torchaudio", "timm"))
    request, rest = with_stack(Request(excluded=frozenset({"torchaudio"})), stack)
    assert (request.required, lines(rest.requirements)) == ({}, ["timm"])
    assert "torchaudio is left out" in rest.notes[0]


@pytest.mark.parametrize(
    ("platform", "kept"),
    [("win_amd64", ["pywin32"]), ("linux_x86_64", ["uvloop"]), ("macosx_14_0_arm64", [])],
)
def test_markers_are_those_of_the_machine(platform, kept):
    """What a marker leaves out for a described machine is not asked for."""
    machine = machine_from_options(platform=platform, python_version="3.12", driver=None, gpus=(), libc=None)
    stack = StackRequest(
        requirements=asked('pywin32 ; sys_platform == "win32"', 'uvloop ; platform_system == "Linux"')
    )
    assert lines(stack_for_environment(stack, marker_environment(machine)).requirements) == kept


def test_a_project_for_another_python_is_refused():
    """`requires-python` is looked at before anything else, and the error names the way out."""
    machine = machine_from_options(
        platform="win_amd64", python_version="3.10", driver=None, gpus=(), libc=None
    )
    stack = StackRequest(pythons=asked("python>=3.12", origin="pyproject.toml"))
    with pytest.raises(UsageError, match=r"^pyproject.toml: .*3\.12.*3\.10") as caught:
        stack_for_environment(stack, marker_environment(machine))
    assert "--python" in caught.value.fix
