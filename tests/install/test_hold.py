"""The hold in real environments: what pip and uv do to torch after an install."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.conftest import run_torchdoctor
from tests.install.conftest import bare_options, list_official, native_tag
from tests.official_host import OfficialHost
from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from tests.conftest import Ran
    from tests.loopback import LoopbackIndex

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="PyPI has CPU builds alone for other systems"),
]

# The family ends with 2.14.1; PyPI goes on, with builds of another family.
PYPI = {"2.8.0": "0.23.0", "2.13.0": "0.28.0", "2.14.1": "0.29.1", "2.15.0": "0.30.0"}
FAMILY = {"2.8.0": "0.23.0", "2.14.1": "0.29.1"}


def fill(index: LoopbackIndex) -> None:
    """PyPI with newer releases, the family without; and packages that want something of torch."""
    list_official(index)
    for torch, vision in PYPI.items():
        index.add("/simple/torch/", *make_wheel("torch", torch, tag=native_tag(), built=f"{torch}+cu130"))
        index.add(
            "/simple/torchvision/",
            *make_wheel("torchvision", vision, tag=native_tag(), requires=(f"torch=={torch}",)),
        )
    for torch, vision in FAMILY.items():
        index.add("/whl/cpu/torch/", *make_wheel("torch", f"{torch}+cpu", tag=native_tag()))
        index.add(
            "/whl/cpu/torchvision/",
            *make_wheel("torchvision", f"{vision}+cpu", tag=native_tag(), requires=(f"torch=={torch}",)),
        )
    packages = {
        ("trainer", "1.0"): ("torch>=2.0",),
        ("trainer", "2.0"): ("torch>=2.15",),
        ("newer", "1.0"): ("torch>=2.14",),
        ("plain", "1.0"): ("torch", "helper"),
        ("helper", "1.0"): (),
        ("helper", "2.0"): (),
    }
    for (name, version), requires in packages.items():
        index.add(f"/simple/{name}/", *make_wheel(name, version, tag="py3-none-any", requires=requires))


@pytest.fixture
def user(alone: dict[str, str], tmp_path: Path, index: LoopbackIndex) -> dict[str, str]:
    """Variables for a user whose pip reads its files."""
    fill(index)
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("UV_", "PIP_", "VIRTUAL_"))
        },
        **alone,
        "PIP_CONFIG_FILE": "",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_DEFAULT_INDEX": f"{index.url}/simple",
    }


@pytest.fixture
def held(user: dict[str, str], tmp_path: Path, index: LoopbackIndex) -> Path:
    """An environment that torchdoctor made, in a folder with a blank."""
    folder = tmp_path / "an env"
    done = install(folder, user, index)
    assert done.status == 0, done.err
    return folder


def install(folder: Path, user: dict[str, str], index: LoopbackIndex, *more: object) -> Ran:
    return run_torchdoctor("install", folder, *bare_options(index), *more, environ=user)


def pip(folder: Path, user: dict[str, str], *arguments: object) -> tuple[dict[str, str], str]:
    """Run the real pip for the environment; what is installed then, and what it wrote to standard error."""
    python = str(folder / "bin" / "python")
    words = [sys.executable, "-m", "pip", "--python", python, "install", *map(str, arguments)]
    done = subprocess.run(words, env=user, capture_output=True, text=True, check=False, cwd=folder.parent)
    return versions(folder), done.stderr if done.returncode else ""


def activated_uv(folder: Path, user: dict[str, str], *arguments: object) -> tuple[dict[str, str], str]:
    """Run the real uv in a shell in which the environment is active."""
    words = " ".join(shlex.quote(str(word)) for word in (find_uv_bin(), "pip", "install", *arguments))
    line = f". {shlex.quote(str(folder / 'bin' / 'activate'))} && {words}"
    done = subprocess.run(
        ["bash", "-c", line], env=user, capture_output=True, text=True, check=False, cwd=folder.parent
    )
    return versions(folder), done.stderr if done.returncode else ""


def versions(folder: Path) -> dict[str, str]:
    infos = folder.glob("lib/python3*/site-packages/*.dist-info")
    return dict(info.name.removesuffix(".dist-info").split("-", 1) for info in infos)


def test_pip_and_uv_keep_the_family(held, user):
    """`pip install -U -r` and `uv pip install -U -r` take the newest of the family, and never PyPI's newest."""
    (held.parent / "requirements.txt").write_text("torch\ntorchvision\nplain\n", "utf-8")
    assert versions(held)["torch"] == "2.13.0+cpu"
    by_pip, problem = pip(held, user, "-U", "-r", "requirements.txt")
    assert (by_pip["torch"], by_pip["torchvision"], by_pip["helper"]) == (
        "2.14.1+cpu",
        "0.29.1+cpu",
        "2.0",
    ), problem
    (held.parent / "older.txt").write_text("torch==2.8.0\ntorchvision==0.23.0\n", "utf-8")
    by_uv, problem = activated_uv(held, user, "-r", "older.txt")
    assert (by_uv["torch"], by_uv["torchvision"]) == ("2.8.0+cpu", "0.23.0+cpu"), problem
    by_uv, problem = activated_uv(held, user, "-U", "-r", "requirements.txt")
    assert (by_uv["torch"], by_uv["torchvision"]) == ("2.14.1+cpu", "0.29.1+cpu"), problem


