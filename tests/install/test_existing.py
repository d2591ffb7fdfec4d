"""An environment that is there: a change is shown, made in one step and written down; what cannot be moved stays."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.install import killing
from tests.install.conftest import TORCH
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel
from torchdoctor.core.fs import is_locked_by_other
from torchdoctor.errors import InstallFailed
from torchdoctor.install import in_place
from torchdoctor.install.location import refuse_unwritable
from torchdoctor.install.staging import recover_environment, staging_path


@pytest.fixture
def newer(official, tag):
    """torch 2.14.0 beside 2.13.0, and what it needs."""
    official.add("/whl/cpu/torch/", *make_wheel("torch", "2.14.0+cpu", tag=tag, requires=("needed",)))
    official.add("/simple/needed/", *make_wheel("needed", "1.0", tag="py3-none-any"))
    return official


@pytest.fixture
def small(bare):
    """torch alone."""
    return (*bare, "--without", "numpy", "--without", "torchvision")


@pytest.fixture
def upgrade(small):
    """The same for torch 2.14.0."""
    return tuple("2.14.0" if option == TORCH else option for option in small)


@pytest.fixture
def existing(official, newer, tmp_path):
    """torch 2.13.0 in an environment that somebody else made."""
    folder = tmp_path / "envs" / "env"
    folder.parent.mkdir()
    path = next(path for path in official.files if f"/torch-{TORCH}" in path and path.endswith(".whl"))
    wheel = tmp_path / path.rpartition("/")[2]
    wheel.write_bytes(official.files[path])
    uv = [find_uv_bin(), "--no-config", "--offline", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
    subprocess.run([*uv, "pip", "install", "--python", folder / "bin" / "python", wheel], check=True)
    return folder


def test_a_dry_run_shows_what_would_change_and_changes_nothing(torchdoctor, existing, upgrade):
    """`+` comes, `~` changes; no file is fetched for it."""
    before = sorted(existing.rglob("*"))
    ran = torchdoctor("install", existing, *upgrade, "--dry-run")
    assert ran.status == 0, ran.err
    assert f"~ torch {TORCH}+cpu -> 2.14.0+cpu" in ran.out
    assert "+ needed 1.0" in ran.out
    document = torchdoctor("install", existing, *upgrade, "--dry-run", "--json").json
    assert document["changes"] == [
        {"name": "needed", "before": None, "after": "1.0"},
        {"name": "torch", "before": f"{TORCH}+cpu", "after": "2.14.0+cpu"},
    ]
    assert sorted(existing.rglob("*")) == before
    assert versions(existing) == {"torch": f"{TORCH}+cpu"}


def test_a_dry_run_says_that_nothing_would_change(torchdoctor, existing, small):
    """Not that zero packages would; with `--without` for what this torch requires it is whole."""
    ran = torchdoctor("install", existing, *small, "--without", "needed", "--dry-run")
    assert (ran.status, ran.out.splitlines()[-1]) == (0, f"nothing would change: {existing} has all of it")


def test_a_change_is_shown_before_it_is_made(torchdoctor, existing, upgrade):
    """Without a terminal nobody is asked and nothing waits."""
    ran = torchdoctor("install", existing, *upgrade)
    assert ran.status == 0, ran.err
    assert ran.err.index(f"~ torch {TORCH}+cpu -> 2.14.0+cpu") < ran.err.index("fetch")


@pytest.mark.process
@pytest.mark.parametrize(("key", "status"), [("n", 5), ("y", 0)])
def test_on_a_terminal_a_change_is_asked_for(alone, existing, upgrade, key, status):
    """No leaves everything as it is, and says so."""
    said, ended = on_terminal(alone, ("install", existing, *upgrade), key, existing.parent)
    assert "Change 2 packages" in said
    assert ended == status, said
    assert versions(existing)["torch"] == ("2.14.0+cpu" if key == "y" else f"{TORCH}+cpu")


@pytest.mark.process
def test_on_a_terminal_yes_is_not_asked_again(alone, existing, upgrade):
    """--yes says it beforehand."""
    said, ended = on_terminal(alone, ("install", existing, *upgrade, "--yes"), "", existing.parent)
    assert ended == 0, said
    assert "Change 2 packages" not in said


def on_terminal(alone, arguments, key, cwd):
    """What the program says on a terminal where `key` is typed once it asks, and its status."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "torchdoctor", *map(str, arguments)], stdin=inner, stdout=inner, stderr=inner,
        env={**os.environ, **alone, "TERM": "dumb"}, cwd=cwd, start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    said, deadline, typed = b"", time.monotonic() + 60, False
    while time.monotonic() < deadline:
        if select.select([outer], [], [], 0.1)[0]:
            try:
                said += os.read(outer, 4096)
            except OSError:
                break
        if b"packages in" in said and b"?" in said and key and not typed:
            os.write(outer, f"{key}\n".encode())
            typed = True
    os.close(outer)
    return said.decode("utf-8", "replace"), process.wait(30)


