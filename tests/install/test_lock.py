"""A lock holds everything, says the same each time, is read by uv and pip, and is not believed unseen."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uv import find_uv_bin

from tests.conftest import run_torchdoctor
from tests.install.conftest import HERE, TORCH, VISION
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel
from torchdoctor.core.system import host_system, uv
from torchdoctor.detect import detect, find_python, supported_tags
from torchdoctor.errors import TorchdoctorError
from torchdoctor.lock import read_lock
from torchdoctor.lock.read import plan_of_lock

pytestmark = pytest.mark.process

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def wanted(official, tag):
    """torch needs `needed`, which the user's own index has."""
    official.pages.pop("/whl/cpu/torch/")
    official.add("/whl/cpu/torch/", *make_wheel("torch", f"{TORCH}+cpu", tag=tag, requires=("needed",)))
    official.add("/simple/needed/", *make_wheel("needed", "1.0", tag="py3-none-any"))
    return official


@pytest.fixture
def options(bare):
    """What decides, without what only `install` takes."""
    return [option for option in bare if option != "--no-verify"] + ["--without", "numpy"]


@pytest.fixture
def locked(torchdoctor, wanted, options, tmp_path):
    """The lock of it all, as a file."""
    ran = torchdoctor("resolve", *options, "--format", "pylock")
    assert ran.status == 0, ran.err
    path = tmp_path / "pylock.toml"
    path.write_text(ran.out, "utf-8")
    return path


def test_a_lock_has_everything_with_place_size_and_hash(locked, wanted):
    """torch, torchvision and what torch needs, each as its index serves it."""
    document = tomllib.loads(locked.read_text("utf-8"))
    rows = {row["name"]: row["wheels"][0] for row in document["packages"]}
    assert sorted(rows) == ["needed", "torch", "torchvision"]
    for row in rows.values():
        content = wanted.files[row["url"].removeprefix(wanted.url).replace("%2B", "+")]
        assert row["size"] == len(content)
        assert row["hashes"] == {"sha256": hashlib.sha256(content).hexdigest()}
    assert document["requires-python"] == f"=={HERE}.*"
    assert document["tool"]["torchdoctor"] == {"variant": "cpu"}


def test_a_lock_is_the_same_byte_for_byte(torchdoctor, locked, options):
    """The same question to the same sources, with caches empty and full."""
    again = torchdoctor(
        "resolve", *options, "--format", "pylock", "-q", UV_CACHE_DIR=str(locked.parent / "other")
    )
    assert again.out.encode() == locked.read_bytes()


def test_what_was_locked_is_what_is_installed(torchdoctor, locked, wanted, tag, tmp_path):
    """Newer releases have come since: they are not taken, and no index is asked for anything but the files."""
    wanted.add("/simple/needed/", *make_wheel("needed", "2.0", tag="py3-none-any"))
    wanted.seen.clear()
    ran = torchdoctor(
        "install", tmp_path / "env", "--lock", locked, "--python", sys.executable, "--no-verify", "--json"
    )
    assert ran.status == 0, ran.out + ran.err
    assert versions(tmp_path / "env") == {
        "torch": f"{TORCH}+cpu", "torchvision": f"{VISION}+cpu", "needed": "1.0",
    }  # fmt: skip
    assert [path for path in wanted.seen if path.endswith("/")] == []
    again = torchdoctor("install", tmp_path / "env", "--lock", locked, "--no-verify")
    assert "nothing was changed" in again.err


def test_uv_reads_the_lock(locked, alone, tmp_path):
    """`uv pip install -r pylock.toml` makes the same environment."""
    subprocess.run([find_uv_bin(), "venv", "-q", "--python", sys.executable, tmp_path / "env"], check=True)
    command = [
        find_uv_bin(),
        "pip",
        "install",
        "-q",
        "--no-config",
        "--python",
        tmp_path / "env" / "bin" / "python",
    ]
    subprocess.run([*command, "-r", locked], env={**os.environ, **alone}, check=True)
    assert versions(tmp_path / "env") == {
        "torch": f"{TORCH}+cpu", "torchvision": f"{VISION}+cpu", "needed": "1.0",
    }  # fmt: skip


