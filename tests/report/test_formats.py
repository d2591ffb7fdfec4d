"""What `resolve --format` writes for other tools, read back by the parsers of those formats."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from torchdoctor.detect import machine_from_options
from torchdoctor.errors import UsageError
from torchdoctor.report.formats import FORMATS, describe_stack, format_text
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.model import SolvedPackage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def described(platform="linux", python="3.12", driver="570.124", gpus=("RTX 4090",), **more):
    """A machine by its options."""
    return machine_from_options(
        platform=platform, python_version=python, driver=driver, gpus=gpus, libc=None, **more
    )


def asked(*lines, **more):
    """What somebody asked for with `--with`."""
    rows = tuple(AskedRequirement(line=line, name=Requirement(line).name, origin="--with") for line in lines)
    return StackRequest(requirements=rows, **more)


LINUX = described()
MAC = described("macosx_14_0_arm64", driver=None, gpus=())
PLAN = resolve(LINUX, Request())
FAMILY = [f"{package.name}=={package.version}" for package in PLAN.packages]
URL = "https://download.pytorch.org/whl/cu126"


def written(form, *, plan=PLAN, machine=LINUX, stack=None, find_links=()):
    """The plan in a form."""
    return format_text(describe_stack(plan, machine, stack=stack, find_links=find_links), form)


def content(text):
    """The lines without remarks."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_requirements_add_an_index_and_pin_the_builds():
    """`--index-url` alone would hide PyPI from every line that is added to the file."""
    assert content(written("requirements")) == [f"--extra-index-url {URL}", *FAMILY]


def test_a_mac_needs_no_index():
    """Its builds are PyPI's own, and have no local version."""
    plan = resolve(MAC, Request())
    lines = content(written("requirements", plan=plan, machine=MAC))
    assert lines == [f"{package.name}=={package.version}" for package in plan.packages]
    assert "+" not in "".join(lines)
    assert "index" not in written("uv", plan=plan, machine=MAC)


def test_builds_of_pypi_need_no_index():
    """A plan whose source is PyPI is one that pip follows without an option."""
    packages = tuple(replace(each, version=Version(each.version.public)) for each in PLAN.packages)
    plan = replace(PLAN, index_url="https://pypi.org/simple", packages=packages)
    assert "index" not in " ".join(content(written("pip", plan=plan)))


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"constraints"}))
def test_what_was_asked_for_is_in_each_form(form):
    """With the version that was solved for; what only another package needs is left to the installer."""
    plan = replace(
        PLAN,
        solved=(
            SolvedPackage(name="timm", version="1.0.22", asked=True),
            SolvedPackage(name="safetensors", version="0.6", asked=False),
        ),
    )
    text = written(form, plan=plan, stack=asked("timm[extra]>=1"))
    assert "timm[extra]==1.0.22" in text
    assert "safetensors" not in text


def test_what_was_asked_for_stands_as_it_was_asked_without_a_solution():
    """A described machine has no solution yet: the installer solves."""
    lines = content(written("requirements", stack=asked("timm>=1", 'numpy<2; python_version < "3.13"')))
    assert lines[-2:] == ["timm>=1", 'numpy<2; python_version < "3.13"']


def test_extras_of_torch_are_kept():
    """`torch[opt-einsum]` is torch with something more."""
    lines = content(written("requirements", stack=asked("torch[opt-einsum]>=2")))
    assert lines[1] == f"torch[opt-einsum]=={PLAN.torch.version}"
    assert "[" not in "".join(content(written("constraints", stack=asked("torch[opt-einsum]"))))


def test_constraints_hold_the_family_alone():
    """What is asked for besides is the business of the file that is constrained."""
    assert content(written("constraints", stack=asked("timm"))) == [f"--extra-index-url {URL}", *FAMILY]


def test_uv_asks_the_index_for_the_family_alone():
    """The index is explicit, and each of its packages is bound to it."""
    tool = tomllib.loads(written("uv", stack=asked("timm")))["tool"]["uv"]
    assert tool["index"] == [{"name": "pytorch-cu126", "url": URL, "explicit": True}]
    assert tool["sources"] == {package.name: {"index": "pytorch-cu126"} for package in PLAN.packages}


def test_limits_and_overrides_reach_uv():
    """They change what uv solves, as they did for the plan."""
    limits = (AskedRequirement(line="numpy<2", name="numpy", origin="c.txt:1"),)
    tool = tomllib.loads(written("uv", stack=asked("timm", constraints=limits, overrides=("torch>=2.7",))))
    assert tool["tool"]["uv"]["constraint-dependencies"] == ["numpy<2"]
    assert tool["tool"]["uv"]["override-dependencies"] == ["torch>=2.7"]


