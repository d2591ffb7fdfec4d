"""add, list, check, repair and remove as a person types them, on the real torch and on broken specs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import TORCH, run_torchdoctor
from tests.kernel.test_start import gone
from torchdoctor.cli.jupyter_kernel import default_kernel_name

pytestmark = pytest.mark.process


def kernel(*arguments, **more):
    """`torchdoctor jupyter-kernel ...`."""
    return run_torchdoctor("jupyter-kernel", *arguments, **more)


def ipykernel_spec(python, **more):
    """A spec as ipykernel writes it."""
    argv = [str(python), "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return {"argv": argv, "display_name": "Mine", "language": "python", **more}


def rows(**more):
    """What `list --json` says, by name."""
    ran = kernel("list", "--json", **more)
    assert ran.status == 0, ran.err
    return {row["name"]: row for row in ran.json["kernels"]}


def test_add_writes_a_whole_spec_with_logo_and_variables(demo, real):
    """What front ends read: command, menu entry, variables, logos; nothing of ours is left beside it."""
    spec = json.loads((demo / "kernel.json").read_text("utf-8"))
    assert spec["argv"][0] == str(real.python)
    assert spec["display_name"] == f"Python (PyTorch {TORCH} cpu)"
    assert spec["env"] == {"TD_MARK": "it is set"}
    assert spec["metadata"]["debugger"] is True
    assert {path.name for path in demo.iterdir()} == {
        "kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg",
    }  # fmt: skip
    assert b"torchdoctor" in (demo / "logo-svg.svg").read_bytes()
    assert [path.name for path in demo.parent.iterdir()] == ["demo"]


def test_a_second_kernel_of_the_same_torch_has_a_name_of_its_own_in_the_menu(demo, real):
    """Two environments with one build would look the same there; added again under its name, it keeps its entry."""
    for _ in range(2):
        ran = kernel("add", real.folder, "--name", "other", "--json")
        assert ran.status == 0, ran.out
        spec = json.loads((demo.parent / "other" / "kernel.json").read_text("utf-8"))
        assert spec["display_name"] == f"Python (PyTorch {TORCH} cpu), other"
    assert kernel("remove", "other", "--yes").status == 0


def test_list_shows_its_torch_and_its_build(demo, real):
    """Read from files; the GPU is the one here that the build uses."""
    row = rows()["demo"]
    assert (row["torch"], row["variant"], row["gpus"]) == (f"{TORCH}+cpu", "cpu", [])
    assert (row["healthy"], row["python"], row["environment"]) == (True, str(real.python), str(real.folder))
    shown = kernel("list").out
    assert f"{TORCH}+cpu (cpu)" in shown
    assert "none that a cpu build uses" in shown


def test_check_runs_its_cells(demo, real):
    """Import, device, a tensor on it, and the Python that was meant."""
    ran = kernel("check", "DEMO", "--json")
    assert ran.status == 0, ran.out
    assert [(row["id"], row["status"]) for row in ran.json["checks"]] == [
        ("start", "pass"), ("python", "pass"), ("import", "pass"), ("device", "pass"), ("tensor", "pass"),
    ]  # fmt: skip
    said = {row["id"]: row["detail"] for row in ran.json["checks"]}
    assert str(real.python) in said["python"]
    assert f"torch {TORCH}+cpu" in said["import"]


def test_check_names_a_kernel_that_runs_another_python(demo, tmp_path):
    """Its command is a wrapper that lies where one environment is and starts another."""
    fake = tmp_path / "fake"
    (fake / "bin").mkdir(parents=True)
    document = json.loads((demo / "kernel.json").read_text("utf-8"))
    wrapper = fake / "bin" / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{document["argv"][0]}" "$@"\n')
    wrapper.chmod(0o755)
    document["argv"][0] = str(wrapper)
    (demo / "kernel.json").write_text(json.dumps(document))
    ran = kernel("check", "demo", "--json")
    assert ran.status == 1, ran.out
    (row,) = [row for row in ran.json["checks"] if row["status"] == "fail"]
    assert row["id"] == "python"
    assert f"instead of {fake}" in row["detail"]


def test_check_names_a_kernel_that_dies_at_the_import(demo, tmp_path):
    """The process is gone while the cell runs: said at once, with where."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    script = (
        "import sys, os\nclass Kill:\n def find_spec(self, name, *rest):\n"
        "  if name == 'torch': os._exit(7)\nsys.meta_path.insert(0, Kill())\n"
    )
    (startup / "00-kill.py").write_text(script)
    ran = kernel("check", "demo", "--json")
    assert ran.status == 1
    status = {row["id"]: row["status"] for row in ran.json["checks"]}
    assert status == {"start": "pass", "python": "pass", "import": "fail", "device": "skip", "tensor": "skip"}
    assert "status 7" in next(row["detail"] for row in ran.json["checks"] if row["id"] == "import")