def test_pip_reads_the_lock(locked, alone, tmp_path):
    """`pip install -r pylock.toml` of a pip that can (26.1 and later) makes the same environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    subprocess.run([find_uv_bin(), "venv", "-q", "--python", sys.executable, tmp_path / "pip"], check=True)
    python = tmp_path / "pip" / "bin" / "python"
    got = subprocess.run(
        [find_uv_bin(), "pip", "install", "-q", "--python", python, "pip>=26.1"], check=False
    )
    if got.returncode != 0:
        pytest.skip("no pip 26.1 can be had here, which is the first that reads pylock.toml")
    target = tmp_path / "env" / "bin" / "python"
    command = [python, "-m", "pip", "--python", target, "install", "-q", "--no-index", "-r", locked]
    subprocess.run(command, env={**os.environ, **alone}, check=True)
    assert versions(tmp_path / "env") == {
        "torch": f"{TORCH}+cpu", "torchvision": f"{VISION}+cpu", "needed": "1.0",
    }  # fmt: skip


def test_a_lock_for_another_machine(torchdoctor, official, tmp_path):
    """Windows from here: its wheels, its markers, and refused on this one."""
    for project, version in (("torch", f"{TORCH}+cpu"), ("colorama", "1.0"), ("posix-only", "1.0")):
        requires = (
            ("colorama; sys_platform == 'win32'", "posix-only; os_name == 'posix'")
            if project == "torch"
            else ()
        )
        made = make_wheel(
            project, version, tag="cp312-cp312-win_amd64" if requires else "py3-none-any", requires=requires
        )
        official.add("/whl/cpu/torch/" if requires else f"/simple/{project}/", *made)
    ran = torchdoctor(
        "resolve", "--platform", "win_amd64", "--python-version", "3.12", "--variant", "cpu", "--torch", TORCH,
        "--index-url", f"{official.url}/whl", "--without", "torchvision", "--without", "torchaudio", "--without",
        "pip", "--without", "numpy", "--format", "pylock",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert [row["name"] for row in tomllib.loads(ran.out)["packages"]] == ["colorama", "torch"]
    (tmp_path / "pylock.toml").write_text(ran.out)
    refused = torchdoctor("install", tmp_path / "env", "--lock", tmp_path / "pylock.toml", "--json")
    assert (refused.status, refused.json["error"]["kind"]) == (3, "foreign-lock")
    assert "win32" in refused.json["error"]["message"]
    assert not (tmp_path / "env").exists()


def test_what_cannot_be_told_from_here_is_said(torchdoctor, official):
    """uv has no name for a free-threaded Python of another machine; out of reach is out of reach."""
    options = ("resolve", "--platform", "win_amd64", "--variant", "cpu", "--format", "pylock")
    ran = torchdoctor(*options, "--python-version", "3.13t", "--index-url", f"{official.url}/whl")
    assert ran.status == 3
    assert "free-threaded" in ran.err
    alone = torchdoctor(*options, "--python-version", "3.12", "--offline")
    assert alone.status == 4
    assert "--find-links" in alone.err


def test_a_file_without_a_hash_is_fetched_to_take_it(torchdoctor, wanted, options, tag):
    """The index gives none and no fact is known: the first download does, once, which is said."""
    name, content = make_wheel("torchvision", f"{VISION}+cpu", tag=tag)
    wanted.pages.pop("/whl/cpu/torchvision/")
    path = wanted.add("/whl/cpu/torchvision/", name, content, digest=None)
    ran = torchdoctor("resolve", *options, "--format", "pylock")
    assert ran.status == 0, ran.err
    digest = hashlib.sha256(content).hexdigest()
    assert digest in ran.out
    assert f"no index gives a hash for {name}; recorded {digest}" in ran.err
    assert wanted.seen.count(path) == 1


def test_what_torch_needs_has_a_hash_where_its_index_gives_none(torchdoctor, wanted, options):
    """uv takes it from the file."""
    wanted.pages.pop("/simple/needed/")
    name, content = make_wheel("needed", "1.0", tag="py3-none-any")
    wanted.add("/simple/needed/", name, content, digest=None)
    ran = torchdoctor("resolve", *options, "--format", "pylock")
    assert hashlib.sha256(content).hexdigest() in ran.out


def test_credentials_are_in_no_lock_and_are_found_again(torchdoctor, wanted, options, tmp_path):
    """The URL of a private index holds a password: the lock does not, nor the record, and the install works."""
    url = wanted.url.replace("http://", "http://someone:s3cret@")
    private = {"PIP_INDEX_URL": f"{url}/simple"}
    ran = torchdoctor("resolve", "--index-url", f"{url}/whl", *options[2:], "--format", "pylock", **private)
    assert ran.status == 0, ran.err
    (tmp_path / "pylock.toml").write_text(ran.out)
    made = torchdoctor(
        "install", tmp_path / "env", "--lock", tmp_path / "pylock.toml", "--python", sys.executable, "--no-verify",
        "-v", "--json", **private,
    )  # fmt: skip
    assert made.status == 0, made.out
    record = (tmp_path / "env" / "torchdoctor.json").read_text("utf-8")
    assert "s3cret" not in ran.out + ran.err + made.out + made.err + record


def test_a_failure_shows_no_password_either(torchdoctor, wanted, options):
    """uv's own words about an index that does not answer are passed on."""
    private = "http://someone:s3cret@127.0.0.1:9/simple"
    ran = torchdoctor(
        "resolve", *options, "--with", "nowhere", "--format", "pylock", "-v", PIP_INDEX_URL=private
    )
    assert ran.status in (3, 4)
    assert "s3cret" not in ran.out + ran.err


