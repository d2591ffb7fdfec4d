"""`torchdoctor restore` and `undo`: what was recorded comes back, or what was there before the last change."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.conftest import run_torchdoctor, settings_of_nobody
from tests.docs.test_json import check
from tests.install.conftest import TORCH, bare_options, native_tag
from tests.install.test_sources import versions
from tests.loopback import Fault, LoopbackIndex
from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def served() -> Iterator[LoopbackIndex]:
    """An index with torch for the CPU, which needs `helper` 1.0, and with newer versions of both."""
    tag = native_tag()
    with LoopbackIndex() as index:
        index.add("/whl/cpu/torch/", *make_wheel("torch", f"{TORCH}+cpu", tag=tag, requires=("helper<2",)))
        newer = ("helper>=2", "nvidia-cublas")
        index.add(
            "/simple/torch/", *make_wheel("torch", "2.15.0", tag=tag, built="2.15.0+cu130", requires=newer)
        )
        same = make_wheel("torch", TORCH, tag=tag, built=f"{TORCH}+cu130", requires=("helper<2",))
        index.add("/simple/torch/", *same)
        packages = {
            ("helper", "1.0"): (),
            ("helper", "2.0"): (),
            ("nvidia-cublas", "13.0"): (),
            ("upscaler", "1.0"): ("torch>=2.15",),
            ("rich", "13.0"): (),
            ("rich", "14.0"): (),
            ("extra", "1.0"): (),
        }
        for (name, version), requires in packages.items():
            index.add(f"/simple/{name}/", *make_wheel(name, version, tag="py3-none-any", requires=requires))
        yield index


@pytest.fixture(scope="module")
def user(served, tmp_path_factory) -> dict[str, str]:
    return settings_of_nobody(tmp_path_factory.mktemp("user"), served.url)


@pytest.fixture(scope="module")
def made(served, user, tmp_path_factory) -> Path:
    """An environment that torchdoctor made."""
    folder = tmp_path_factory.mktemp("made") / "env"
    options = (
        *bare_options(served),
        "--without",
        "torchvision",
        "--without",
        "numpy",
        "--no-hold",
        "--with",
        "rich",
    )
    ran = run_torchdoctor("install", folder, *options, environ=user)
    assert ran.status == 0, ran.err
    return folder


@pytest.fixture
def env(made, tmp_path) -> Path:
    """A copy of it, which can be changed."""
    shutil.copytree(made, tmp_path / "env", symlinks=True)
    return tmp_path / "env"


@pytest.fixture
def restore(user, env) -> Callable[..., Ran]:
    """`torchdoctor restore` of that environment."""
    return lambda *options, **more: run_torchdoctor("restore", env, *options, environ={**user, **more})


@pytest.fixture
def uv_pip(env, served, user) -> Callable[..., None]:
    """A real installer, which resolves from the index alone."""
    environ = {"PATH": "/usr/bin:/bin", **user, "UV_DEFAULT_INDEX": f"{served.url}/simple"}

    def run(*words: str) -> None:
        python = str(env / "bin" / "python")
        command = [find_uv_bin(), "pip", "install", "--no-config", "--python", python, *words]
        subprocess.run(command, check=True, capture_output=True, env=environ)

    return run


def test_torch_and_what_it_needs_come_back(restore, env, uv_pip, served):
    """The recorded versions return from the cache, what only the other build needed goes, everything else stays."""
    uv_pip("-U", "torch", "rich")
    assert versions(env)["torch"] == "2.15.0"
    shown = restore("--dry-run", "--json").json
    expected = [
        {"name": "helper", "before": "2.0", "after": "1.0"},
        {"name": "nvidia-cublas", "before": "13.0", "after": None},
        {"name": "torch", "before": "2.15.0", "after": f"{TORCH}+cpu"},
    ]
    assert shown["changes"] == expected
    assert versions(env)["torch"] == "2.15.0"
    served.seen.clear()
    ran = restore("--yes")
    assert ran.status == 0, ran.err
    assert versions(env) == {"torch": f"{TORCH}+cpu", "helper": "1.0", "rich": "14.0"}
    assert not [path for path in served.seen if path.endswith(".whl")]
    again = restore()
    assert "as it was recorded; nothing was changed" in again.out


def test_another_build_of_the_same_version_is_replaced(restore, env, uv_pip):
    """PyPI's build may have the version of the recorded one; its version.py tells them apart."""
    uv_pip(f"torch=={TORCH}", "--reinstall-package", "torch")
    assert versions(env)["torch"] == TORCH
    ran = restore("--yes")
    assert ran.status == 0, ran.err
    assert versions(env)["torch"] == f"{TORCH}+cpu"