def test_the_environment_says_what_was_put_there(torchdoctor, newer, small, upgrade, tmp_path):
    """Schema, when, by what, the plan, each file with its hash, what changed, and the record before."""
    existing = tmp_path / "env"
    assert torchdoctor("install", existing, *small).status == 0
    ran = torchdoctor("install", existing, *upgrade)
    assert ran.status == 0, ran.err
    record = json.loads((existing / "torchdoctor.json").read_text("utf-8"))
    assert record["schema"] == 1
    assert record["plan"]["variant"] == "cpu"
    assert {row["name"]: row["version"] for row in record["files"]} == {
        "torch": "2.14.0+cpu",
        "needed": "1.0",
    }
    assert all(len(row["sha256"]) == 64 for row in record["files"])
    assert record["changes"] == [
        {"name": "needed", "before": None, "after": "1.0"},
        {"name": "torch", "before": f"{TORCH}+cpu", "after": "2.14.0+cpu"},
    ]
    assert record["previous"]["changes"] == [{"name": "torch", "before": None, "after": f"{TORCH}+cpu"}]
    assert record["previous"].get("previous") is None


def test_a_running_program_never_finds_its_environment_gone(torchdoctor, existing, upgrade):
    """While it is changed, its interpreter can be started at any time."""
    watch = f"while [ -x '{existing}/bin/python' ]; do :; done"
    process = subprocess.Popen(["/bin/sh", "-c", watch])
    try:
        assert torchdoctor("install", existing, *upgrade).status == 0
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def conda_prefix(tmp_path_factory):
    """An environment as conda lays it out: a whole Python at its top, and conda-meta."""
    base = Path(sys.base_prefix)
    folder = tmp_path_factory.mktemp("conda") / "env"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    skip = shutil.ignore_patterns(
        "site-packages", "test", "tests", "idlelib", "__pycache__", "EXTERNALLY-MANAGED", "*.a"
    )
    if not (base / "lib" / version).is_dir() or not (base / "bin" / version).exists():
        pytest.skip("the Python that runs the tests is laid out in another way")
    shutil.copytree(base / "lib" / version, folder / "lib" / version, ignore=skip, symlinks=True)
    for library in base.glob("lib/libpython*"):
        shutil.copy2(library, folder / "lib", follow_symlinks=False)
    (folder / "lib" / version / "site-packages").mkdir()
    # For tools that cut 3.10 to 3.1: https://github.com/conda/conda/issues/11423
    (folder / "lib" / "python3.1").symlink_to(version)
    (folder / "bin").mkdir()
    shutil.copy2(base / "bin" / version, folder / "bin" / version)
    (folder / "bin" / "python").symlink_to(version)
    (folder / "conda-meta").mkdir()
    (folder / "conda-meta" / "history").touch()
    prefix = subprocess.run(
        [folder / "bin" / "python", "-I", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=False,
    )
    if prefix.stdout.strip() != str(folder):
        pytest.skip("a copied Python does not find itself here")
    return folder


@pytest.fixture
def conda(conda_prefix, tmp_path):
    """A copy for one test."""
    folder = tmp_path / "conda" / "env"
    shutil.copytree(conda_prefix, folder, symlinks=True, copy_function=os.link)
    return folder


def test_a_conda_environment_is_installed_into_and_never_replaced(torchdoctor, conda, newer, small, upgrade):
    """As pip does: the folder stays, what is conda's stays, and torch is there."""
    before = conda.stat().st_ino
    options = [option for option in small if option not in ("--python", sys.executable)]
    ran = torchdoctor("install", conda, *options)
    assert ran.status == 0, ran.err
    assert versions(conda) == {"torch": f"{TORCH}+cpu"}
    assert (conda.stat().st_ino, (conda / "conda-meta" / "history").exists()) == (before, True)
    assert not (conda / in_place.UNDO_FOLDER).exists()
    assert f"conda activate {conda}" in ran.out
    options = [option for option in upgrade if option not in ("--python", sys.executable)]
    assert torchdoctor("install", conda, *options).status == 0
    assert versions(conda) == {"torch": "2.14.0+cpu", "needed": "1.0"}
    assert killing.wrong_files(conda) == []


def test_a_failed_change_of_a_conda_environment_is_undone(torchdoctor, conda, newer, small, official, tag):
    """A package of the user's would break: what was there is there again, to the byte."""
    official.add(
        "/simple/consumer/", *make_wheel("consumer", "1.0", tag="py3-none-any", requires=("needed<2",))
    )
    options = [option for option in small if option not in ("--python", sys.executable)]
    assert torchdoctor("install", conda, *options, "--with", "consumer").status == 0
    before = tree(conda)
    official.add("/simple/needed/", *make_wheel("needed", "2.0", tag="py3-none-any"))
    official.add("/whl/cpu/torch/", *make_wheel("torch", "2.14.1+cpu", tag=tag, requires=("needed>=2",)))
    newest = ["2.14.1" if option == TORCH else option for option in options]
    ran = torchdoctor("install", conda, *newest, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "conflict"), ran.out
    assert tree(conda) == before


def tree(folder):
    """Every file but compiled ones, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != "torchdoctor.json"
    }


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
def test_a_change_of_a_conda_environment_that_was_killed_is_undone_by_the_next_run(
    torchdoctor, alone, conda, newer, small, upgrade, official
):
    """Killed while uv is at work: the next run brings back what was there, and then succeeds."""
    modules = {f"many/m{number}.py": "x = [\n" + "1,\n" * 200 + "]\n" for number in range(1500)}
    official.add("/simple/many/", *make_wheel("many", "1.0", tag="py3-none-any", modules=modules))
    options = [option for option in small if option not in ("--python", sys.executable)]
    assert torchdoctor("install", conda, *options).status == 0
    before = tree(conda)
    newest = [option for option in upgrade if option not in ("--python", sys.executable)] + ["--with", "many"]
    process = killing.start(("install", conda, *newest), alone, conda.parent)
    while not (conda / in_place.UNDO_FOLDER / "journal.json").exists() and process.poll() is None:
        time.sleep(0.002)
    time.sleep(0.15)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    while is_locked_by_other(conda):  # uv outlives the program, and holds what that held
        time.sleep(0.05)
    half = (
        next(conda.glob("lib/python3*/site-packages")) / "many" / "__pycache__" / "m1.cpython-311.pyc.140235"
    )
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"bytecode that was being writ")
    assert in_place.undo_change(conda)
    assert tree(conda) == before
    assert torchdoctor("install", conda, *newest).status == 0
    assert versions(conda) == {"torch": "2.14.0+cpu", "needed": "1.0", "many": "1.0"}


def test_an_environment_on_a_mount_point_is_changed_where_it_is(torchdoctor, existing, upgrade, tmp_path):
    """A container's volume cannot be renamed away."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    done = subprocess.run(["mount", "--bind", existing, folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        ran = torchdoctor("install", folder, *upgrade)
        assert ran.status == 0, ran.err
        assert versions(folder)["torch"] == "2.14.0+cpu"
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_what_is_mounted_inside_an_environment_stays_where_it_is(torchdoctor, existing, upgrade):
    """It would go away with the old environment, and what lies on it would be deleted."""
    folder = existing / "my models"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        (folder / "weights").write_text("years of work")
        ran = torchdoctor("install", existing, *upgrade)
        assert ran.status == 0, ran.err
        assert versions(existing)["torch"] == "2.14.0+cpu"
        assert os.path.ismount(folder)
        assert (folder / "weights").read_text() == "years of work"
        assert killing.left_over(existing.parent) == []
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_the_systems_python_is_refused(torchdoctor, bare, tmp_path):
    """PEP 668: its packages are the system's to change."""
    folder = tmp_path / "usr"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "lib" / "python3.11").mkdir(parents=True)
    (folder / "lib" / "python3.11" / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    ran = torchdoctor("install", folder, *bare, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "externally-managed")


@pytest.mark.parametrize(
    "name", ["with blank", "ünï-çødé 环境", "-dash", "a" * 200, "环" * 80, 'quote\'d "$HOME"', "semi;colon"]
)
def test_a_folder_of_any_name(torchdoctor, newer, small, tmp_path, name):
    """What it prints to activate it works as typed."""
    ran = torchdoctor("install", f"./{name}", *small)
    assert ran.status == 0, ran.err
    line = (
        next(row for row in ran.out.splitlines() if row.startswith("use it")).removeprefix("use it").strip()
    )
    said = subprocess.run(
        ["bash", "-c", f"{line} && python -I -c 'import torch, sys; print(sys.prefix)'"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert said == str(tmp_path / "work" / name)


def test_a_folder_whose_name_is_a_command_runs_none(torchdoctor, small, tmp_path):
    """uv puts the prompt into the script that a shell runs to activate it."""
    folder = tmp_path / "work" / "$(touch ran)`touch ran`"
    assert torchdoctor("install", folder, *small).status == 0
    script = folder / "bin" / "activate"
    subprocess.run(["bash", "-c", '. "$1" && python -c ""', "-", script], cwd=tmp_path, check=True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["one:two", b"\xff\xfe", "long" * 100])
def test_a_name_that_no_environment_can_have_is_refused(torchdoctor, small, tmp_path, name):
    """PATH cannot hold it, or uv cannot: said before anything is fetched."""
    ran = torchdoctor("install", tmp_path / os.fsdecode(name), *small, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "environment"), ran.out
    assert "cannot be an environment" in ran.json["error"]["message"]


@pytest.mark.process
def test_two_installs_at_once_into_one_environment(alone, newer, small, existing, upgrade):
    """One does it; the other is told, or finds it done."""
    runs = [killing.start(("install", existing, *upgrade), alone, existing.parent) for _ in range(2)]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in runs]
    assert sorted(status for _, status in ends) in ([0, 0], [0, 5]), ends
    assert all(status == 0 or "another torchdoctor is installing" in said for said, status in ends)
    assert versions(existing)["torch"] == "2.14.0+cpu"
    assert killing.left_over(existing.parent) == []


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_two_installs_with_caches_of_their_own_do_not_undo_each_other(
    torchdoctor, alone, newer, small, existing, upgrade, official
):
    """Two users, or a container and its host: the second leaves alone what the first is making."""
    modules = {f"many/m{number}.py": "x = [\n" + "1,\n" * 200 + "]\n" for number in range(1500)}
    official.add("/simple/many/", *make_wheel("many", "1.0", tag="py3-none-any", modules=modules))
    other = {**alone, "TORCHDOCTOR_CACHE_DIR": f"{alone['TORCHDOCTOR_CACHE_DIR']}-other"}
    first = killing.start(("install", existing, *upgrade, "--with", "many"), other, existing.parent)
    while not killing.left_over(existing.parent) and first.poll() is None:
        time.sleep(0.002)
    first.send_signal(signal.SIGSTOP)  # so that it is not done before the second one has looked
    second = torchdoctor("install", existing, *upgrade, "--json")
    first.send_signal(signal.SIGCONT)
    assert (second.status, second.json["error"]["kind"]) == (5, "busy"), second.out
    err = first.communicate(timeout=120)[1]
    assert first.returncode == 0, err
    assert versions(existing) == {"torch": "2.14.0+cpu", "needed": "1.0", "many": "1.0"}
    assert killing.wrong_files(existing) == []


def test_a_disk_that_fills_up_while_it_is_filled(torchdoctor, existing, upgrade, newer, tmp_path):
    """The space that was counted is gone when it is needed: the environment is as it was."""
    small_disk = tmp_path / "disk"
    small_disk.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small_disk]
    done = subprocess.run(options, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.decode()}")
    try:
        shutil.copytree(existing, small_disk / "env", symlinks=True)
        name, content = make_wheel(
            "many", "1.0", tag="py3-none-any", modules={f"many/m{i}.py": "x = 1\n" * 3 for i in range(900)}
        )
        newer.add("/simple/many/", name, content)
        ran = torchdoctor("install", small_disk / "env", *upgrade, "--with", "many", "--json")
        assert (ran.status, ran.json["error"]["kind"]) in ((5, "install"), (5, "no-space")), ran.out
        assert versions(small_disk / "env") == {"torch": f"{TORCH}+cpu"}
        assert killing.left_over(small_disk) == []
    finally:
        subprocess.run(["umount", "-l", small_disk], check=False)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can act for another user")
def test_another_users_environment_stays_that_users_and_shares_no_file_with_our_cache(
    torchdoctor, existing, upgrade
):
    """A hard link from our cache, once given away, could be written to by the other user."""
    for path in (existing, *existing.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    assert torchdoctor("install", existing, *upgrade, "--trust-env").status == 0
    for path in (existing, *existing.rglob("*")):
        status = path.lstat()
        assert status.st_uid == 12345, path
        assert path.is_dir() or status.st_nlink == 1, path


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can act for another user")
def test_what_another_user_left_where_all_may_write_is_not_taken_for_ours(existing, tmp_path):
    """Beside /tmp/env anybody can put what looks like the old environment of a broken run, with a Python in it."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    folder = shared / "env"
    planted = staging_path(folder, "old")
    existing.rename(planted)
    os.chown(planted, 12345, 12345)
    recover_environment(folder, tmp_path / "locks")
    assert not folder.exists()
    os.chown(planted, 0, 0)
    recover_environment(folder, tmp_path / "locks")
    assert folder.is_dir()


def test_a_folder_whose_python_lives_elsewhere_is_refused_before_anything_is_asked(
    torchdoctor, tmp_path, small
):
    """What looks like conda's, with a link to another Python in it, would have that Python's packages changed."""
    other, folder = tmp_path / "other", tmp_path / "env"
    subprocess.run(
        [find_uv_bin(), "venv", "--quiet", "--no-config", "--python", sys.executable, other], check=True
    )
    (folder / "bin").mkdir(parents=True)
    (folder / "conda-meta").mkdir()
    (folder / "bin" / "python").write_text(f'#!/bin/sh\nexec "{other}/bin/python" "$@"\n')
    (folder / "bin" / "python").chmod(0o755)
    ran = torchdoctor("install", folder, *small, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "not-its-own-python"), ran.out
    assert versions(other) == {}


def test_a_journal_that_names_files_elsewhere_undoes_nothing(tmp_path):
    """Somebody else's environment may hold anything; what it says to undo stays inside of it."""
    (tmp_path / "thesis.txt").write_text("years of work")
    folder = tmp_path / "env"
    (folder / in_place.UNDO_FOLDER).mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path)
    for name in ("../thesis.txt", str(tmp_path / "thesis.txt"), "link/thesis.txt"):
        journal = {"schema": 1, "old": [], "fresh": [name]}
        (folder / in_place.UNDO_FOLDER / "journal.json").write_text(json.dumps(journal))
        with pytest.raises(InstallFailed, match="outside of its environment"):
            in_place.undo_change(folder)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.fixture
def shared_folder():
    """A folder that every user can enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="only root becomes another user")
def test_a_place_that_cannot_be_written_to_is_refused_before_anything_is_fetched(shared_folder):
    """For who may not write there: a new environment by the folder above, one that is there by itself."""
    closed = shared_folder / "closed"
    (closed / "env" / "conda-meta").mkdir(parents=True)

    def refused(folder, state):
        """What a child that is nobody says."""
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            try:
                refuse_unwritable(folder, state)
            except InstallFailed as error:
                os._exit(1 if f"{closed}" in error.message else 3)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert refused(closed / "a" / "b" / "new", "new") == 1
    assert refused(closed / "env", "conda") == 1
    os.chown(closed / "env", 65534, 65534)
    assert refused(closed / "env", "conda") == 0
    assert refused(closed / "env" / "new", "new") == 0
