"""Every bad input gets a sentence, a next step and the documented status, and nothing is lost."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import run_torchdoctor, settings_of_nobody
from tests.install.conftest import TORCH, bare_options, list_official
from tests.loopback import Fault, LoopbackIndex
from tests.wheelmaker import make_wheel
from torchdoctor.install.staging import staging_path

pytestmark = pytest.mark.process


def failed(ran, status, kind):
    """The error of a run that failed as documented."""
    assert ran.status == status, ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err
    error = ran.json["error"]
    assert error["kind"] == kind, error
    assert error["fix"]
    return error["message"]


def nothing_left(folder):
    """Neither the environment nor a half-made one beside it."""
    assert not [path.name for path in folder.iterdir() if "env" in path.name]


@pytest.fixture
def here(tmp_path):
    """A folder for environments, apart from the caches."""
    folder = tmp_path / "envs"
    folder.mkdir()
    return folder


def test_a_python_that_is_not_there(torchdoctor, here):
    """--python names what was looked for."""
    ran = torchdoctor("install", here / "env", "--python", "/no/such/python", "--json")
    assert ran.status == 2
    assert "/no/such/python" in ran.json["error"]["message"]
    nothing_left(here)


def test_a_python_that_no_release_supports(torchdoctor, here, official, tmp_path):
    """A Python before 3.8 or after the newest is no solution, said before anything is fetched."""
    fake = tmp_path / "python"
    real = sys.executable
    fake.write_text(f'#!/bin/sh\n{real} "$@" | sed \'s/"3\\.[0-9]*\\.[0-9]*[^"]*"/"3.7.17"/\'\n')
    fake.chmod(0o755)
    ran = torchdoctor("install", here / "env", "--python", fake, "--json")
    assert "has no build for Python 3.7" in failed(ran, 3, "no-solution")
    assert official.seen == []


def test_a_folder_that_is_not_a_venv_is_left_alone(torchdoctor, here, bare):
    """A folder with something in it is somebody's."""
    (here / "env").mkdir()
    (here / "env" / "thesis.txt").write_text("years of work")
    ran = torchdoctor("install", here / "env", *bare, "--json")
    assert "not a virtual environment" in failed(ran, 2, "not-a-venv")
    assert (here / "env" / "thesis.txt").read_text() == "years of work"


def test_a_file_in_the_way_is_left_alone(torchdoctor, here, bare):
    """ENV can be a file by mistake."""
    (here / "env").write_text("a file")
    failed(torchdoctor("install", here / "env", *bare, "--json"), 2, "environment")
    assert (here / "env").read_text() == "a file"


def test_a_folder_that_cannot_be_written_to(torchdoctor, here, bare):
    """A read-only parent is an installation that failed; where it is a system folder even root is refused."""
    ran = torchdoctor("install", "/proc/nowhere/env", *bare, "--json")
    failed(ran, 5, "install")


def test_no_disk_space_for_the_files(torchdoctor, here, official, bare):
    """The sizes are known before the first byte; the cache's disk is too small."""
    small = small_disk(here.parent / "small")
    official.faults.clear()
    name, content = make_wheel(
        "big", "1.0", tag="py3-none-any", modules={"big.txt": os.urandom(3 << 20).hex()}
    )
    official.add("/simple/big/", name, content)
    ran = torchdoctor(
        "install", here / "env", *bare, "--with", "big", "--json", TORCHDOCTOR_CACHE_DIR=str(small)
    )
    assert ran.status == 4
    assert ran.json["error"]["kind"] in ("no-space", "download")
    nothing_left(here)


def test_no_disk_space_for_the_environment(torchdoctor, official, bare, here):
    """What the wheels unpack to is counted before the environment is begun."""
    small = small_disk(here.parent / "small")
    name, content = make_wheel("big", "1.0", tag="py3-none-any", modules={"big.txt": "x" * (8 << 20)})
    official.add("/simple/big/", name, content)
    ran = torchdoctor("install", small / "env", *bare, "--with", "big", "--json")
    assert "GB free" in failed(ran, 5, "no-space")
    nothing_left(small)