def test_a_password_comes_from_keyring(torchdoctor, wanted, options, tmp_path):
    """UV_KEYRING_PROVIDER=subprocess and a user in the URL: `keyring get` is asked, as uv does."""
    folder = tmp_path / "programs"
    folder.mkdir()
    keyring = folder / "keyring"
    keyring.write_text(f"#!/bin/sh\necho \"$@\" >> {folder}/asked\nprintf 's3cr%%t\\n'\n")
    keyring.chmod(0o755)
    url = wanted.url.replace("http://", "http://someone@")
    ran = torchdoctor(
        "resolve", "--index-url", f"{url}/whl", *options[2:], "--format", "pylock", "-v",
        UV_KEYRING_PROVIDER="subprocess", PATH=f"{folder}:{os.environ['PATH']}",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert (folder / "asked").read_text().splitlines() == [f"get {wanted.url}/whl someone"]
    assert "s3cr" not in ran.out + ran.err


def test_a_package_of_the_users_index_does_not_stand_in_for_torch(torchdoctor, wanted, options, tag):
    """The other index has a newer torch, and one of the same version with other bytes: neither is looked at."""
    evil = {"torch/__init__.py": "raise SystemExit('evil')\n"}
    for version in (f"{TORCH}+cpu", "99.0"):
        wanted.add("/simple/torch/", *make_wheel("torch", version, tag=tag, modules=evil))
    ran = torchdoctor("resolve", *options, "--format", "pylock")
    torch = next(row for row in tomllib.loads(ran.out)["packages"] if row["name"] == "torch")
    assert torch["wheels"][0]["url"].startswith(f"{wanted.url}/whl/cpu/")
    assert torch["version"] == f"{TORCH}+cpu"


def test_a_package_of_the_pytorch_index_does_not_stand_in_for_the_users(torchdoctor, wanted, options):
    """The PyTorch index lists `needed` 99.0 for its variant: it is the user's index that serves it."""
    wanted.add("/whl/cpu/needed/", *make_wheel("needed", "99.0", tag="py3-none-any"))
    ran = torchdoctor("resolve", *options, "--format", "pylock")
    needed = next(row for row in tomllib.loads(ran.out)["packages"] if row["name"] == "needed")
    assert needed["version"] == "1.0"
    assert needed["wheels"][0]["url"].startswith(f"{wanted.url}/simple/")


GOOD = """lock-version = "1.0"
created-by = "somebody"
[[packages]]
name = "torch"
version = "2.13.0+cpu"
[[packages.wheels]]
name = "{name}"
{place}
[packages.wheels.hashes]
sha256 = "{digest}"
"""


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"place": 'path = "../torch.whl"'}, "bad-lock"),
        ({"place": 'path = "/etc/passwd"'}, "bad-lock"),
        ({"place": 'path = "C:/torch.whl"'}, "bad-lock"),
        ({"name": "../torch-2.13.0+cpu-py3-none-any.whl"}, "bad-lock"),
        ({"name": "NUL"}, "bad-lock"),
        ({"name": "torch-2.13.0+cpu-py3-none-any.whl\\n"}, "bad-lock"),
        ({"name": "evil-2.13.0+cpu-py3-none-any.whl"}, "bad-lock"),
        ({"name": "torch-2.14.0+cpu-py3-none-any.whl"}, "bad-lock"),
        ({"place": 'url = "ftp://host/torch-2.13.0+cpu-py3-none-any.whl"'}, "bad-lock"),
        ({"place": 'url = "file:///dev/zero"'}, "bad-lock"),
        ({"place": 'url = "http://127.0.0.1:9/x.whl"\nsize = -5'}, "bad-lock"),
        ({"digest": "0" * 63}, "bad-lock"),
        ({"digest": ""}, "bad-lock"),
        ({"name": "torch-2.13.0+cpu-cp311-cp311-win_amd64.whl"}, "foreign-lock"),
        ({"name": "torch-2.13.0+cpu-cp38-cp38-manylinux_2_28_x86_64.whl"}, "foreign-lock"),
        ({"digest": '"\n[tool]\nx = "'}, "bad-lock"),
    ],
    ids=str,
)  # fmt: skip
def test_a_hostile_or_foreign_lock_is_refused(tmp_path, here, changes, kind):
    """Said with what is wrong and what to do, before anything is fetched or made."""
    name = changes.get("name", "torch-2.13.0+cpu-py3-none-any.whl")
    fields = {"name": name, "place": 'url = "http://127.0.0.1:9/x.whl"', "digest": "0" * 64, **changes}
    assert refusal(tmp_path, here, GOOD.format(**fields)) == kind


