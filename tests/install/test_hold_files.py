"""The hold's lines in files of others: pip.conf and the activate scripts, in and out again byte by byte."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.install.hold.blocks import ChangedBlock
from torchdoctor.install.hold.model import PIP_HOLD_FILE, UV_HOLD_FILE, Hold, Variable, read_hold
from torchdoctor.install.hold.pip_conf import KEYS, hold_pip_conf, release_pip_conf
from torchdoctor.install.hold.scripts import hold_script, release_script
from torchdoctor.install.hold.write import HoldChange, change_hold, remove_hold

URL = "file:///home/ada/a%20b/.venv/torchdoctor-hold.txt"
CU126 = Hold(
    variant="cu126",
    caps=(("torch", "2.14.1"), ("torchvision", "0.29.1")),
    pip_lines=("--extra-index-url https://download.pytorch.org/whl/cu126",),
    uv_backend="cu126",
)
BACKEND = (Variable(name="UV_TORCH_BACKEND", value="cu126"),)
MIRROR = Hold(
    variant="cu126",
    caps=(("torch", "2.14.1"),),
    uv_lines=("--find-links https://mirror.example.org/cu126",),
)
ODD = "a b's $HOME!"  # of a folder: nothing of it means something to a shell
CONSTRAINT = MIRROR.variables(Path("/"))
CONFIGS = {
    "nothing": "",
    "no end of line": "[global]\nindex-url = https://example.org/simple",
    "own section": "[install]\nno-deps = false\n\n[global]\ntimeout = 60\n",
    "own constraint": "[install]\nconstraint = mine.txt\nno-deps = false\n",
    "own constraints": "# mine\n[install]\nconstraint =\n    mine.txt\n    other.txt\n\n[list]\nformat = columns\n",
    "empty constraint": "[install]\nconstraint =\n",
    "both": "[install]\nbuild_constraint: b.txt\nconstraint: a.txt",
    "Windows": "[install]\r\nconstraint = mine.txt\r\n; end\r\n",
}


def setting(text: str, key: str) -> list[str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    values = {name.replace("_", "-"): value for name, value in parser["install"].items()}
    return values[key].split()


@pytest.mark.parametrize("before", CONFIGS.values(), ids=CONFIGS)
def test_pip_conf_is_as_before_after_a_hold(before):
    """Whatever the user has in pip.conf, both settings name the hold, and releasing it gives the same bytes."""
    held = hold_pip_conf(before, URL, {})
    assert held is not None
    assert all(URL in setting(held, key) for key in KEYS)
    assert hold_pip_conf(held, URL, {}) == held
    assert release_pip_conf(held) == before


def test_own_constraints_stay_in_force():
    """pip takes one value of a key: the user's constraints are in it too, from this file or from others."""
    assert setting(hold_pip_conf(CONFIGS["own constraints"], URL, {}), "constraint") == [
        "mine.txt",
        "other.txt",
        URL,
    ]
    inherited = {"constraint": ("team.txt",)}
    held = hold_pip_conf("[global]\ntimeout = 60\n", URL, inherited)
    assert setting(held, "constraint") == ["team.txt", URL]
    assert setting(held, "build-constraint") == [URL]


def test_a_setting_that_is_added_behind_the_hold_stays_in_its_section():
    """A user who adds a setting below ours means `pip install`, also after the hold has gone."""
    held = hold_pip_conf("", URL, {}) + "no-deps = true\n"
    assert release_pip_conf(held) == "[install]\nno-deps = true\n"


def test_a_file_that_pip_config_wrote_anew_is_released():
    """`pip config set` drops comments, our marks too."""
    parser = configparser.RawConfigParser()
    parser.read_string(hold_pip_conf("[install]\nconstraint = mine.txt\n", URL, {}))
    parser.set("install", "timeout", "60")

    class Text(list):
        write = list.append

    text = Text()
    parser.write(text)
    released = release_pip_conf("".join(text))
    assert "torchdoctor" not in released
    assert setting(released, "constraint") == ["mine.txt"]
    assert setting(released, "timeout") == ["60"]


def test_a_file_that_pip_refuses_is_left_alone():
    """Two sections of one name: nothing that we add could be read."""
    assert hold_pip_conf("[install]\na = 1\n[install]\nb = 2\n", URL, {}) is None


