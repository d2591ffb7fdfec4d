"""The JSON page shows what each command writes: the same keys, all the way down."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.binaries import fatbin, make_elf
from tests.install.conftest import TORCH, bare, official, tag
from tests.wheelmaker import make_wheel
from torchdoctor.cli.commands import COMMANDS

__all__ = ["bare", "official", "tag"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
SCHEMAS = Path(__file__).parents[2] / "torchdoctor" / "schemas"
EXAMPLES = {
    title.strip("`").removeprefix("torchdoctor "): json.loads(text)
    for title, text in re.findall(
        r"^## ([^\n]+)\n(?:(?!## |```).*\n)*```json\n((?:(?!```).*\n)*)",
        PAGE.read_text("utf-8"),
        re.MULTILINE,
    )
}
TOO_OLD = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
# What needs neither an environment nor a network.
ALONE = {
    "A command that failed": ("verify", "/nowhere"),
    "doctor --all": ("doctor", "--all"),
    "doctor --list-checks": ("doctor", "--list-checks"),
    "resolve": ("resolve", "--platform", "win_amd64", "--driver", "551.61", "--gpu", "RTX 4090"),
    "project DIR": ("project", "course", "--variant", "cpu", "--yes"),
    "verify --list": ("verify", "--list"),
    "bench --list": ("bench", "--list"),
    "diagnose FILE": ("diagnose", "log.txt"),
    "explain": ("explain",),
    "explain ID": ("explain", "driver-too-old"),
    "index show": ("index", "show", "--torch", "2.9.1"),
    "index mirrors": ("index", "mirrors", "--no-measure"),
    "index inspect": ("index", "inspect", "ext-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
    "cache info": ("cache", "info"),
    "cache clean": ("cache", "clean"),
    "config set KEY VALUE": ("config", "set", "install.mirror", "nju"),
    "config": ("config",),
}
# What is shown of an environment, one after the other.
INSTALLED = {
    "doctor": ("doctor", "{env}", "--no-network"),
    "verify": ("verify", "{env}", "--only", "numpy"),
    "bench": ("bench", "{env}", "--quick", "--only", "matmul-one-thread"),
    "report": ("report", "{env}"),
    "restore": ("restore", "{env}", "--dry-run"),
    "unhold": ("unhold", "{env}"),
    "hold": ("hold", "{env}", "--offline"),
    "jupyter-kernel add": ("jupyter-kernel", "{env}", "--name", "shown", "--offline"),
    "jupyter-kernel list": ("jupyter-kernel", "list"),
    "jupyter-kernel check NAME": ("jupyter-kernel", "check", "shown"),
    "jupyter-kernel repair NAME": ("jupyter-kernel", "repair", "shown"),
    "jupyter-kernel remove NAME": ("jupyter-kernel", "remove", "shown", "--yes"),
    "remove": ("remove", "{env}", "--dry-run"),
}
SERVED = {
    "install": ("install", "made"),
    "download DIR": ("download", "carried"),
}  # fmt: skip


def _schema_name(title):
    """`jupyter-kernel check NAME` is described by jupyter-kernel-check.json."""
    if title == "A command that failed":
        return "error"
    words = [word.lstrip("-") for word in title.split() if not word.isupper() or word == "ID"]
    return "-".join(words).lower()


def check(title, written):
    """The keys of the example, and the published schema."""
    agree(EXAMPLES[title], written, title)
    jsonschema.validate(written, json.loads((SCHEMAS / f"{_schema_name(title)}.json").read_text("utf-8")))


def agree(shown, written, path="$"):
    """The same keys; a null or a sentence on either side stands for what is not looked into."""
    if isinstance(shown, dict) and isinstance(written, dict):
        missing, new = shown.keys() - written.keys() - {"…"}, written.keys() - shown.keys()
        assert not missing, f"{path} is not written: {missing}"
        assert not new or "…" in shown, f"{path} is not shown: {new}"
        for key in shown.keys() & written.keys():
            agree(shown[key], written[key], f"{path}.{key}")
    elif isinstance(shown, list) and isinstance(written, list):
        for row in written[:3] if shown else ():
            agree(shown[0], row, f"{path}[]")
    else:
        kinds = {type(shown), type(written)}
        loose = {type(None), str} & kinds or kinds <= {int, float}
        assert loose or len(kinds) == 1, f"{path}: {kinds}"


def test_every_command_has_its_section():
    """But those that print a script or help, and four that need an index, which have tests of their own."""
    tested = {*ALONE, *INSTALLED, *SERVED, "add", "index update", "undo", "upgrade"}
    assert set(EXAMPLES) == tested
    assert {name.split()[0] for name in tested if name[0].islower()} == set(COMMANDS) - {"completion", "help"}


def test_what_needs_nothing(torchdoctor, tmp_path):
    """Commands that look at nothing but themselves."""
    (tmp_path / "work" / "log.txt").write_text(TOO_OLD, "utf-8")
    library = make_elf(needed=("libc10.so", "libcudart.so.13"), sections={".nv_fatbin": fatbin("sm_90")})
    name, content = make_wheel("ext", "1.0", requires=("torch>=2.10",), modules={"ext/_C.so": library})
    (tmp_path / "work" / name).write_bytes(content)
    (tmp_path / "work" / "course").mkdir()
    (tmp_path / "work" / "course" / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "0"\n', "utf-8"
    )
    for title, words in ALONE.items():
        check(title, torchdoctor(*words, "--json").json)


def test_what_looks_at_an_environment(torchdoctor, real):
    """Commands that run the real torch."""
    for title, words in INSTALLED.items():
        ran = torchdoctor(*(word.format(env=real.folder) for word in words), "--json")
        check(title, ran.json)


@pytest.mark.parametrize("title", SERVED)
def test_what_asks_an_index(torchdoctor, bare, title):
    """Commands that fetch, from an index on loopback."""
    options = [row for row in bare if title == "install" or row != "--no-verify"]
    check(title, torchdoctor(*SERVED[title], *options, "--without", "numpy", "--json").json)


def test_what_adds_to_an_environment(torchdoctor, bare, official):
    """The one that installs more into what another command has made."""
    official.add("/simple/first/", *make_wheel("first", "1.0", tag="py3-none-any"))
    assert torchdoctor("install", "made", *bare, "--without", "numpy").status == 0
    options = ("--index-url", f"{official.url}/whl", "--no-verify", "--json")
    check("add", torchdoctor("add", "first", "--env", "made", *options).json)


def test_what_is_newer_at_an_index(torchdoctor, official):
    """The one that takes up what the index has."""
    official.add("/whl/torch/", f"torch-{TORCH}+cpu-cp311-cp311-win_amd64.whl", b"bytes")
    ran = torchdoctor("index", "update", "--index-url", f"{official.url}/whl", "--json")
    check("index update", ran.json)