@pytest.mark.parametrize("marker", ["'a' in 'aaa'", "python_version ~= 'x'", "'' < os_name and 'x' == 'x'"])
def test_a_marker_that_means_nothing_is_refused(tmp_path, here, marker):
    """It has the form of one, and packaging raises when it is asked."""
    good = GOOD.format(
        name="torch-2.13.0+cpu-py3-none-any.whl", place='url = "https://host/x.whl"', digest="0" * 64
    )
    text = good.replace('version = "2.13.0', f'marker = "{marker}"\nversion = "2.13.0')
    assert refusal(tmp_path, here, text) == "bad-lock"


def test_a_lock_cannot_write_to_the_terminal(torchdoctor, tmp_path, index):
    """Of a place with signs that colour it or turn a name round the host and the last name are shown."""
    name = "torch-2.13.0+cpu-py3-none-any.whl"
    place = f'url = "{index.url}/\\u001b]0;x\\u0007\\u202e/{name}"'
    (tmp_path / "pylock.toml").write_text(GOOD.format(name=name, place=place, digest="0" * 64))
    ran = torchdoctor("install", tmp_path / "env", "--lock", tmp_path / "pylock.toml")
    assert ran.status == 4
    assert f"{index.url}/…/{name}" in ran.err.replace("\n", "").replace("          ", "")
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)


@pytest.fixture(scope="module")
def here():
    """This machine."""
    return detect(
        host_system(os.environ), python=find_python(host_system(os.environ), sys.executable)
    ).machine


def refusal(folder, machine, text):
    """Which error a lock of this text is; usage is 2, a lock for another machine 3."""
    path = folder / "pylock.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TorchdoctorError) as caught:
        plan_of_lock(read_lock(path, machine=machine, tags=supported_tags(machine)), path)
    assert caught.value.fix
    assert caught.value.exit_status == (3 if caught.value.code == "foreign-lock" else 2)
    return caught.value.code


def test_a_good_lock_is_read(tmp_path, here):
    """The same text with nothing wrong in it."""
    text = GOOD.format(
        name="torch-2.13.0+cpu-py3-none-any.whl", place='url = "https://host/x.whl"', digest="0" * 64
    )
    (tmp_path / "pylock.toml").write_text(text)
    locked = read_lock(tmp_path / "pylock.toml", machine=here, tags=supported_tags(here))
    assert (locked.variant, locked.wheels[0].version) == ("cpu", f"{TORCH}+cpu")


