"""What `download` makes can be carried: it says what it is, is whole or not at all, and installs with Python alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.install.conftest import TORCH, VISION
from tests.install.test_sources import versions
from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from torchdoctor.core.fs import hold_folder_lock

CARRIED = Path(__file__).parents[2] / "torchdoctor" / "bundle" / "payload"


def run_script(bundle, *command, **environ):
    """A script of the bundle, from another folder, with a proxy and an index that lead nowhere."""
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_TARGET": "/nowhere",
    }
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=bundle.parent,
        env={**os.environ, **nowhere, **environ},
    )  # fmt: skip


def test_a_bundle_has_wheels_lock_sums_and_scripts(bundle):
    """Every file of it is in SHA256SUMS, as `sha256sum -c` reads them."""
    names = {path.name for path in bundle.iterdir()}
    assert {"pylock.toml", "SHA256SUMS", "install.sh", "install.ps1", "install.py", "README.md"} <= names
    assert len([name for name in names if name.endswith(".whl")]) == 3
    rows = [line.split("  ") for line in (bundle / "SHA256SUMS").read_text("utf-8").splitlines()]
    assert {name for _, name in rows} == names - {"SHA256SUMS"}
    for digest, name in rows:
        assert hashlib.sha256((bundle / name).read_bytes()).hexdigest() == digest


def test_its_readme_speaks_both_languages(bundle):
    """What is in it, for which machine, and how to install it."""
    text = (bundle / "README.md").read_text("utf-8")
    assert text.count(f"torch {TORCH}+cpu") == 2
    assert text.count("sh install.sh") == 8
    assert text.count("ssh-keygen -Y verify") == 2
    assert "离线" in text
    assert "$" not in text


@pytest.fixture
def installed(made_bundle, once):
    """What install.sh said and made, called through links by a program that reads ASCII, once for the whole run."""

    def install(folder):
        bundle = Path(shutil.copytree(made_bundle, folder / "büro $HOME 'x'"))
        (folder / "a b").mkdir()
        (folder / "a b" / "first.sh").symlink_to(bundle / "install.sh")
        (folder / "second.sh").symlink_to(Path("a b", "first.sh"))
        env = folder / "env 环境"
        planted = folder / "was-run"
        # Beside the scripts, where their own folder is looked at, and in the current folder.
        for place in (bundle, folder):
            for name in ("__future__", "json", "sitecustomize", "venv", "pip", "torch"):
                (place / f"{name}.py").write_text(f"open({str(planted)!r}, 'a').write(__file__)\n", "utf-8")
        (bundle / "requirements-pip.txt").write_text("pip==99.0\n", "utf-8")
        done = run_script(
            bundle, "sh", folder / "second.sh", env, PYTHON=sys.executable, PYTHONIOENCODING="ascii"
        )
        return {
            "status": done.returncode, "out": done.stdout, "err": done.stderr, "env": str(env),
            "planted": planted.read_text("utf-8") if planted.exists() else None,
        }  # fmt: skip

    return once("bundle-installed", install)


def test_install_sh_makes_an_environment_with_python_alone(installed):
    """A real venv and pip, no network, whatever pip is configured with."""
    assert f"installed torch {TORCH}+cpu" in installed["out"]
    there = versions(Path(installed["env"]))
    assert (there["torch"], there["torchvision"], there["needed"]) == (f"{TORCH}+cpu", f"{VISION}+cpu", "1.0")


def test_nothing_that_lies_beside_the_scripts_is_run(installed):
    """No module of a name that Python or pip would import, and no file of requirements that the sums do not name."""
    assert installed["planted"] is None
    assert installed["status"] == 0, installed["err"]


def test_install_sh_finds_the_bundle_through_links(installed):
    """A link to a link, relative and absolute, in a folder with blanks: what lies beside the script itself counts."""
    assert installed["status"] == 0, installed["out"] + installed["err"]


def test_a_name_that_the_output_cannot_take_is_written_all_the_same(installed):
    """As into a file on Windows, where a code page knows few signs."""
    assert "\\u73af\\u5883" in installed["out"]


def test_a_changed_file_is_not_installed(bundle, tmp_path):
    """One bit of a wheel on a bad stick: named, and nothing is made."""
    wheel = next(bundle.glob("torch-*.whl"))
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.write_bytes(bytes(content))
    done = run_script(bundle, sys.executable, bundle / "install.py", tmp_path / "env")
    assert done.returncode == 1
    assert f"{wheel.name} has changed since it was packed" in done.stderr
    assert not (tmp_path / "env").exists()


def test_a_missing_file_an_unfinished_bundle_and_an_environment_that_is_there(bundle, tmp_path):
    """Each is said with what to do, and no traceback."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    done = run_script(bundle, sys.executable, bundle / "install.py", tmp_path / "full")
    assert "exists already" in done.stderr
    (bundle / "requirements.txt").unlink()
    done = run_script(bundle, sys.executable, bundle / "install.py", tmp_path / "env")
    assert "copy the whole folder again" in done.stderr
    (bundle / "SHA256SUMS").unlink()
    done = run_script(bundle, sys.executable, bundle / "install.py", tmp_path / "env")
    assert "the bundle is not complete" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"python": "3.'])
