"""More packages for an environment: its torch stays, unless they need another one and the user agrees."""

from __future__ import annotations

import subprocess
import sys

import pytest
from uv import find_uv_bin

from tests.install.conftest import TORCH, VISION
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel
from torchdoctor.install.record import asked_in

pytestmark = pytest.mark.process


@pytest.fixture
def env(torchdoctor, official, bare, tag, tmp_path):
    """torch 2.13.0 in `.venv`, and an index that has 2.14.0 too and packages that need one or the other."""
    official.add("/whl/cpu/torch/", *make_wheel("torch", "2.14.0+cpu", tag=tag))
    for name, requires in (
        ("any", ("torch",)),
        ("new", ("torch>=2.14",)),
        ("never", ("torch>=9",)),
        ("vis", ("torchvision",)),
    ):
        official.add(f"/simple/{name}/", *make_wheel(name, "1.0", tag="py3-none-any", requires=requires))
    ran = torchdoctor("install", *bare, "--without", "numpy", "--without", "torchvision")
    assert ran.status == 0, ran.err
    return tmp_path / "work" / ".venv"


@pytest.fixture
def add(torchdoctor, official, env):
    return lambda *arguments: torchdoctor(
        "add", *arguments, "--env", env, "--index-url", f"{official.url}/whl", "--no-verify"
    )


def test_torch_stays_where_what_is_added_goes_with_it(add, env):
    """A newer torch is not taken, no companion comes along, and the record has the package."""
    ran = add("any", "--json")
    assert ran.status == 0, ran.err
    assert [change["name"] for change in ran.json["changes"]] == ["any"]
    assert versions(env) == {"torch": f"{TORCH}+cpu", "any": "1.0"}
    assert [each.line for each in asked_in(env)] == [f"torch=={TORCH}", "any"]


def test_a_companion_that_is_needed_comes_in_the_build_of_torch(add, env, official, tag):
    """What needs torchvision gets the one of the same release and family, though another index has a newer one."""
    official.add("/simple/torchvision/", *make_wheel("torchvision", "0.99.0", tag=tag, requires=("torch",)))
    ran = add("vis")
    assert ran.status == 0, ran.err
    assert versions(env) == {"torch": f"{TORCH}+cpu", "torchvision": f"{VISION}+cpu", "vis": "1.0"}


def test_another_torch_needs_consent(add, env):
    """A package that needs a newer torch is refused without consent, with the reason, and installed with it."""
    ran = add("new", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "other-torch")
    assert "2.14.0+cpu" in ran.json["error"]["message"]
    assert versions(env) == {"torch": f"{TORCH}+cpu"}
    ran = add("new", "--yes")
    assert ran.status == 0, ran.err
    assert versions(env) == {"torch": "2.14.0+cpu", "new": "1.0"}


def test_what_goes_with_no_torch_is_refused(add, env):
    """The first reason is told, and nothing is changed."""
    ran = add("never", "--yes", "--json")
    assert ran.status == 3, ran.err
    assert versions(env) == {"torch": f"{TORCH}+cpu"}


def test_an_environment_without_torch_is_refused(torchdoctor, tmp_path):
    """There is nothing that could stay, and the error says how to begin."""
    folder = tmp_path / "bare"
    subprocess.run(
        [find_uv_bin(), "--no-config", "-q", "venv", "--python", sys.executable, folder], check=True
    )
    ran = torchdoctor("add", "any", "--env", folder, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "no-torch")


def test_nothing_to_add_is_wrong_usage(torchdoctor):
    """A command without a package says what to name."""
    ran = torchdoctor("add", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "usage")