COMMANDS = {
    "newest wants newer": (("trainer",), {"trainer": "1.0"}),
    "wants newer": (("newer",), {"newer": "1.0", "torch": "2.14.1+cpu"}),
    "pinned": (("torch==2.8.0",), {"torch": "2.8.0+cpu"}),
    "force": (("--force-reinstall", "--no-deps", "torch"), {"torch": "2.14.1+cpu"}),
    "unpinned": (("plain",), {"plain": "1.0", "helper": "2.0"}),
    "hashes": (("--require-hashes", "-r", "hashes.txt"), {"helper": "2.0"}),
    "own constraint": (("-c", "mine.txt", "helper"), {"helper": "1.0"}),
}


@pytest.mark.slow
def test_each_command_of_pip_works_and_the_family_stays(held, user, index):
    """What works without a hold works with it, and takes torch from its family."""
    digest = hashlib.sha256(index.files["/simple/helper-2.0-py3-none-any.whl"]).hexdigest()
    (held.parent / "hashes.txt").write_text(f"helper==2.0 --hash=sha256:{digest}\n", "utf-8")
    (held.parent / "mine.txt").write_text("helper<2\n", "utf-8")
    python, report = str(held / "bin" / "python"), held.parent / "report.json"
    found = {}
    for name, (arguments, _) in COMMANDS.items():
        words = ["--python", python, "install", "--dry-run", "--quiet", "--report", str(report), *arguments]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *words],
            env=user,
            capture_output=True,
            text=True,
            check=False,
            cwd=held.parent,
        )
        assert done.returncode == 0, (name, done.stderr)
        rows = [row["metadata"] for row in json.loads(report.read_text("utf-8"))["install"]]
        found[name] = {row["name"]: row["version"] for row in rows}
    assert found == {name: expected for name, (_, expected) in COMMANDS.items()}


def test_a_constraint_of_the_user_stays_in_force(user, tmp_path, index):
    """pip would read the environment's constraint instead of the user's, so the hold repeats it."""
    config = Path(user["XDG_CONFIG_HOME"]) / "pip" / "pip.conf"
    config.parent.mkdir(parents=True)
    (tmp_path / "team.txt").write_text("helper<2\n", "utf-8")
    config.write_text(f"[global]\nconstraint = {tmp_path / 'team.txt'}\n", "utf-8")
    install(tmp_path / "env", user, index)
    installed, problem = pip(tmp_path / "env", user, "-U", "plain", "torch")
    assert not problem
    assert (installed["helper"], installed["torch"]) == ("1.0", "2.14.1+cpu")


def test_uv_gets_its_torch_backend_where_the_official_index_serves_it(user, tmp_path, index):
    """From download.pytorch.org uv itself knows the way: one variable is enough, and nothing is capped."""
    folder = tmp_path / "env"
    with OfficialHost(index, tmp_path) as host:
        environ = {**user, **host.environ}
        options = [word for word in bare_options(index) if word not in ("--index-url", f"{index.url}/whl")]
        done = run_torchdoctor("install", folder, *options, environ=environ)
        assert done.status == 0, done.err
        assert "UV_TORCH_BACKEND='cpu'" in (folder / "bin" / "activate").read_text("utf-8")
        (tmp_path / "requirements.txt").write_text("torch\nplain\n", "utf-8")
        installed, problem = activated_uv(folder, environ, "-U", "-r", "requirements.txt")
    assert installed["torch"] == "2.14.1+cpu", problem
    hold = (folder / "torchdoctor-hold.txt").read_text("utf-8")
    assert "--extra-index-url https://download.pytorch.org/whl/cpu\n" in hold