def test_garbage_printed_at_the_start_of_a_good_kernel_is_no_harm(demo, tmp_path):
    """What a startup file prints is not an answer."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-noise.py").write_text("print('{\"event\": \"end\"}\\n' * 999)\n_answer = 'garbage'\n")
    assert kernel("check", "demo").status == 0


def test_a_place_can_be_chosen(real, jupyter, tmp_path):
    """--prefix for the Jupyter of another environment; a name in upper case becomes what Jupyter makes of it."""
    ran = kernel(real.folder, "--name", "There", "--prefix", tmp_path / "other", "--json")
    assert ran.status == 0, ran.out
    assert ran.json["kernel"]["folder"] == str(tmp_path / "other/share/jupyter/kernels/there")
    assert "there" not in rows()
    assert "there" in rows(environ={"JUPYTER_PATH": str(tmp_path / "other/share/jupyter")})
    assert not jupyter.exists()
    ran = kernel(real.folder, "--name", "x", "--prefix", tmp_path, "--sys-prefix")
    assert ran.status == 2


def test_a_name_that_another_spec_has_is_left_alone(real, put_spec):
    """Also one that cannot be read, and Jupyter's own."""
    folder = put_spec("taken", "{ not json")
    for name in ("taken", "python3"):
        ran = kernel(real.folder, "--name", name, "--json")
        assert (ran.status, ran.json["error"]["kind"]) == (2, "kernel-exists")
    assert (folder / "kernel.json").read_text() == "{ not json"


def test_a_kernel_that_was_not_named_is_not_replaced_by_yes(real, put_spec):
    """The name that is made from the environment's may be another's: --yes alone leaves it alone."""
    name = default_kernel_name(real.folder)
    folder = put_spec(name, json.dumps(ipykernel_spec("/theirs/bin/python")))
    ran = kernel(real.folder, "--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "kernel-exists")
    assert "/theirs/bin/python" in (folder / "kernel.json").read_text()


def test_a_spec_in_a_place_where_jupyter_does_not_look_is_left_alone_too(real, jupyter, tmp_path):
    """--prefix names an environment of others, which has a kernel of that name."""
    folder = tmp_path / "other" / "share" / "jupyter" / "kernels" / "demo"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(ipykernel_spec("/theirs/bin/python")))
    ran = kernel(real.folder, "--name", "demo", "--prefix", tmp_path / "other", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "kernel-exists")
    assert "/theirs/bin/python" in (folder / "kernel.json").read_text()


def test_a_spec_that_is_replaced_keeps_what_is_not_ours(real, put_spec):
    """--yes takes the name; another's file beside it stays, and so does the broken spec."""
    folder = put_spec("taken", "{ not json")
    (folder / "notes.txt").write_text("mine")
    assert kernel(real.folder, "--name", "taken", "--yes").status == 0
    assert json.loads((folder / "kernel.json").read_text("utf-8"))["argv"][0] == str(real.python)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "kernel.json.broken").read_text() == "{ not json"


