"""A new environment is unpacked and compiled while its files still arrive, and is no less whole for it."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from tests.install.test_bad_input import interrupt, nothing_left
from tests.install.test_sources import versions
from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from torchdoctor.core.system import uv


@pytest.fixture
def here(tmp_path):
    """A folder for environments, apart from the caches."""
    folder = tmp_path / "envs"
    folder.mkdir()
    return folder


@pytest.mark.process
def test_what_is_there_is_unpacked_and_compiled_while_the_rest_still_comes(alone, official, bare, here):
    """One wheel stalls: the other package has its bytecode by then, and Ctrl-C leaves nothing of it."""
    official.add("/simple/small/", *make_wheel("small", "1.0", tag="py3-none-any"))
    text = os.urandom(400_000).hex()
    official.add("/simple/large/", *make_wheel("large", "1.0", tag="py3-none-any", modules={"large/x": text}))
    path = next(path for path in official.files if "/large-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(stall_after=200_000)  # its metadata, read by ranges, is at the end
    compiled = ".env.torchdoctor-*-new-*/lib/python*/site-packages/small/__pycache__/version.*.pyc"
    status, _, err = interrupt(
        alone, ["install", here / "env", *bare, "--with", "small", "--with", "large"],
        when=lambda: official.stalled.is_set() and any(here.glob(compiled)), cwd=here,
    )  # fmt: skip
    assert (status, "Traceback" in err) == (130, False), err
    nothing_left(here)


def test_a_wheel_that_may_not_be_unpacked_ends_the_run_while_torch_still_comes(
    torchdoctor, official, bare, here
):
    """Nobody waits for gigabytes to be told that another file is bad."""
    official.add(
        "/simple/small/", *make_wheel("small", "1.0", tag="py3-none-any", modules={"other-1.dist-info/x": ""})
    )
    path = next(path for path in official.files if "/torch-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(stall_after=100)
    ran = torchdoctor("install", here / "env", *bare, "--with", "small", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "bad-wheel"), ran.out
    nothing_left(here)


def test_what_only_a_companion_of_another_build_needed_is_not_there(torchdoctor, index, tag, here, tmp_path):
    """It was unpacked before that was known; the environment is made anew without it."""
    index.add("/whl/cpu/torch/", *make_wheel("torch", "2.13.0+cpu", tag=tag))
    liar = make_wheel("torchvision", "0.28.0+cpu", tag=tag, built="0.28.0+cu130", requires=("only-vision",))
    index.add("/whl/cpu/torchvision/", *liar)
    index.add("/simple/only-vision/", *make_wheel("only-vision", "1.0", tag="py3-none-any"))
    ran = torchdoctor(
        "install", here / "env", "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch", "2.13.0",
        "--variant", "cpu", "--without", "pip", "--without", "numpy", "--without", "torchaudio", "--no-verify",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert "torchvision is left out" in ran.err
    assert list(tmp_path.glob("cache/wheels/**/only_vision-1.0-*.whl"))
    assert set(versions(here / "env")) == {"torch"}
    assert not list((here / "env").glob("lib/python*/site-packages/only_vision*"))


@pytest.mark.process
def test_uv_is_stopped_for_another_thread(tmp_path):
    """Who does not need its work any more does not wait for it."""
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(uv.UvStopped):
        uv.run_uv(["python", "list"], environ=os.environ, folder=tmp_path, limit=60, stopped=stopped)