@pytest.mark.parametrize("by", ["move", "copy", "lost"])
def test_pip_works_wherever_the_environment_goes(by, held, user, index):
    """A moved environment is not held until `hold` is run there; a copy is held as the one that it is from."""
    (held.parent / "requirements.txt").write_text("torch\nplain\n", "utf-8")
    if by == "lost":
        for path in held.glob("torchdoctor-hold*"):
            path.unlink()
        place = held
    else:
        place = held.parent / "another place"
        shutil.copytree(held, place, symlinks=True)
    if by == "move":
        shutil.rmtree(held)
    installed, problem = pip(place, user, "-U", "-r", "requirements.txt")
    assert problem == ""
    assert installed["torch"] == ("2.14.1+cpu" if by == "copy" else "2.15.0")
    by_uv, problem = activated_uv(place, user, "helper==1.0")
    assert (by_uv["helper"], problem) == ("1.0", "")


def test_no_password_is_written(user, tmp_path, index):
    """An index with a password is left out: the hold keeps what is installed from newer releases."""
    secret = index.url.replace("http://", "http://ada:s3cret@")
    options = [str(word).replace(index.url, secret) for word in bare_options(index)]
    folder = tmp_path / "env"
    done = run_torchdoctor("install", folder, *options, environ=user)
    assert done.status == 0, done.err
    texts = [path.read_bytes() for path in folder.glob("*") if path.is_file()]
    texts += [path.read_bytes() for path in (folder / "bin").glob("activate*")]
    assert not any(b"s3cret" in text for text in texts)
    assert "torch<=2.13.0\n" in (folder / "torchdoctor-hold.txt").read_text("utf-8")
    installed, problem = pip(folder, user, "-U", "torch", "plain")
    assert (installed["torch"], problem) == ("2.13.0+cpu", "")


def test_unhold_leaves_no_trace(held, user, tmp_path, index):
    """The files are those of an environment that was never held; `hold` brings the same hold back."""
    before = small_files(held)
    assert "torchdoctor-hold.txt" in before
    done = run_torchdoctor("unhold", held, environ=user)
    assert done.status == 0, done.err
    install(tmp_path / "free", user, index, "--no-hold")
    free = {name: text.replace(b"/free", b"/an env") for name, text in small_files(tmp_path / "free").items()}
    without_names = {name: text for name, text in small_files(held).items() if b"an env" not in text}
    assert {name: free[name] for name in without_names} == without_names
    assert small_files(held).keys() == free.keys()
    assert run_torchdoctor("unhold", held, "--json", environ=user).json["changed"] == []
    done = run_torchdoctor("hold", held, "--index-url", f"{index.url}/whl", "--json", environ=user)
    caps = {cap["name"]: cap["version"] for cap in done.json["hold"]["caps"]}
    assert caps == {"torch": "2.14.1", "torchvision": "0.29.1"}
    assert small_files(held) == before


def test_no_hold_leaves_a_hold(held, user, index):
    """`--no-hold` neither writes one nor takes one away."""
    before = small_files(held)
    done = install(
        held, user, index, "--no-hold", "--with", "torchvision==0.29.1", "--torch", "2.14.1", "--yes"
    )
    assert done.status == 0, done.err
    assert versions(held)["torch"] == "2.14.1+cpu"
    assert small_files(held) == before


def test_a_lost_hold_is_written_again(held, user, index):
    """An install that has nothing to install writes the hold all the same."""
    run_torchdoctor("unhold", held, environ=user)
    done = install(held, user, index)
    assert done.status == 0, done.err
    assert "up to 2.14.1" in done.err
    assert (held / "torchdoctor-hold.txt").is_file()


def test_an_environment_without_torch_cannot_be_held(user, tmp_path):
    """There is no family to hold; `unhold` has nothing to do."""
    subprocess.run([find_uv_bin(), "venv", "-q", tmp_path / "bare"], check=True)
    done = run_torchdoctor("hold", tmp_path / "bare", "--json", environ=user)
    assert (done.status, done.json["error"]["kind"]) == (2, "no-torch")


def small_files(folder: Path) -> dict[str, bytes]:
    """The files of the environment but its packages, its record and its links."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and "lib" not in path.relative_to(folder).parts
        and path.name != "torchdoctor.json"
    }