def test_registering_an_environment_again_keeps_what_its_owner_changed(demo, real):
    """A logo of one's own, an option and a variable stay; a variable that is named now is added."""
    document = json.loads((demo / "kernel.json").read_text("utf-8"))
    document["argv"].append("--IPKernelApp.trio_loop=False")
    (demo / "kernel.json").write_text(json.dumps(document), "utf-8")
    (demo / "logo-64x64.png").write_bytes(b"mine")
    assert kernel(real.folder, "--name", "demo", "--env", "MORE=1").status == 0
    again = json.loads((demo / "kernel.json").read_text("utf-8"))
    assert again["argv"] == document["argv"]
    assert again["env"] == {"TD_MARK": "it is set", "MORE": "1"}
    assert (demo / "logo-64x64.png").read_bytes() == b"mine"


@pytest.mark.parametrize("place", ["/proc/jupyter", "a-file"])
def test_a_jupyter_folder_that_cannot_be_written_to_is_named(real, jupyter, tmp_path, place):
    """Before anything is started or installed; nothing is lost."""
    (tmp_path / "a-file").write_text("mine")
    ran = kernel(real.folder, "--name", "x", "--json", environ={"JUPYTER_DATA_DIR": str(tmp_path / place)})
    assert ran.status == 1
    assert ran.json["error"]["kind"] == "kernel-folder"
    assert "--sys-prefix" in ran.json["error"]["fix"]
    assert (tmp_path / "a-file").read_text() == "mine"


@pytest.mark.parametrize(
    "words", [["--env", "nothing"], ["--display-name", "a\nb"], ["--name", "🔥"]], ids=ascii
)
def test_bad_words_are_wrong_usage(real, jupyter, words):
    """Said before anything happens."""
    assert kernel(real.folder, *words).status == 2
    assert not jupyter.exists()


def test_remove_asks_and_takes_only_the_spec(demo, real):
    """Without a terminal nobody can say yes; --yes does, and the environment stays."""
    ran = kernel("remove", "demo", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "not-confirmed")
    assert demo.exists()
    ran = kernel("remove", "demo", "--yes", "--json")
    assert ran.status == 0, ran.out
    assert not demo.exists()
    assert list(demo.parent.iterdir()) == []
    assert real.python.exists()


@pytest.mark.parametrize("answer", ["n", "y"])
def test_on_a_terminal_remove_asks_and_does_as_it_is_told(put_spec, answer):
    """The question names the kernel and its folder."""
    pexpect = pytest.importorskip("pexpect")
    folder = put_spec("mine", ipykernel_spec(sys.executable))
    words = ["-m", "torchdoctor", "jupyter-kernel", "remove", "mine"]
    typed = pexpect.spawn(sys.executable, words, timeout=60, encoding="utf-8", dimensions=(24, 400))
    typed.expect_exact(f"Remove the kernel mine ({folder})?")
    typed.sendline(answer)
    typed.expect(pexpect.EOF)
    typed.close()
    assert typed.exitstatus == (0 if answer == "y" else 5)
    assert folder.exists() is (answer == "n")