def small_disk(folder):
    """A file system of 2 MiB; making one takes root."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.decode()}")
    mounted.append(folder)
    return folder


mounted: list[object] = []


@pytest.fixture(autouse=True)
def _unmount():
    yield
    while mounted:
        subprocess.run(["umount", "-l", mounted.pop()], check=False)


def test_no_source_in_reach(torchdoctor, here, bare):
    """Every source that was tried is named."""
    ran = torchdoctor(
        "install", here / "env", *bare[2:], "--index-url", "http://127.0.0.1:9/whl", "--json",
        PIP_INDEX_URL="http://127.0.0.1:9/simple", HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1",
    )  # fmt: skip
    assert "http://127.0.0.1:9/whl" in failed(ran, 4, "no-source")
    nothing_left(here)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=404),
        Fault(status=500),
        Fault(status=200, body=b"<html><p>Please log in"),
        Fault(body=b"\0\xff" * 900),
    ],
    ids=["404", "500", "a log-in page", "binary rubbish"],
)
def test_an_index_that_answers_badly(torchdoctor, here, official, bare, fault):
    """404, 500 and rubbish are no torch, and no crash."""
    for page in ("/whl/torch/", "/whl/cpu/torch/"):
        official.faults[page] = fault
    ran = torchdoctor(
        "install", here / "env", *bare, "--json", HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1"
    )
    failed(ran, 4, "no-source")
    nothing_left(here)


def test_a_wheel_whose_hash_differs_is_not_installed_and_not_cached(
    torchdoctor, here, index, bare, tag, tmp_path
):
    """The index says one hash and the bytes have another."""
    name, content = make_wheel("torch", f"{TORCH}+cpu", tag=tag)
    index.pages.pop("/whl/cpu/torch/")
    index.add("/whl/cpu/torch/", name, content, digest="0" * 64)
    ran = torchdoctor("install", here / "env", *bare, "--json")
    assert "0000000000000000" in failed(ran, 4, "hash-mismatch")
    nothing_left(here)
    assert not list((tmp_path / "cache").rglob("torch-*.whl"))


def test_a_file_in_a_folder_that_is_not_what_its_name_says(torchdoctor, here, tmp_path):
    """A folder gives no hashes; a file named as an official build is held to the official one."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the official hash is that of the CPython 3.11 wheel")
    folder = tmp_path / "wheels"
    folder.mkdir()
    name, content = make_wheel("torch", "2.13.0+cpu", tag="cp311-cp311-manylinux_2_28_x86_64")
    (folder / name).write_bytes(content)
    ran = torchdoctor(
        "install", here / "env", "--find-links", folder, "--python", sys.executable, "--offline", "--without",
        "pip", "--without", "torchvision", "--without", "torchaudio", "--json", TORCHDOCTOR_INSTALL_TRUST_MIRROR="",
    )  # fmt: skip
    assert "the right file of that name" in failed(ran, 4, "hash-conflict")
    nothing_left(here)


