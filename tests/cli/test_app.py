"""The program as a person meets it: start-up, help, mistakes, an empty machine."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys

import click
import pytest

from torchdoctor._version import __version__
from torchdoctor.cli.app import cli
from torchdoctor.cli.commands import COMMANDS, sections
from torchdoctor.cli.options import AsTyped
from wheels_index import vendor_names


@pytest.mark.process
def test_the_command_line_starts_without_what_only_commands_need():
    """Start-up is click's own: no HTTP, tables, templates, driver library or torch."""
    heavy = ["requests", "rich", "jinja2", "pynvml", "torch", "packaging", "truststore", "uv", "filelock"]
    code = f"import sys, torchdoctor.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_script_and_the_module_are_the_same_program(torchdoctor):
    """`torchdoctor` and `python -m torchdoctor` both say the version."""
    assert torchdoctor("--version").out.strip() == f"torchdoctor {__version__}"


def _every_command():
    """Each command and group with how it is typed, the groups' commands too."""

    def walk(path, command):
        yield path, command
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(f"{path} {name}", inner)

    yield "torchdoctor", cli
    for name, module in COMMANDS.items():
        yield from walk(f"torchdoctor {name}", importlib.import_module(module).command)


EVERY_COMMAND = dict(_every_command())


@pytest.mark.parametrize("path", EVERY_COMMAND)
def test_every_help_has_an_example_and_a_whole_line(path):
    """How it is typed; and what it does, in a line that no list has to cut."""
    command = EVERY_COMMAND[path]
    examples = command.help.partition("\b\n")[2].split("\n\n")[0]
    assert path in examples
    assert path == "torchdoctor" or command.short_help


@pytest.mark.parametrize("path", EVERY_COMMAND)
def test_every_variable_is_named_as_its_option_is_typed(path):
    """The parameter is called so too, or the option says that it is not."""
    options = [row for row in EVERY_COMMAND[path].params if isinstance(row, click.Option)]
    typed = {row.name: max(row.opts, key=len).lstrip("-").replace("-", "_") for row in options}
    assert [row.name for row in options if row.name != typed[row.name] and not isinstance(row, AsTyped)] == []


@pytest.mark.parametrize(
    "words",
    [
        ("cache", "--lang", "zh", "info"),
        ("index", "--lang=zh", "show"),
        ("jupyter-kernel", "--lang", "zh", "list"),
    ],
)
def test_a_group_takes_the_language_too(torchdoctor, words):
    """As every command does, wherever it stands."""
    ran = torchdoctor(*words)
    assert (ran.status, "--lang" in torchdoctor(words[0], "--help").out) == (0, True), ran.err
    assert re.search("[\u4e00-\u9fff]", ran.out)


def test_what_stands_before_an_environment_is_no_environment(torchdoctor, tmp_path):
    """`jupyter-kernel --json ENV` still means add."""
    ran = torchdoctor("jupyter-kernel", "-q", "--json", tmp_path / "nothing")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "environment")


def test_a_mistyped_command_offers_the_nearest(torchdoctor):
    """Wrong usage, with the word that was meant."""
    ran = torchdoctor("instal")
    assert ran.status == 2
    assert "Did you mean install?" in ran.err


def test_without_an_environment_the_fix_is_to_make_one(torchdoctor):
    """verify has nothing to prove: 2, and the command that makes an environment."""
    ran = torchdoctor("verify", "--json", VIRTUAL_ENV="", CONDA_PREFIX="")
    assert ran.status == 2
    assert "torchdoctor install" in ran.json["error"]["fix"]


def test_an_environment_without_torch_fails_the_first_check(torchdoctor, tmp_path):
    """verify on a bare venv: the import check fails and names the fix, the others are skipped."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    ran = torchdoctor("verify", tmp_path / "bare", "--json")
    assert ran.status == 1
    checks = {row["id"]: row for row in ran.json["checks"]}
    assert checks["import"]["status"] == "fail"
    assert "torchdoctor install" in checks["import"]["detail"]
    assert {row["status"] for name, row in checks.items() if name != "import"} == {"skip"}


def test_a_kernel_for_an_environment_without_torch_is_refused(torchdoctor, tmp_path):
    """A kernel that cannot import torch would only move the error into the notebook."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    ran = torchdoctor("jupyter-kernel", tmp_path / "bare", "--name", "x", "--json")
    assert ran.status == 2
    assert ran.json["error"]["kind"] == "no-torch"