def test_a_damaged_description_is_said(bundle, tmp_path, content):
    """It is read before there are sums to go by."""
    (bundle / "bundle.json").write_bytes(content)
    done = run_script(bundle, sys.executable, bundle / "install.py", tmp_path / "env")
    assert "bundle.json is damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_run_that_is_stopped_is_in_nobodys_way(bundle, tmp_path, number):
    """Stopped it clears up itself; killed, the next run does, and says so."""
    folder = tmp_path / "an env"
    process = subprocess.Popen(
        [sys.executable, bundle / "install.py", folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while not (folder / "pyvenv.cfg").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    assert b"Traceback" not in process.communicate()[1]
    assert folder.exists() == (number == signal.SIGKILL)
    done = run_script(bundle, sys.executable, bundle / "install.py", folder)
    assert done.returncode == 0, done.stderr
    assert ("cleared" in done.stdout) == (number == signal.SIGKILL)
    assert versions(folder)["torch"] == f"{TORCH}+cpu"
    assert f"source '{folder}/bin/activate'" in done.stdout


def test_a_bundle_for_another_system_or_python_says_so(bundle, tmp_path):
    """Before the first sum is taken."""
    facts = json.loads((bundle / "bundle.json").read_text("utf-8"))
    for changes, words in (
        ({"sys_platform": "win32"}, "are for win32"),
        ({"python": "3.99"}, "are for Python 3.99"),
    ):
        (bundle / "bundle.json").write_text(json.dumps({**facts, **changes}))
        done = run_script(bundle, sys.executable, bundle / "install.py", tmp_path / "env")
        assert done.returncode == 1
        assert words in done.stderr


def test_install_py_finds_the_python_that_the_wheels_are_for(bundle, tmp_path):
    """By what each name says that it is: one that starts nothing, as the store's on Windows, is passed over."""
    facts = json.loads((bundle / "bundle.json").read_text("utf-8"))
    (bundle / "bundle.json").write_text(json.dumps({**facts, "python": "3.99"}))
    (tmp_path / "bin").mkdir()
    for name, text in (
        ("python3.99", "exit 49"),
        ("python", 'if [ "$1" = -c ]; then echo 3.99; else echo "goes on with $*"; fi'),
    ):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    done = run_script(
        bundle, sys.executable, bundle / "install.py", tmp_path / "env", PATH=str(tmp_path / "bin")
    )
    assert done.returncode == 0, done.stderr
    assert f"goes on with {bundle / 'install.py'} {tmp_path / 'env'}" in done.stdout


def test_torchdoctor_installs_a_bundle_without_network(torchdoctor, bundle, bare, official, tmp_path):
    """By its lock, and as a folder of wheels."""
    official.seen.clear()
    by_lock = torchdoctor(
        "install", tmp_path / "one", "--lock", bundle / "pylock.toml", "--offline", "--python", sys.executable,
        "--no-verify",
    )  # fmt: skip
    assert by_lock.status == 0, by_lock.err
    by_folder = torchdoctor(
        "install", tmp_path / "two", *bare[2:], "--offline", "--find-links", bundle, "--without", "numpy",
        TORCHDOCTOR_CACHE_DIR=str(tmp_path / "another cache"), UV_CACHE_DIR=str(tmp_path / "another"),
    )  # fmt: skip
    assert by_folder.status == 0, by_folder.err
    assert versions(tmp_path / "one") == versions(tmp_path / "two")
    assert official.seen == []


def test_a_broken_off_download_goes_on(torchdoctor, options, official, tmp_path):
    """The folder is taken for what it is, an unfinished bundle; what is there is not fetched again."""
    path = next(path for path in official.files if "/torchvision-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(status=404)
    assert torchdoctor("download", tmp_path / "bundle", *options).status == 4
    assert not (tmp_path / "bundle" / "SHA256SUMS").exists()
    official.faults.clear()
    (tmp_path / "bundle").mkdir(exist_ok=True)
    (tmp_path / "bundle" / "bundle.json").write_text("{}")
    (tmp_path / "bundle" / "torch-0.1-py3-none-any.whl.part").write_text("half")
    assert torchdoctor("download", tmp_path / "bundle", *options).status == 0
    assert not list((tmp_path / "bundle").glob("*.part"))
    official.seen.clear()
    again = torchdoctor("download", tmp_path / "bundle", *options, "--json")
    assert again.status == 0
    assert [path for path in official.seen if path.endswith(".whl")] == []
    assert again.json["bundle"]["path"] == str(tmp_path / "bundle")


def test_a_download_to_a_disk_that_was_full_at_once_goes_on(torchdoctor, options, official, tmp_path):
    """All that is there then is the first file's name."""
    folder = tmp_path / "carried"
    folder.mkdir()
    (folder / "bundle.json.part").touch()
    assert torchdoctor("download", folder, *options).status == 0
    assert (folder / "SHA256SUMS").is_file()
    assert not (folder / "bundle.json.part").exists()


def test_a_newer_download_into_the_same_folder_replaces_what_is_old(
    torchdoctor, options, official, tag, tmp_path
):
    """No file of the last one stays to be installed by mistake."""
    assert torchdoctor("download", tmp_path / "bundle", *options).status == 0
    official.add("/whl/cpu/torch/", *make_wheel("torch", "2.14.0+cpu", tag=tag))
    newer = ["2.14.0" if option == TORCH else option for option in options]
    assert torchdoctor("download", tmp_path / "bundle", *newer, "--without", "torchvision").status == 0
    assert [path.name.partition("-")[1] for path in (tmp_path / "bundle").glob("*.whl")] == ["-"]


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_a_second_download_into_the_same_folder_is_told_of_the_first(torchdoctor, options, tmp_path):
    """Each would remove the other's wheels."""
    (tmp_path / "bundle").mkdir()
    with hold_folder_lock(tmp_path / "bundle"):
        ran = torchdoctor("download", tmp_path / "bundle", *options, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (4, "busy")


def test_a_stick_that_is_too_small_keeps_what_it_has(torchdoctor, options, official, tmp_path):
    """Known before the older bundle on it is touched."""
    stick = tmp_path / "stick"
    stick.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", stick]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        assert torchdoctor("download", stick / "b", *options).status == 0
        before = {path.name: path.read_bytes() for path in (stick / "b").iterdir()}
        modules = {"big.txt": os.urandom(1 << 20).hex()}
        official.add("/simple/big/", *make_wheel("big", "1.0", tag="py3-none-any", modules=modules))
        ran = torchdoctor("download", stick / "b", *options, "--with", "big", "--json")
        assert (ran.status, ran.json["error"]["kind"]) == (4, "no-space"), ran.out
        assert {path.name: path.read_bytes() for path in (stick / "b").iterdir()} == before
    finally:
        subprocess.run(["umount", "-l", stick], check=False)


def test_a_folder_with_something_else_in_it_is_left_alone(torchdoctor, options, official, tmp_path):
    """Somebody's documents are no bundle; said before anything is fetched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    ran = torchdoctor("download", tmp_path / "mine", *options, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "not-a-bundle")
    assert official.seen == []


def test_a_bundle_for_windows_is_made_on_linux(torchdoctor, official, tmp_path):
    """Its wheels, its lock, and line ends that its programs read."""
    requires = ("colorama; sys_platform == 'win32'",)
    made = make_wheel("torch", f"{TORCH}+cpu", tag="cp312-cp312-win_amd64", requires=requires)
    official.add("/whl/cpu/torch/", *made)
    official.add("/simple/colorama/", *make_wheel("colorama", "1.0", tag="py3-none-any"))
    ran = torchdoctor(
        "download", tmp_path / "bundle", "--platform", "win_amd64", "--python-version", "3.12", "--variant", "cpu",
        "--torch", TORCH, "--index-url", f"{official.url}/whl", "--without", "torchvision", "--without",
        "torchaudio", "--without", "pip", "--without", "numpy",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert sorted(path.name for path in (tmp_path / "bundle").glob("*.whl")) == [
        "colorama-1.0-py3-none-any.whl", made[0],
    ]  # fmt: skip
    facts = json.loads((tmp_path / "bundle" / "bundle.json").read_text("utf-8"))
    assert (facts["sys_platform"], facts["machine"], facts["python"]) == ("win32", "AMD64", "3.12")


def test_a_wheel_that_may_not_be_unpacked_is_not_carried(torchdoctor, options, official, tmp_path):
    """The machine without network could not get another one."""
    name, content = make_wheel("evil", "1.0", tag="py3-none-any", modules={"../evil.py": "x"})
    official.add("/simple/evil/", name, content)
    ran = torchdoctor("download", tmp_path / "bundle", *options, "--with", "evil", "--json")
    assert ran.status in (4, 5), ran.out
    assert ran.json["error"]["kind"] == "bad-wheel"


def test_no_password_is_carried(torchdoctor, options, official, tmp_path):
    """Neither in the lock nor anywhere else in the folder."""
    url = official.url.replace("http://", "http://someone:s3cret@")
    ran = torchdoctor(
        "download", tmp_path / "bundle", "--index-url", f"{url}/whl", *options[2:], "--json", "-v"
    )
    assert ran.status == 0, ran.out
    texts = [path.read_bytes() for path in (tmp_path / "bundle").iterdir()]
    assert b"s3cret" not in b"".join(texts) + ran.out.encode() + ran.err.encode()


def test_the_scripts_hold_nothing_that_changes():
    """Nothing is put into a script's text, so no name can be read as a command."""
    for name in ("install.sh", "install.ps1"):
        text = (CARRIED / name).read_text("ascii")
        assert "install.py" in text
        assert not re.search(r"\b(eval|Invoke-Expression|iex)\b", text)


def test_install_py_runs_on_python_3_8():
    """Only the standard library, and no syntax that came later."""
    import ast

    tree = ast.parse((CARRIED / "install.py").read_text("utf-8"), feature_version=(3, 8))
    names = {row.names[0].name for row in ast.walk(tree) if isinstance(row, ast.Import)}
    names |= {row.module for row in ast.walk(tree) if isinstance(row, ast.ImportFrom)}
    assert names <= {"__future__", *sys.stdlib_module_names}


def test_the_bundle_is_in_the_wheel():
    """The scripts are part of the package that is installed."""
    assert {path.name for path in CARRIED.iterdir()} >= {
        "install.py",
        "install.sh",
        "install.ps1",
        "README.md",
    }