def test_a_lock_without_hashes_is_refused_with_the_way_to_make_one(tmp_path, here):
    """Nothing could be checked by it."""
    text = GOOD.format(
        name="torch-2.13.0+cpu-py3-none-any.whl", place='url = "http://127.0.0.1:9/x"', digest=""
    )
    assert refusal(tmp_path, here, text.partition("[packages.wheels.hashes]")[0]) == "lock-without-hashes"


def test_a_place_in_a_lock_that_is_no_url_is_refused(tmp_path, here):
    """The library that splits URLs raises for it."""
    text = GOOD.format(
        name="torch-2.13.0+cpu-py3-none-any.whl", place='url = "https://[host/x.whl"', digest="0" * 64
    )
    assert refusal(tmp_path, here, text) == "bad-lock"


def test_names_in_a_lock_that_differ_by_case_alone_are_refused(tmp_path, here):
    """One would take the other's place where case does not count."""
    rows = [
        GOOD.format(name=name, place='url = "http://127.0.0.1:9/x"', digest="0" * 64).partition(
            "[[packages]]"
        )[2]
        for name in ("torch-2.13.0+cpu-py3-none-any.whl", "Torch-2.13.0+cpu-py3-none-any.whl")
    ]
    text = 'lock-version = "1.0"\ncreated-by = "x"\n' + "".join(f"[[packages]]{row}" for row in rows)
    assert refusal(tmp_path, here, text) == "bad-lock"


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\0", "[project]\nname = 'x'\n", "lock-version = '2.0'\ncreated-by = 'x'\npackages = []\n",
        "lock-version = '1.0'\ncreated-by = 'x'\npackages = []\n", "packages = 3\n", "a = " + "[" * 5000,
    ],
    ids=["bytes", "a project", "the future", "empty", "numbers", "brackets"],
)  # fmt: skip
def test_rubbish_is_no_lock(tmp_path, here, text):
    """Whatever it is, the answer is ours."""
    assert refusal(tmp_path, here, text) == "bad-lock"


@given(st.text(alphabet="\n\"'[]={}.0a/\\-", max_size=80), st.integers(0, 300))
@settings(max_examples=100, deadline=None)
def test_a_damaged_lock_is_refused_or_read(tmp_path_factory, here, noise, place):
    """Text put in anywhere never makes another error than ours."""
    good = GOOD.format(
        name="torch-2.13.0+cpu-py3-none-any.whl", place='url = "https://host/x.whl"', digest="0" * 64
    )
    path = tmp_path_factory.getbasetemp() / "pylock.toml"
    path.write_text(good[:place] + noise + good[place:], "utf-8")
    with contextlib.suppress(TorchdoctorError):
        plan_of_lock(read_lock(path, machine=here, tags=supported_tags(here)), path)


def test_a_lock_that_is_not_there_or_is_a_folder(torchdoctor, tmp_path):
    """Said by the program with its status."""
    for name in ("nothing", "."):
        ran = torchdoctor("install", tmp_path / "env", "--lock", tmp_path / name, "--json")
        assert (ran.status, ran.json["error"]["kind"]) == (2, "bad-lock"), ran.out


def test_a_lock_decides_alone(torchdoctor, locked):
    """--torch beside --lock would be two answers to one question."""
    ran = torchdoctor("install", "env", "--lock", locked, "--torch", "2.9", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "usage")


def test_a_locked_file_that_has_changed_is_not_installed(locked, wanted, tmp_path):
    """The index serves other bytes under the same name today."""
    path = next(path for path in wanted.files if "/torch-" in path and path.endswith(".whl"))
    wanted.files[path] = bytes(len(wanted.files[path]))
    ran = run_torchdoctor(
        "install", tmp_path / "env", "--lock", locked, "--python", sys.executable, "--json",
        environ={"TORCHDOCTOR_CACHE_DIR": str(tmp_path / "empty")},
    )  # fmt: skip
    assert (ran.status, ran.json["error"]["kind"]) == (4, "hash-mismatch"), ran.out
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(
    "said",
    [
        "error: No solution found\n  cause: Because needed was not found\nhint: look elsewhere\n",
        "  \u00d7 No solution found:\n  \u2570\u2500\u25b6 Because needed was not found\n",
    ],
)
def test_what_uv_says_is_told_on_one_line_without_its_marks(said):
    """Of an older and a newer uv."""
    assert uv.UvResult(status=1, stderr=said).cause == "No solution found: Because needed was not found"