@pytest.mark.parametrize("name", ["a b", "../up", "x/y", "名字", "", "n" * 300, ".."])
def test_a_kernel_name_that_jupyter_would_not_take_is_refused(torchdoctor, name, tmp_path):
    """Spaces, slashes, other scripts and endless names."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    ran = torchdoctor("jupyter-kernel", tmp_path / "bare", f"--name={name}", "--json")
    assert ran.status == 2
    assert not list((tmp_path / "home").rglob("kernel.json"))


def test_the_doctor_looks_at_a_machine_that_has_nothing_yet(torchdoctor):
    """No torch anywhere: what would fit, and the command that installs it."""
    ran = torchdoctor(VIRTUAL_ENV="", CONDA_PREFIX="")
    assert ran.status == 0, ran.err
    assert "torchdoctor install" in ran.out
    assert "fits" in ran.out


def test_resolve_reads_another_machine(torchdoctor, tmp_path):
    """The plan for a described machine, as contract JSON."""
    machine = {
        "os": "windows", "os_version": "11", "arch": "x86_64", "libc": None, "wsl": False, "container": None,
        "python": {"implementation": "cpython", "version": "3.12.4", "free_threaded": False, "bits": 64},
        "nvidia": {"driver": "551.61", "gpus": [
            {"name": "NVIDIA GeForce RTX 4090", "compute_capability": "8.9", "memory_mib": 24564}]},
        "amd": None, "intel": None, "apple": None,
    }  # fmt: skip
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(machine))
    ran = torchdoctor("resolve", "--machine", file, "--torch", "2.4.1", "--variant", "cu124", "--json")
    assert ran.status == 0, ran.out
    assert [row["filename"] for row in ran.json["packages"]] == [
        "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl",
        "torchvision-0.19.1+cu124-cp312-cp312-win_amd64.whl",
        "torchaudio-2.4.1+cu124-cp312-cp312-win_amd64.whl",
    ]
    assert all(len(row["sha256"]) == 64 for row in ran.json["packages"])
    assert ran.json["index_url"] == "https://download.pytorch.org/whl/cu124"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"os": "plan9"}', "[" * 100_000])
def test_a_machine_file_that_is_none_is_wrong_usage(torchdoctor, tmp_path, text):
    """Rubbish in a machine file is named, not crashed on."""
    file = tmp_path / "machine.json"
    file.write_text(text)
    ran = torchdoctor("resolve", "--machine", file, "--json")
    assert ran.status == 2, ran.out
    assert ran.json["error"]["fix"]


@pytest.mark.process
def test_output_that_nobody_reads_is_no_traceback(alone):
    """`torchdoctor --help | head -1` closes the pipe early."""
    script = f"'{sys.executable}' -m torchdoctor install --help | head -c 1"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **alone},
        check=False,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("command", ["verify --list", "install --help", "index mirrors --help"])
def test_a_reader_that_goes_away_is_no_failure(alone, command):
    """`torchdoctor verify | head -1` under `set -o pipefail`."""
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m torchdoctor {command} | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **alone},
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_an_option_without_its_value_names_the_help_of_its_command(torchdoctor):
    """click does not say whose option it is."""
    ran = torchdoctor("install", "--torch")
    assert ran.status == 2
    assert "see `torchdoctor install --help`" in ran.err


@pytest.mark.parametrize(("command", "name"), [("verify", "tpu"), ("bench", "3x"), ("verify", "cpu,rocm")])
def test_what_names_no_device_is_wrong_usage(torchdoctor, command, name):
    """Before any check runs, and before an environment is looked for."""
    ran = torchdoctor(command, "--device", name, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "device")
    assert name.rpartition(",")[2] in ran.json["error"]["message"]


@pytest.mark.parametrize(("command", "option"), [("install", "--kernel-name"), ("jupyter-kernel", "--name")])
def test_a_kernel_name_is_refused_with_the_option_of_its_command(torchdoctor, command, option):
    """The fix can be typed as it stands."""
    ran = torchdoctor(command, option, "a b", "--json")
    assert (ran.status, ran.json["error"]["fix"]) == (2, f"choose another with {option}")


def test_the_help_names_each_vendor():
    """A vendor is a row of data; the help is written before the data is read."""
    command = importlib.import_module(COMMANDS["install"]).command
    (option,) = (row for row in command.params if row.name == "vendor")
    assert set(re.findall(r"[a-z]+(?:-jp\d)?", option.help.partition(": ")[2])) == set(vendor_names())


def test_the_help_has_every_command_once_under_what_one_wants(in_process):
    """A list of twenty-three names is read by nobody."""
    names = [name for names in sections().values() for name in names]
    assert sorted(names) == sorted(COMMANDS)
    shown = in_process("--help").out
    assert all(f"\n{title}:\n" in shown for title in sections())
    listed = re.findall(r"^  ([a-z-]+)  +\S", shown.partition("\nInstall and change:\n")[2], re.MULTILINE)
    assert listed == names