def test_a_package_that_would_break_is_named_before_anything_is_fetched(restore, env, uv_pip, served):
    """It needs the newer torch: the person chooses what to keep."""
    uv_pip("upscaler")
    before = versions(env)
    served.seen.clear()
    ran = restore("--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "conflict")
    assert "upscaler 1.0 requires torch>=2.15" in ran.json["error"]["message"]
    assert "uv pip uninstall" in ran.json["error"]["fix"]
    assert versions(env) == before
    assert not [path for path in served.seen if path.endswith(".whl")]


def test_a_file_that_cannot_be_had_changes_nothing(restore, env, uv_pip, served, tmp_path):
    """Not in the cache, and the index does not serve it any more."""
    uv_pip("-U", "torch")
    before = versions(env)
    faults = {
        path: Fault(status=404) for path in served.files if "/whl/cpu/" in path or "/helper-1.0" in path
    }
    served.faults.update(faults)
    ran = restore("--yes", "--json", TORCHDOCTOR_CACHE_DIR=str(tmp_path / "other"))
    served.faults.clear()
    assert ran.status == 4
    assert versions(env) == before


def test_an_environment_without_a_record_is_told_so(user, tmp_path):
    """Nothing to go back to: the error says what to do instead."""
    subprocess.run([find_uv_bin(), "venv", "-q", "--python", sys.executable, tmp_path / "bare"], check=True)
    for text in (None, '{"schema": 1, "files": [{"name": "torch", "filename": "../torch.whl"}]}'):
        if text is not None:
            (tmp_path / "bare" / "torchdoctor.json").write_text(text, "utf-8")
        ran = run_torchdoctor("restore", tmp_path / "bare", "--json", environ=user)
        assert (ran.status, ran.json["error"]["kind"]) == (2, "no-record")


@pytest.fixture
def undo(user, env) -> Callable[..., Ran]:
    """`torchdoctor undo` of that environment."""
    return lambda *options, **more: run_torchdoctor("undo", env, *options, environ={**user, **more})


def test_the_last_change_is_taken_back_and_made_again(undo, env, user, served):
    """Added packages go, replaced ones return from the cache; a second undo is the change itself."""
    add = ("add", "extra", "--env", env, "--index-url", f"{served.url}/whl", "--no-verify")
    ran = run_torchdoctor(*add, environ=user)
    assert ran.status == 0, ran.err
    shown = undo("--dry-run", "--json").json
    check("undo", shown)
    assert shown["changes"] == [{"name": "extra", "before": "1.0", "after": None}]
    assert "extra" in versions(env)
    ran = undo("--yes")
    assert ran.status == 0, ran.err
    assert versions(env) == {"torch": f"{TORCH}+cpu", "helper": "1.0", "rich": "14.0"}
    asked = json.loads((env / "torchdoctor.json").read_text("utf-8"))["asked"]
    assert "extra" not in str(asked)
    served.seen.clear()
    ran = undo("--yes")
    assert ran.status == 0, ran.err
    assert versions(env)["extra"] == "1.0"
    assert not [path for path in served.seen if path.endswith(".whl")]


def test_nothing_is_taken_back_where_nothing_was_before(undo, env):
    """Of an environment that torchdoctor made in one step the way back is to remove it."""
    ran = undo("--yes", "--json")
    assert ran.json["error"]["kind"] == "nothing-before", ran.out
    assert f"torchdoctor remove {env}" in ran.json["error"]["fix"]
    assert ran.status == 2


def test_what_another_program_changed_since_is_not_overwritten(undo, env, uv_pip):
    """What the record says is there is no longer there: nothing is changed."""
    uv_pip("helper==2.0")
    ran = undo("--yes", "--json")
    assert ran.json["error"]["kind"] == "changed-since"
    assert versions(env)["helper"] == "2.0"


def test_what_was_asked_for_is_brought_to_its_newest_version(env, user, uv_pip, served):
    """A version that was asked for stays, and says why; what nobody asked torchdoctor for stays too."""
    uv_pip("rich==13.0")
    upgrade = ("upgrade", env, "--index-url", f"{served.url}/whl", "--trust-mirror", "--no-verify", "--yes")
    ran = run_torchdoctor(*upgrade, environ=user)
    assert ran.status == 0, ran.err
    assert versions(env) == {"torch": f"{TORCH}+cpu", "helper": "1.0", "rich": "14.0"}
    assert f"torch=={TORCH} stays, as --torch {TORCH} asked for it" in ran.err
    again = run_torchdoctor(*upgrade, "--json", environ=user)
    check("upgrade", again.json)
    assert again.json["changes"] == []


@pytest.mark.slow
def test_a_record_that_names_another_place_is_not_followed(undo, env, uv_pip, user):
    """Whoever wrote it may be another: a file comes from the cache, or from a source of the user's."""
    with LoopbackIndex() as other:
        name, content = make_wheel("rich", "13.0", tag="py3-none-any", modules={"rich/evil.py": ""})
        other.add("/files/", name, content)
        document = json.loads((env / "torchdoctor.json").read_text("utf-8"))
        rich = next(entry for entry in document["files"] if entry["name"] == "rich")
        stolen = {
            **rich, "version": "13.0", "filename": name, "url": f"{other.url}/files/{name}",
            "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        document["changes"] = [{"name": "rich", "before": "13.0", "after": "14.0"}]
        document["previous"] = {"schema": 1, "files": [stolen], "asked": [], "plan": document["plan"]}
        (env / "torchdoctor.json").unlink()
        (env / "torchdoctor.json").write_text(json.dumps(document), "utf-8")
        ran = undo("--yes")
        assert ran.status in (4, 5), ran.out
        assert other.seen == []
    assert versions(env)["rich"] == "14.0"


def test_an_upgrade_fetches_from_no_place_that_a_record_names(env, user, served):
    """A requirement with a URL in the record stays what it is: nothing of it is fetched, and nothing runs."""
    document = json.loads((env / "torchdoctor.json").read_text("utf-8"))
    with LoopbackIndex() as other:
        line = f"evil @ {other.url}/evil-1.0.tar.gz"
        document["asked"] = [{"requirement": line, "origin": "--with evil"}]
        (env / "torchdoctor.json").unlink()
        (env / "torchdoctor.json").write_text(json.dumps(document), "utf-8")
        options = ("--index-url", f"{served.url}/whl", "--torch", TORCH, "--no-verify", "--dry-run")
        ran = run_torchdoctor("upgrade", env, *options, environ=user)
        assert ran.status == 0, ran.err
        assert f"{line} stays" in ran.err or "evil @" in ran.err
        assert other.seen == []
