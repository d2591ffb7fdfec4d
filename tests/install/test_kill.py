"""SIGKILL at any moment: the old environment works or the new one does, and the next run succeeds."""

from __future__ import annotations

import os
import random
import shutil
import sys

import pytest

from tests.install import killing
from tests.install.conftest import TORCH, VISION
from tests.wheelmaker import make_wheel

# TORCHDOCTOR_TEST_KILLS=100 takes more moments; the seed makes each run the same.
MOMENTS = int(os.environ.get("TORCHDOCTOR_TEST_KILLS", "6"))
OLD, NEW = f"{TORCH}+cpu {VISION}+cpu 1.0", "2.14.0+cpu 0.29.0+cpu 2.0"


@pytest.fixture
def wheels(index, tag):
    """torch and torchvision in an old and a new release, and a package of many files beside them."""
    for torch, vision, many in ((TORCH, VISION, "1.0"), ("2.14.0", "0.29.0", "2.0")):
        index.add("/whl/cpu/torch/", *make_wheel("torch", f"{torch}+cpu", tag=tag, requires=("many",)))
        index.add("/whl/cpu/torchvision/", *make_wheel("torchvision", f"{vision}+cpu", tag=tag))
        modules = {f"many/m{number}.py": f"x = {number}  # {many}\n" for number in range(150)}
        index.add("/simple/many/", *make_wheel("many", many, tag="py3-none-any", modules=modules))
    return index


def asked(wheels, folder, torch, many):
    """The command line for one of the two releases."""
    return (
        "install", folder, "--index-url", f"{wheels.url}/whl", "--python", sys.executable, "--torch", torch,
        "--variant", "cpu", "--with", "torchvision", "--with", f"many=={many}", "--without", "pip", "--without",
        "numpy", "--without", "torchaudio", "--no-verify",
    )  # fmt: skip


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
@pytest.mark.timeout(1800)
@pytest.mark.slow
def test_a_run_killed_at_any_moment_leaves_the_old_environment_or_the_new_one(wheels, alone, tmp_path):
    """An upgrade is killed all over its run, alone and with its children; never is there half of anything."""
    home = tmp_path / "envs"
    home.mkdir()
    old, new = asked(wheels, home / "env", TORCH, "1.0"), asked(wheels, home / "env", "2.14.0", "2.0")
    killing.duration(old, alone, tmp_path)
    whole = killing.duration(new, alone, tmp_path)
    choose = random.Random(20261125)  # noqa: S311  (moments, not secrets)
    seen: list[str] = []
    while len(seen) < MOMENTS:
        number = len(seen)
        # Every other one from an empty cache, so that fetching is met as well.
        if number % 2:
            shutil.rmtree(tmp_path / "cache" / "wheels", ignore_errors=True)
        killing.duration(old, alone, tmp_path)
        # Half strewn over the whole run, half over the time when the new environment is being made and put there.
        late = number % 4 > 1
        moment = choose.random() * (0.5 if late else whole)
        killed = killing.kill_after(
            moment, new, alone, tmp_path, whole_group=number % 3 > 0,
            once=lambda late=late: not late or any(home.glob(".env.torchdoctor-*")),
        )  # fmt: skip
        assert killing.versions_of(home / "env") in (OLD, NEW), killed
        assert killing.wrong_files(home / "env") == [], killed
        assert killing.wrong_wheels(tmp_path / "cache") == [], killed
        assert killing.record_of(home / "env") == killing.versions_of(home / "env").split()[0], killed
        whole = min(whole, killing.duration(new, alone, tmp_path))
        assert killing.versions_of(home / "env") == NEW, killed
        assert killing.left_over(home) == [], killed
        if not killed.ended:
            seen.append(killed.stage)
    assert killing.wrong_wheels(tmp_path / "cache") == []
    print({f"after {stage}": seen.count(stage) for stage in sorted(set(seen))})  # noqa: T201  (with -s)


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
def test_a_run_killed_while_it_makes_a_new_environment_leaves_none(wheels, alone, tmp_path):
    """Where nothing was there is nothing or the whole new one, and the next run makes it."""
    home = tmp_path / "envs"
    home.mkdir()
    new = asked(wheels, home / "env", "2.14.0", "2.0")
    whole = killing.duration(new, alone, tmp_path)
    for share in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        shutil.rmtree(home / "env")
        killed = killing.kill_after(whole * share, new, alone, tmp_path, whole_group=True)
        if (home / "env").exists():
            assert killing.versions_of(home / "env") == NEW, killed
        killing.duration(new, alone, tmp_path)
        assert killing.versions_of(home / "env") == NEW
        assert killing.left_over(home) == []