def test_lines_that_somebody_changed_are_not_removed():
    """The user's change between our marks would be lost."""
    held = hold_pip_conf("", URL, {})
    with pytest.raises(ChangedBlock):
        release_pip_conf(held.replace(URL, f"{URL}\n    mine.txt"))


names = st.sampled_from(["install", "global", "list", "download"])
keys = st.sampled_from(["constraint", "build-constraint", "timeout", "index-url", "x"])
values = st.lists(st.sampled_from(["a.txt", "/b/c.txt", "https://example.org/c.txt", ""]), max_size=3)


@given(
    sections=st.dictionaries(names, st.dictionaries(keys, values, max_size=4), max_size=4),
    end=st.sampled_from(["\n", "\r\n"]),
    comment=st.sampled_from(["", "# mine", "; mine"]),
    cut=st.booleans(),
)
def test_any_pip_conf_comes_back(sections, end, comment, cut):
    """Each file that pip reads is held and comes back byte by byte, and holding it twice is holding it once."""
    lines = [comment] if comment else []
    for section, settings in sections.items():
        lines += [
            f"[{section}]",
            *(f"{key} = {(end + '    ').join(words)}" for key, words in settings.items()),
        ]
    before = end.join(lines) + ("" if cut or not lines else end)
    held = hold_pip_conf(before, URL, {})
    assert held is not None
    assert release_pip_conf(held) == before
    assert hold_pip_conf(held, URL, {}) == held
    for section, settings in sections.items():
        for key, words in settings.items():
            parser = configparser.RawConfigParser()
            parser.read_string(held)
            assert [word for word in parser[section][key].split() if word != URL] == " ".join(words).split()


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> dict[str, str]:
    """The activate scripts of uv, and of the standard library's venv where they have another form."""
    from uv import find_uv_bin

    folder = tmp_path_factory.mktemp("scripts")
    subprocess.run([find_uv_bin(), "venv", "-q", "--python", sys.executable, folder / "uv"], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    found = {}
    for place in ("uv", "venv"):
        for path in (folder / place / "bin").glob("*ctivate*"):
            if path.is_file() and not path.name.endswith((".py", ".xsh")):
                found[f"{place} {path.name}"] = path.read_bytes().decode()
    return found


@pytest.mark.process
@pytest.mark.parametrize("variables", [BACKEND, CONSTRAINT], ids=["backend", "constraint"])
def test_every_script_comes_back(scripts, variables):
    """Each script of uv and venv takes the variables, and is as before without them."""
    assert len(scripts) >= 11
    for name, text in scripts.items():
        file = name.partition(" ")[2]
        held = hold_script(file, text, variables)
        assert held is not None, name
        assert all(variable.name in held for variable in variables), name
        assert hold_script(file, held, variables) == held, name
        assert release_script(file, held) == text, name


def test_a_signed_script_is_left_alone():
    """A change would break the signature, and PowerShell may refuse to run it."""
    text = "function global:deactivate ([switch]$NonDestructive) {\n}\n# SIG # Begin signature block\n"
    assert hold_script("Activate.ps1", text, BACKEND) is None


@pytest.mark.process
@pytest.mark.parametrize("variables", [BACKEND, CONSTRAINT], ids=["backend", "constraint"])
def test_the_script_of_powershell_is_powershell(scripts, variables):
    """By its grammar: where there is no PowerShell, nothing can run it."""
    tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    for name in ("uv activate.ps1", "venv Activate.ps1"):
        before = parser.parse(scripts[name].encode()).root_node
        held = parser.parse(hold_script("activate.ps1", scripts[name], variables).encode()).root_node
        assert held.has_error == before.has_error, name


# Shell -> its script, and how it is read and a variable is set.
SHELLS = {
    "sh": ("activate", ".", "export {name}=old"),
    "bash": ("activate", ".", "export {name}=old"),
    "zsh": ("activate", ".", "export {name}=old"),
    "fish": ("activate.fish", "source", "set -gx {name} old"),
    "tcsh": ("activate.csh", "source", "setenv {name} old"),
}


@pytest.mark.process
@pytest.mark.parametrize("made_by", ["uv", "venv"])
@pytest.mark.parametrize("variable", [BACKEND[0], CONSTRAINT[0]], ids=["backend", "constraint"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_sets_the_variable_and_restores_it(shell, variable, made_by, scripts, tmp_path):
    """Activated twice, the variable has our value; deactivated, it has the old one, or is not there."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    file, source, export = SHELLS[shell]
    script = tmp_path / file
    if variable.added:
        (tmp_path / ODD).mkdir()
        (tmp_path / ODD / UV_HOLD_FILE).touch()
        variable = MIRROR.variables(tmp_path / ODD)[0]
    script.write_text(hold_script(file, scripts[f"{made_by} {file}"], (variable,)), "utf-8")
    show, activate = f"env | grep ^{variable.name}= || echo none", f"{source} {script}"
    first = [show, activate, activate, show, "deactivate", show]
    second = [export.format(name=variable.name), activate, show, "deactivate", show]
    # venv's script asks for the prompt, which only a terminal has.
    text = "\n".join([*(["set prompt='% '"] if shell == "tcsh" else []), *first, *second, ""])
    options = ["-f"] if shell in ("tcsh", "zsh") else []
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, *options], input=text, capture_output=True, text=True, env=environ, check=False, timeout=60
    )
    behind = f"old {variable.value}" if variable.added else variable.value
    values = ["none", variable.value, "none", behind, "old"]
    assert [line.rpartition("=")[2] for line in done.stdout.splitlines()] == values, done.stderr


@pytest.mark.process
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_sets_nothing_where_the_file_is_gone(shell, scripts, tmp_path):
    """uv would stop at a constraint that is missing: the user's own value stays, also after deactivating."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    file, source, export = SHELLS[shell]
    variables = MIRROR.variables(tmp_path / ODD)
    script = tmp_path / file
    script.write_text(hold_script(file, scripts[f"uv {file}"], variables), "utf-8")
    name = variables[0].name
    show = f"env | grep ^{name}= || echo none"
    text = "\n".join([export.format(name=name), f"{source} {script}", show, "deactivate", show, ""])
    done = subprocess.run(
        [program, *(["-f"] if shell in ("tcsh", "zsh") else [])],
        input=text, capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert [line.rpartition("=")[2] for line in done.stdout.splitlines()] == ["old", "old"], done.stderr


@pytest.mark.process
@pytest.mark.skipif(shutil.which("nu") is None, reason="nu is not installed")
@pytest.mark.parametrize("variable", [BACKEND[0], CONSTRAINT[0]], ids=["backend", "constraint"])
def test_nushell_sets_the_variable_and_hides_it(variable, scripts, tmp_path):
    """An overlay brings the variable and takes it along."""
    script = tmp_path / "activate.nu"
    if variable.added:
        (tmp_path / UV_HOLD_FILE).touch()
        variable = MIRROR.variables(tmp_path)[0]
    script.write_text(hold_script("activate.nu", scripts["uv activate.nu"], (variable,)), "utf-8")
    show = f"print $'[($env.{variable.name}? | default none)]'"
    text = f"overlay use {script}\n{show}\ndeactivate\n{show}\n"
    done = subprocess.run(["nu", "-n", "-c", text], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == [f"[{variable.value}]", "[none]"], done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are in another folder")
def test_a_hold_goes_in_and_out(tmp_path):
    """A folder with scripts and a pip.conf has the same bytes after hold and unhold; the hold is read back."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "activate"
    script.write_text("deactivate () {\n    unset VIRTUAL_ENV\n}\n", "utf-8")
    script.chmod(0o755)
    (tmp_path / "pip.conf").write_text("[install]\nconstraint = mine.txt", "utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    change = HoldChange(hold=CU126, inherited={})
    change_hold(tmp_path, tmp_path, change)
    assert read_hold(tmp_path) == CU126
    assert script.stat().st_mode & 0o777 == 0o755
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    change_hold(tmp_path, tmp_path, change)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == held
    written = remove_hold(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert "pip.conf" in written.changed


def files_and_links(folder: Path) -> dict[str, str]:
    return {
        path.name: f"-> {path.readlink()}" if path.is_symlink() else path.read_text("utf-8")
        for path in folder.iterdir()
    }


def test_pip_conf_of_the_hold_alone_is_a_link_that_leads_nowhere_after_a_move(tmp_path):
    """pip passes over it then; `hold` in the new place and `unhold` know it as ours, and doctor sees it."""
    folder = tmp_path / "old"
    folder.mkdir()
    change = HoldChange(hold=CU126, inherited={})
    change_hold(folder, folder, change)
    assert (folder / "pip.conf").readlink() == folder / PIP_HOLD_FILE
    assert "constraint" in (folder / "pip.conf").read_text("utf-8")
    assert "pip.conf" not in change_hold(folder, folder, change).changed
    moved = folder.rename(tmp_path / "new")
    assert not (moved / "pip.conf").exists()
    copied = shutil.copytree(moved, tmp_path / "copy", symlinks=True)
    assert "pip.conf" in change_hold(moved, moved, change).changed
    assert (moved / "pip.conf").readlink() == moved / PIP_HOLD_FILE
    for place in (moved, copied):
        remove_hold(place)
        assert files_and_links(place) == {}


def test_settings_that_pip_config_wrote_through_the_link_stay(tmp_path):
    """They are the user's: pip.conf becomes a file that has them, with the hold and without it."""
    change = HoldChange(hold=CU126, inherited={})
    change_hold(tmp_path, tmp_path, change)
    with (tmp_path / "pip.conf").open("a") as file:
        file.write("timeout = 60\n")
    change_hold(tmp_path, tmp_path, change)
    assert not (tmp_path / "pip.conf").is_symlink()
    assert setting((tmp_path / "pip.conf").read_text("utf-8"), "timeout") == ["60"]
    assert not (tmp_path / PIP_HOLD_FILE).exists()
    remove_hold(tmp_path)
    assert files_and_links(tmp_path) == {"pip.conf": "[install]\ntimeout = 60\n"}


def test_pip_conf_is_a_file_where_no_link_can_be_made(tmp_path, monkeypatch):
    """As on Windows without the privilege to make links."""

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    change_hold(tmp_path, tmp_path, HoldChange(hold=CU126, inherited={}))
    assert not (tmp_path / "pip.conf").is_symlink()
    assert "constraint" in (tmp_path / "pip.conf").read_text("utf-8")
    remove_hold(tmp_path)
    assert files_and_links(tmp_path) == {}


def test_a_link_is_not_followed(tmp_path):
    """A pip.conf that leads elsewhere is not this environment's to change."""
    target = tmp_path / "shared.conf"
    target.write_text("[global]\n", "utf-8")
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "pip.conf").symlink_to(target)
    written = change_hold(folder, folder, HoldChange(hold=CU126, inherited={}))
    assert "pip.conf" in written.left
    assert target.read_text("utf-8") == "[global]\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "torch<=2.0\n",
        "# torchdoctor-hold: [1]\ntorch<=2.0\n",
        '# torchdoctor-hold: {"variant": "$(x)"}\n',
    ],
)
def test_a_file_that_is_no_hold_is_none(tmp_path, text):
    """Somebody else's file of that name says nothing."""
    Path(tmp_path / "torchdoctor-hold.txt").write_text(text, "utf-8")
    assert read_hold(tmp_path) is None


def test_conda_sets_the_variable_itself(tmp_path):
    """A file for conda and mamba instead of changed scripts; pip reads pip.conf in the prefix as ever."""
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "activate").write_text("deactivate () {\n}\n", "utf-8")
    change_hold(tmp_path, tmp_path, HoldChange(hold=CU126, inherited={}))
    variables = tmp_path / "etc" / "conda" / "env_vars.d" / "torchdoctor-hold.json"
    assert json.loads(variables.read_text("utf-8")) == {"UV_TORCH_BACKEND": "cu126"}
    assert (tmp_path / "bin" / "activate").read_text("utf-8") == "deactivate () {\n}\n"
    assert (tmp_path / "torchdoctor-hold.txt").as_uri() in setting(
        (tmp_path / "pip.conf").read_text("utf-8"), "constraint"
    )
    remove_hold(tmp_path)
    assert not variables.exists()


@pytest.mark.process
@pytest.mark.parametrize(
    "value", ["torchdoctor-hold.txt", "${VIRTUAL_ENV}/torchdoctor-hold.txt", "%(here)s/torchdoctor-hold.txt"]
)
def test_pip_has_no_setting_that_names_a_file_beside_it(value, tmp_path):
    """A path is from the current folder, and no variable is replaced: a full path is all that can be written."""
    (tmp_path / "pip.conf").write_text(f"[install]\nconstraint = {value}\n", "utf-8")
    (tmp_path / "torchdoctor-hold.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    environ = {**os.environ, "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "VIRTUAL_ENV": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "pip"],
        env=environ, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "Could not open" in ran.stderr
    assert repr(value) in ran.stderr