def test_a_wheel_that_stops_short_is_fetched_again(torchdoctor, here, official, bare):
    """A connection that breaks once is no failure."""
    path = next(path for path in official.files if "/torch-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(close_after=200, times=1)
    ran = torchdoctor("install", here / "env", *bare)
    assert ran.status == 0, ran.err
    assert "trying again" in ran.err


def test_rubbish_for_options_is_wrong_usage(torchdoctor):
    """Each is named; nothing is guessed."""
    for options in (
        ["--variant", "quantum"], ["--torch", "latest!"], ["--with", "torchvision @ http://x/y.whl"],
        ["--without", "torch"], ["--mirror", "nowhere"], ["--with", "a", "--without", "a"], ["--no-such-option"],
        ["--kernel-name", "../evil"], ["--torch", "2.13.0+cu130", "--variant", "cpu"],
    ):  # fmt: skip
        ran = torchdoctor("install", *options, "--json")
        assert ran.status == 2, (options, ran.out, ran.err)
        assert ran.json["error"]["fix"]


@pytest.fixture(scope="session")
def _existing(once):
    """An environment with a package of the user's own in it, made once for the whole run."""

    def install(folder):
        with LoopbackIndex() as index:
            list_official(index)
            index.add("/simple/my-own/", *make_wheel("my-own", "1.0", tag="py3-none-any"))
            ran = run_torchdoctor(
                "install", folder / "env", *bare_options(index), "--with", "my-own",
                environ=settings_of_nobody(folder, index.url),
            )  # fmt: skip
        assert ran.status == 0, ran.err
        return str(folder / "env")

    return Path(once("existing", install))


@pytest.fixture
def existing(_existing, here, official):
    """An environment from before, with a package of the user's own in it."""
    official.add("/simple/my-own/", *make_wheel("my-own", "1.0", tag="py3-none-any"))
    return Path(shutil.copytree(_existing, here / "env", symlinks=True))


def own(existing):
    """What the user's package and torch say in the environment."""
    code = "import my_own, torch; print(my_own.__version__, torch.__version__)"
    return subprocess.run(
        [existing / "bin" / "python", "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_an_existing_environment_keeps_its_other_packages(torchdoctor, existing, bare, official, tag):
    """Upgrading torch leaves what else is installed."""
    name, content = make_wheel("torch", "2.14.0+cpu", tag=tag)
    official.add("/whl/cpu/torch/", name, content)
    options = ["2.14.0" if option == TORCH else option for option in bare]
    ran = torchdoctor("install", existing, *options, "--without", "torchvision")
    assert ran.status == 0, ran.err
    assert own(existing) == "1.0 2.14.0+cpu"


def test_a_failed_upgrade_leaves_the_environment_as_it_was(torchdoctor, existing, bare, official, tag):
    """The new torch's hash differs: the old one still works."""
    name, content = make_wheel("torch", "2.14.0+cpu", tag=tag)
    official.add("/whl/cpu/torch/", name, content, digest="1" * 64)
    options = ["2.14.0" if option == TORCH else option for option in bare]
    ran = torchdoctor("install", existing, *options, "--without", "torchvision", "--json")
    failed(ran, 4, "hash-mismatch")
    assert own(existing) == f"1.0 {TORCH}+cpu"


def stage_of(folder, what):
    """Where an installation into `folder` keeps what it works on."""
    return staging_path(folder, what)


def test_what_a_killed_run_left_is_cleared_by_the_next(torchdoctor, here, bare):
    """A half-made environment beside the target does not stop the next run, nor stay."""
    left = stage_of(here / "env", "new-4711")
    left.mkdir()
    (left / "half").write_text("made")
    assert torchdoctor("install", here / "env", *bare).status == 0
    assert sorted(path.name for path in here.iterdir()) == ["env"]


def test_a_run_killed_between_its_two_renames_is_undone_by_the_next(torchdoctor, here, existing, bare):
    """The old environment is found where it was put aside, and comes back before anything else."""
    existing.rename(stage_of(existing, "old"))
    assert torchdoctor("install", existing, *bare).status == 0
    assert own(existing) == f"1.0 {TORCH}+cpu"
    assert sorted(path.name for path in here.iterdir()) == ["env"]


def test_neighbours_of_like_names_do_not_share_what_they_put_aside(torchdoctor, here, existing, bare):
    """`env` put aside by a killed run is not touched by an installation into `.env`."""
    existing.rename(stage_of(existing, "old"))
    assert torchdoctor("install", here / ".env", *bare).status == 0
    assert torchdoctor("install", existing, *bare).status == 0
    assert own(existing) == f"1.0 {TORCH}+cpu"


def test_a_path_that_goes_up_and_down_again_is_the_same_place(torchdoctor, here, existing, bare):
    """env/../env is env."""
    assert torchdoctor("install", existing / ".." / "env", *bare, "--with", "my-own").status == 0
    assert own(existing) == f"1.0 {TORCH}+cpu"
    assert sorted(path.name for path in here.iterdir()) == ["env"]


def test_a_link_to_an_environment_stays_a_link(torchdoctor, here, existing, bare, official, tag):
    """What it leads to is changed; twice in a row."""
    (here / "link").symlink_to("env")
    name, content = make_wheel("torch", "2.14.0+cpu", tag=tag)
    official.add("/whl/cpu/torch/", name, content)
    options = ["2.14.0" if option == TORCH else option for option in bare]
    for _ in range(2):
        assert torchdoctor("install", here / "link", *options, "--without", "torchvision").status == 0
    assert (here / "link").is_symlink()
    assert own(existing) == "1.0 2.14.0+cpu"
    assert sorted(path.name for path in here.iterdir()) == ["env", "link"]


def test_the_current_folder_is_not_replaced_under_its_user(alone, bare, here):
    """The shell would stand in a folder that is gone."""
    for folder in (".", ".."):
        (here / "inner").mkdir(exist_ok=True)
        ran = run_torchdoctor("install", folder, *bare, "--json", environ=alone, cwd=here / "inner")
        failed(ran, 2, "current-folder")


def test_an_upgrade_keeps_versions_that_other_packages_rely_on(torchdoctor, existing, bare, official, tag):
    """A newer release of what torch needs does not come in where the installed one will do."""
    for version in ("1.0", "2.0"):
        name, content = make_wheel("needed", version, tag="py3-none-any")
        official.add("/simple/needed/", name, content)
    assert torchdoctor("install", existing, *bare, "--with", "needed==1.0").status == 0
    name, content = make_wheel("torch", "2.14.0+cpu", tag=tag, requires=("needed",))
    official.add("/whl/cpu/torch/", name, content)
    options = ["2.14.0" if option == TORCH else option for option in bare]
    assert torchdoctor("install", existing, *options, "--without", "torchvision").status == 0
    code = "import needed; print(needed.__version__)"
    said = subprocess.run(
        [existing / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "1.0"


def test_a_change_that_breaks_another_package_is_refused(torchdoctor, existing, bare, official, tag):
    """The new torch needs what the user's package cannot have: nothing is changed, and both are named."""
    for version in ("1.0", "2.0"):
        name, content = make_wheel("needed", version, tag="py3-none-any")
        official.add("/simple/needed/", name, content)
    name, content = make_wheel("consumer", "1.0", tag="py3-none-any", requires=("needed<2",))
    official.add("/simple/consumer/", name, content)
    assert torchdoctor("install", existing, *bare, "--with", "consumer").status == 0
    name, content = make_wheel("torch", "2.14.0+cpu", tag=tag, requires=("needed>=2",))
    official.add("/whl/cpu/torch/", name, content)
    options = ["2.14.0" if option == TORCH else option for option in bare]
    ran = torchdoctor("install", existing, *options, "--without", "torchvision", "--json")
    assert "consumer" in failed(ran, 5, "conflict")
    assert own(existing) == f"1.0 {TORCH}+cpu"


def test_a_torch_of_another_accelerator_is_refused_beside_an_old_companion(
    torchdoctor, here, bare, official, tag
):
    """The torchvision that stays is a CUDA build: no check of metadata sees it, and the import would fail."""
    torch, vision = make_wheel("torch", TORCH, tag=tag, built=f"{TORCH}+cu130"), "0.28.0"
    official.add("/simple/torch/", *torch)
    official.add("/simple/torchvision/", *make_wheel("torchvision", vision, tag=tag, built=f"{vision}+cu130"))
    start = ("--python", sys.executable, "--torch", TORCH, "--variant", "cu130", "--no-verify")
    less = ("--without", "pip", "--without", "numpy", "--without", "torchaudio")
    first = torchdoctor("install", here / "env", *start, *less, "--index-url", f"{official.url}/simple")
    assert first.status == 0, first.err
    ran = torchdoctor(
        "install", here / "env", *bare, "--without", "numpy", "--without", "torchvision", "--json"
    )
    assert "torchvision 0.28.0" in failed(ran, 5, "conflict")
    code = "import torch, torchvision; print(torch.__version__, torchvision.__version__)"
    said = subprocess.run(
        [here / "env" / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [f"{TORCH}+cu130", f"{vision}+cu130"]
    both = torchdoctor("install", here / "env", *bare, "--without", "numpy", "--with", "torchvision")
    assert both.status == 0, both.err


def test_a_second_run_changes_nothing(torchdoctor, existing, bare):
    """All is there already: said, and left as it is."""
    before = (existing / "pyvenv.cfg").stat().st_ino
    ran = torchdoctor("install", existing, *bare)
    assert ran.status == 0, ran.err
    assert "nothing was changed" in ran.err
    assert (existing / "pyvenv.cfg").stat().st_ino == before


def test_a_module_in_the_current_folder_is_not_run(alone, bare, here):
    """A pip.py that lies about is not pip."""
    (here / "pip.py").write_text("open('ran', 'w').close()\n")
    assert run_torchdoctor("install", here / "env", *bare, environ=alone, cwd=here).status == 0
    assert not (here / "ran").exists()


def test_an_extra_index_that_is_dead_does_not_stop_the_installation(torchdoctor, here, bare, official):
    """torch is found before it; what torch needs comes from the ones that answer."""
    name, content = make_wheel("needed", "1.0", tag="py3-none-any")
    official.add("/simple/needed/", name, content)
    ran = torchdoctor(
        "install", here / "env", *bare, "--with", "needed", PIP_EXTRA_INDEX_URL="http://127.0.0.1:9/simple"
    )
    assert ran.status == 0, ran.err
    assert "http://127.0.0.1:9/simple/pip/ cannot be read: it refuses the connection" in ran.err


def test_passwords_in_urls_are_shown_nowhere(torchdoctor, here, official, bare):
    """Neither in the JSON nor in what is said on the way."""
    url = official.url.replace("http://", "http://someone:s3cret@")
    ran = torchdoctor("install", here / "env", "--index-url", f"{url}/whl", *bare[2:], "--json", "-v")
    assert ran.status == 0, ran.out
    assert "s3cret" not in ran.out + ran.err


def test_streams_that_are_closed_are_no_failure(alone, here, bare):
    """A service manager starts programs without them."""
    command = " ".join(shlex.quote(str(part)) for part in ("install", here / "env", *bare))
    script = f"{shlex.quote(sys.executable)} -m torchdoctor {command} <&- >&- 2>&-"
    done = subprocess.run(["bash", "-c", script], env={**os.environ, **alone}, check=False)
    assert done.returncode == 0
    assert (here / "env" / "bin" / "python").exists()


def test_a_cache_that_cannot_be_used_is_named(torchdoctor, here, bare):
    """The message says which folder and which variable moves it."""
    ran = torchdoctor("install", here / "env", *bare, "--json", TORCHDOCTOR_CACHE_DIR="/dev/null/x")
    assert ran.status in (4, 5)
    assert "/dev/null/x" in ran.json["error"]["message"]
    assert ran.json["error"]["kind"] != "internal"


def interrupt(alone, arguments, *, when, cwd, stop=None):
    """Start the program, wait for `when`, press Ctrl-C (or `stop` it); its status and outputs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "torchdoctor", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **alone}, cwd=cwd, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not when() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        assert when(), "the stage was not reached"
        # A terminal sends Ctrl-C to every process of the foreground.
        stop = stop or (lambda started: os.killpg(started.pid, signal.SIGINT))
        stop(process)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, out, err


def test_ctrl_c_while_the_index_is_read(alone, official, bare, here):
    """Resolve: a page that never ends."""
    official.faults["/whl/torch/"] = Fault(status=200, body=b"x" * 2000, stall_after=100)
    status, _, err = interrupt(
        alone, ["install", here / "env", *bare], when=official.stalled.is_set, cwd=here
    )
    assert (status, "Traceback" in err) == (130, False), err
    nothing_left(here)


def test_ctrl_c_while_locking(alone, official, bare, here):
    """Lock: uv waits for an index that never answers."""
    official.faults["/simple/slow/"] = Fault(status=200, body=b"x" * 2000, stall_after=100)
    arguments = ["install", here / "env", *bare, "--with", "slow"]
    status, _, err = interrupt(alone, arguments, when=official.stalled.is_set, cwd=here)
    assert (status, "Traceback" in err) == (130, False), err
    nothing_left(here)


def test_a_terminated_run_takes_uv_along(alone, official, bare, here, tmp_path):
    """SIGTERM reaches our process alone, as from a scheduler: uv is stopped, and nothing is left."""
    official.faults["/simple/slow/"] = Fault(status=200, body=b"x" * 2000, stall_after=100)
    arguments = ["install", here / "env", *bare, "--with", "slow"]
    status, _, err = interrupt(
        {**alone, "TMPDIR": str(tmp_path)}, arguments, when=official.stalled.is_set, cwd=here,
        stop=lambda process: process.terminate(),
    )  # fmt: skip
    assert (status, "Traceback" in err) == (130, False), err
    nothing_left(here)
    assert not list(tmp_path.glob("torchdoctor-*"))
    running = [command_of(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [line for line in running if str(tmp_path).encode() in line]


def command_of(path):
    """What a process runs; nothing of one that has ended meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_ctrl_c_while_fetching(alone, official, bare, here, tmp_path):
    """Fetch: a wheel that stalls; nothing unfinished stays in the cache."""
    path = next(path for path in official.files if "/torch-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(stall_after=100)
    status, _, err = interrupt(
        alone, ["install", here / "env", *bare], when=official.stalled.is_set, cwd=here
    )
    assert (status, "Traceback" in err) == (130, False), err
    nothing_left(here)
    assert not list((tmp_path / "cache" / "wheels").rglob("torch-*.whl"))


def test_ctrl_c_while_installing(alone, official, bare, existing, here):
    """Install: the environment from before still works, and the half-made one is gone."""
    modules = {f"many/m{number}.py": "x = [\n" + "1,\n" * 400 + "]\n" for number in range(4000)}
    name, content = make_wheel("many", "1.0", tag="py3-none-any", modules=modules)
    official.add("/simple/many/", name, content)
    status, _, err = interrupt(
        alone,
        ["install", existing, *bare, "--with", "many"],
        when=lambda: any(here.glob(".env.torchdoctor-*-new-*/pyvenv.cfg")),
        cwd=here,
    )
    assert (status, "Traceback" in err) == (130, False), err
    assert sorted(path.name for path in here.iterdir()) == ["env"]
    assert own(existing) == f"1.0 {TORCH}+cpu"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_again_while_it_clears_up(alone, official, bare, here, number):
    """Who cannot wait and presses on: the half-made environment is gone all the same."""
    modules = {f"many/m{number}.py": "x = 1\n" for number in range(3000)}
    official.add("/simple/many/", *make_wheel("many", "1.0", tag="py3-none-any", modules=modules))

    def press_on(process):
        while process.poll() is None:
            process.send_signal(number)
            time.sleep(0.01)

    status, _, err = interrupt(
        alone,
        ["install", here / "env", *bare, "--with", "many"],
        when=lambda: any(here.glob(".env.torchdoctor-*-new-*/lib/python*/site-packages/many")),
        cwd=here,
        stop=press_on,
    )
    assert (status, "Traceback" in err) == (130, False), err
    assert list(here.iterdir()) == []


def test_ctrl_c_while_verifying(alone, official, bare, here, tag, tmp_path):
    """Verify: the environment is there already and stays."""
    flag = tmp_path / "reached"
    hang = f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(300)\n"
    name, content = make_wheel("torch", "2.13.0+cpu", tag=tag, modules={"torch/__init__.py": hang})
    official.pages.pop("/whl/cpu/torch/")
    official.add("/whl/cpu/torch/", name, content)
    arguments = ["install", here / "env", *(option for option in bare if option != "--no-verify")]
    status, _, err = interrupt(alone, arguments, when=flag.exists, cwd=here)
    assert (status, "Traceback" in err) == (130, False), err
    assert (here / "env" / "bin" / "python").exists()