def test_removing_a_link_leaves_what_it_leads_to(jupyter, put_spec, tmp_path):
    """Someone develops a kernel elsewhere."""
    folder = put_spec("mine", ipykernel_spec(sys.executable))
    shutil.move(folder, tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert kernel("remove", "mine", "--yes").status == 0
    assert not folder.is_symlink()
    assert (tmp_path / "elsewhere" / "kernel.json").exists()


@pytest.mark.parametrize("what", ["check", "remove", "repair"])
def test_a_mistyped_name_offers_the_nearest(put_spec, what):
    """Wrong usage, with the name that was meant."""
    put_spec("vision", ipykernel_spec(sys.executable))
    ran = kernel(what, "visoin", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "no-kernel")
    assert "did you mean vision?" in ran.json["error"]["message"]


def test_a_broken_spec_is_listed_with_where_it_breaks_off(put_spec):
    """Line and column, and neither a traceback nor a terminal's escapes."""
    put_spec("bad", '{"argv": [\n  oops')
    put_spec("odd", json.dumps({"argv": ["/gone/\x1b[2Jpython", "x"], "display_name": "\x1b[31mred"}))
    ran = kernel("list")
    assert ran.status == 0
    assert "line 2, column 3" in ran.out
    assert "\x1b" not in ran.out
    assert kernel("check", "bad").status == 1


def test_the_last_words_of_a_kernel_cannot_steer_the_terminal(put_spec):
    """What it prints before it dies is shown without its escapes."""
    script = "print('\\x1b[2J\\x1b]0;title\\x07last words'); raise SystemExit(4)"
    put_spec("loud", {"argv": [sys.executable, "-c", script], "display_name": "Loud", "language": "python"})
    ran = kernel("check", "loud")
    assert ran.status == 1
    assert "last words" in ran.out
    assert "\x1b" not in ran.out + ran.err


def test_repair_points_a_kernel_whose_environment_is_gone_at_another(real, put_spec):
    """Its name, menu entry and variables stay; without a yes nothing changes."""
    folder = put_spec("old", ipykernel_spec("/gone/bin/python", env={"A": "1"}))
    before = (folder / "kernel.json").read_text()
    ran = kernel("repair", "old", real.folder, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "not-confirmed")
    assert (folder / "kernel.json").read_text() == before
    ran = kernel("repair", "old", real.folder, "--yes", "--json")
    assert ran.status == 0, ran.out
    spec = json.loads((folder / "kernel.json").read_text("utf-8"))
    assert (spec["argv"][0], spec["display_name"], spec["env"]) == (str(real.python), "Mine", {"A": "1"})
    assert rows()["old"]["healthy"]


def test_repair_writes_a_broken_spec_anew_and_keeps_it(real, put_spec):
    """Nothing is lost: what was there lies beside it."""
    folder = put_spec("bad", "{ half")
    assert kernel("repair", "bad", real.folder, "--yes").status == 0
    assert (folder / "kernel.json.broken").read_text() == "{ half"
    assert rows()["bad"]["torch"] == f"{TORCH}+cpu"


def test_repair_without_an_environment_to_run_says_what_to_name(put_spec, tmp_path):
    """It does not guess."""
    put_spec("old", ipykernel_spec("/gone/bin/python"))
    ran = kernel("repair", "old", "--yes", "--json", cwd=tmp_path)
    assert (ran.status, ran.json["error"]["kind"]) == (2, "no-environment")
    assert "repair old ENV" in ran.json["error"]["fix"]


def test_repair_does_not_point_a_kernel_of_ours_at_an_environment_without_torch(demo, tmp_path):
    """The active one happens to be active; named, it is what somebody wants."""
    document = json.loads((demo / "kernel.json").read_text("utf-8"))
    document["argv"][0] = "/gone/bin/python"
    (demo / "kernel.json").write_text(json.dumps(document))
    plain = tmp_path / "plain"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", plain], check=True)
    ran = kernel("repair", "demo", "--yes", "--json", environ={"VIRTUAL_ENV": str(plain)}, cwd=tmp_path)
    assert (ran.status, ran.json["error"]["kind"]) == (2, "no-torch")
    assert str(plain) in ran.json["error"]["message"]
    assert "repair demo ENV" in ran.json["error"]["fix"]
    assert json.loads((demo / "kernel.json").read_text("utf-8")) == document


def test_repair_leaves_a_well_kernel_alone(demo):
    """Nothing to do, and the cells show it."""
    before = (demo / "kernel.json").read_text()
    ran = kernel("repair", "demo")
    assert ran.status == 0, ran.err
    assert "nothing to repair" in ran.out
    assert (demo / "kernel.json").read_text() == before


def test_repair_does_not_touch_another_language(put_spec):
    """Only the IPython kernel is ours to mend."""
    argv = ["/gone/R", "--slave", "-e", "IRkernel::main()"]
    put_spec("ir", {"argv": argv, "display_name": "R", "language": "R"})
    ran = kernel("repair", "ir", "--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (1, "other-kernel")


def test_a_moved_environment_and_one_without_ipykernel_are_repaired(jupyter, tmp_path):
    """Its own spec still names the old place; then ipykernel is taken out, and comes back by the same lock."""
    made, moved = tmp_path / "made", tmp_path / "moved"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    folder = made / "share" / "jupyter" / "kernels" / "own"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(ipykernel_spec(made / "bin" / "python")))
    made.rename(moved)
    active = {"VIRTUAL_ENV": str(moved), "TORCHDOCTOR_CACHE_DIR": str(tmp_path / "cache")}
    assert rows(environ=active)["own"]["problem"]["kind"] == "python-gone"
    # It has no ipykernel either: that comes first, then the spec.
    ran = kernel("repair", "own", "--yes", "--json", environ=active)
    row = rows(environ=active)["own"]
    assert row["healthy"], ran.out + ran.err
    assert row["python"] == str(moved / "bin" / "python")
    # There is no torch in it: that it starts, and with the Python meant, is all that can be shown.
    assert ran.status == 0
    assert [(row["id"], row["status"]) for row in ran.json["checks"]] == [
        ("start", "pass"),
        ("python", "pass"),
    ]
    site = next((moved / "lib").glob("python3*/site-packages"))
    for path in site.glob("ipykernel*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert rows(environ=active)["own"]["problem"]["kind"] == "no-ipykernel"
    ran = kernel("repair", "own", "--yes", "--json", environ=active)
    assert "ipykernel was installed" in ran.json["did"]
    assert rows(environ=active)["own"]["healthy"]


def test_a_kernel_of_nb_conda_kernels_is_read_only_and_explained(put_spec, tmp_path):
    """There is no spec of it to change: what to do instead is said."""
    argv = ["python", "-m", "nb_conda_kernels.runner", "/conda", str(tmp_path / "deep"), "python"]
    put_spec("conda-env-deep-py", {"argv": argv, "display_name": "deep", "language": "python"})
    (tmp_path / "deep" / "bin").mkdir(parents=True)
    (tmp_path / "deep" / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    for what in ("remove", "repair"):
        ran = kernel(what, "conda-env-deep-py", "--yes", "--json")
        assert (ran.status, ran.json["error"]["kind"]) == (2, "nb-conda-kernels")
        assert f"conda remove -p {tmp_path / 'deep'}" in ran.json["error"]["fix"]


def test_ipykernel_is_not_installed_beside_an_environment(jupyter, put_spec):
    """The Python of the system is not ours to change."""
    outer = Path(sys.base_prefix) / "bin" / "python3"
    put_spec("outer", {**ipykernel_spec(outer), "argv": [str(outer), "-m", "ipykernel_launcher"]})
    if rows()["outer"]["ipykernel"] is not None:
        pytest.skip("the outer Python has ipykernel")
    ran = kernel("repair", "outer", "--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "not-a-venv")


def test_a_mistyped_command_offers_the_nearest(jupyter, tmp_path):
    """A word that is neither a command nor an environment."""
    ran = kernel("lsit", cwd=tmp_path)
    assert ran.status == 2
    assert "Did you mean list?" in ran.err


def test_install_says_that_a_kernel_name_is_taken_before_it_fetches_anything(put_spec, tmp_path):
    """Nobody waits for gigabytes to hear it."""
    put_spec("taken", ipykernel_spec(sys.executable))
    words = ["--kernel-name", "taken", "--json", "--index-url", "http://127.0.0.1:9/simple"]
    ran = run_torchdoctor("install", tmp_path / "env", *words)
    assert (ran.status, ran.json["error"]["kind"]) == (2, "kernel-exists")
    assert not (tmp_path / "env").exists()


def test_a_check_that_is_interrupted_leaves_no_kernel_behind(put_spec, tmp_path):
    """Ctrl-C while the kernel hangs: exit status 130, and its process is gone."""
    script = (
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(3600)"
    )
    put_spec("slow", {"argv": [sys.executable, "-c", script], "display_name": "Slow", "language": "python"})
    process = subprocess.Popen([sys.executable, "-m", "torchdoctor", "jupyter-kernel", "check", "slow"])
    for _ in range(600):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert gone(tmp_path)


def test_a_check_of_a_kernel_without_torch_says_how_to_install_it(put_spec):
    """The most common notebook error, with the environment that lacks it."""
    put_spec("bare", ipykernel_spec(sys.executable))
    ran = kernel("check", "bare")
    assert ran.status == 1
    assert "No module named 'torch'" in ran.out
    assert f"torchdoctor install {sys.prefix}" in ran.out