@pytest.mark.parametrize(
    ("torch", "gpu", "name"),
    [("2.9.1", "gfx1100", "pytorch-triton-rocm"), ("2.13.0", "gfx1100", "triton-rocm")],
)
def test_a_rocm_build_brings_its_triton_from_the_index(torch, gpu, name):
    """It is on no other index, and a source of uv and Poetry serves direct dependencies alone."""
    from packaging.specifiers import SpecifierSet

    machine = described(driver=None, gpus=(gpu,))
    plan = resolve(machine, Request(torch=SpecifierSet(f"=={torch}")))
    document = tomllib.loads(written("uv", plan=plan, machine=machine))
    assert name in document["project"]["dependencies"]
    assert name in document["tool"]["uv"]["sources"]
    assert (
        name in tomllib.loads(written("poetry", plan=plan, machine=machine))["tool"]["poetry"]["dependencies"]
    )


def test_poetry_asks_its_source_for_the_family_alone():
    """The source is explicit."""
    document = tomllib.loads(written("poetry", stack=asked("timm")))
    assert document["tool"]["poetry"]["source"] == [
        {"name": "pytorch-cu126", "url": URL, "priority": "explicit"}
    ]
    assert document["project"]["dependencies"] == [*FAMILY, "timm"]


def test_conda_gives_python_and_pip_the_rest():
    """PyTorch publishes nothing for conda any more."""
    document = yaml.safe_load(written("environment.yml", stack=asked("timm")))
    assert document["dependencies"][:2] == ["python=3.12", "pip"]
    assert document["dependencies"][2]["pip"] == [f"--extra-index-url {URL}", *FAMILY, "timm"]


def test_a_dockerfile_is_whole():
    """Slim Python, a cache for pip, and a user who is not root."""
    text = written("dockerfile")
    assert "FROM python:3.12-slim" in text
    assert "--mount=type=cache" in text
    assert "curl" not in text
    assert text.index("pip install -r") < text.index("USER app")


def test_a_devcontainer_starts_without_a_gpu_too():
    """The command is a list, which no shell reads."""
    document = json.loads(written("devcontainer", stack=asked("timm>=1")))
    assert document["hostRequirements"] == {"gpu": "optional"}
    assert "timm>=1" in document["postCreateCommand"]


@pytest.mark.parametrize("form", ["dockerfile", "devcontainer"])
def test_a_container_is_refused_for_a_mac(form):
    """An image is Linux's."""
    with pytest.raises(UsageError, match="Linux container"):
        written(form, plan=resolve(MAC, Request()), machine=MAC)


@pytest.mark.parametrize("form", ["dockerfile", "devcontainer", "poetry"])
def test_a_folder_of_wheels_is_refused_where_it_cannot_be_reached(form):
    """No container and no Poetry reads it."""
    with pytest.raises(UsageError, match="file:///wheels"):
        written(form, plan=replace(PLAN, index_url="file:///wheels"))


def test_a_folder_of_wheels_is_a_page_of_links():
    """pip asks an index for pages of projects, which a folder has not."""
    plan = replace(PLAN, index_url="file:///wheels")
    assert "--find-links file:///wheels" in written("pip", plan=plan)
    assert tomllib.loads(written("uv", plan=plan))["tool"]["uv"]["index"][0]["format"] == "flat"


def test_places_that_a_file_of_requirements_names_are_in_each_form():
    """The user agreed to them when it was read."""
    stack = asked(
        "timm", indexes=("https://me:secret@example.org/simple",), find_links=("https://example.org/l.html",)
    )
    for form in FORMATS:
        text = written(form, stack=stack)
        assert "https://example.org/simple" in text
        assert "https://example.org/l.html" in text
        assert "secret" not in text
    indexes = tomllib.loads(written("uv", stack=stack))["tool"]["uv"]["index"]
    assert [row.get("explicit", False) for row in indexes] == [True, False, False]


def test_passwords_are_not_written_down():
    """Files are shared."""
    plan = replace(PLAN, index_url="https://me:secret@example.org/whl/cu126?token=1")
    for form in FORMATS:
        assert "secret" not in written(form, plan=plan)
        assert "token" not in written(form, plan=plan)


@given(st.text(max_size=40))
def test_nothing_of_a_url_leaves_its_place(tail):
    """Whatever an index is called, each form still says what it said."""
    plan = replace(PLAN, index_url=f"https://example.org/{tail}")
    lines = content(written("requirements", plan=plan))
    assert len(lines) == 1 + len(FAMILY)
    (url,) = lines[0].split()[1:]
    assert tomllib.loads(written("uv", plan=plan))["tool"]["uv"]["index"][0]["url"] == url
    assert yaml.safe_load(written("environment.yml", plan=plan))["dependencies"][2]["pip"][0] == lines[0]
    assert json.loads(written("devcontainer", plan=plan))["postCreateCommand"][-1] == url
    assert not set("\"'`$\\ ") & set(url)
