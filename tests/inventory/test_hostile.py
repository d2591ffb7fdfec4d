"""Folders that mean harm: a bounded answer, no exception, nothing of a device or a pipe."""

from __future__ import annotations

import json
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inventory.site import Environment
from torchdoctor.inventory import files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names and files that Windows cannot have")


def test_a_folder_with_too_many_entries_says_so(env, monkeypatch):
    """What was not looked at is unknown, never absent."""
    monkeypatch.setattr(files.entries, "__kwdefaults__", {"limit": 50})
    for number in range(100):
        (env.site / f"file{number}").touch()
    inventory = env.take()
    assert inventory.torch.state == "unknown"
    assert "has more than 50 entries" in inventory.torch.why


@pytest.mark.fuzz
def test_a_million_names_cost_no_more_than_the_limit(tmp_path, monkeypatch):
    """The listing stops: a folder that never ends is read no further."""

    class Endless:
        read = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            return self

        def __next__(self):
            self.read += 1
            return type("Row", (), {"name": f"x{self.read}"})

    endless = Endless()
    monkeypatch.setattr(os, "scandir", lambda _: endless)
    listing = files.entries("/anything")
    assert (len(listing.names), endless.read) == (files.ENTRIES, files.ENTRIES + 1)
    assert listing.problem == "/anything has more than 20,000 entries"


def test_a_folder_that_may_not_be_read_is_unknown(env, monkeypatch):
    """Not absent: nobody looked."""
    env.torch("2.13.0")
    scandir = os.scandir

    def refuse(folder):
        if str(folder) == str(env.site):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    fact = env.take().torch
    assert (fact.state, fact.why) == ("unknown", f"{env.site}: Permission denied")


def test_a_zip_on_the_path_is_no_folder_and_no_fault(env, tmp_path):
    """Python imports from it; distributions do not lie there."""
    (tmp_path / "more.egg").write_bytes(b"PK")
    assert env.take(environ={"PYTHONPATH": str(tmp_path / "more.egg")}).torch.state == "absent"


def test_links_without_end_pipes_and_devices_are_passed_over(env):
    """Metadata that is a pipe would wait for ever; a loop has no end."""
    info = env.site / "torch-2.13.0.dist-info"
    info.mkdir()
    os.mkfifo(info / "METADATA")
    (info / "INSTALLER").symlink_to("/dev/zero")
    (info / "RECORD").symlink_to("RECORD")
    (env.site / "torch").symlink_to("torch")
    (env.site / "loop.pth").symlink_to("loop.pth")
    (env.prefix / "torchdoctor.json").symlink_to("/dev/zero")
    os.mkfifo(env.site / "pipe.pth")
    inventory = env.take(depth="hashes")
    row = inventory.distribution("torch")
    assert (row.version, row.installer) == ("2.13.0", None)
    assert inventory.torch.value.there is False
    assert inventory.pth.state == "absent"


def test_names_and_texts_that_are_no_utf8_are_read(env):
    """Bytes of another time: replaced, and JSON can hold what comes out."""
    (env.site / os.fsdecode(b"~\xffrch")).mkdir()
    info = env.put("torch", "2.13.0")
    (info / "METADATA").write_bytes(b"Name: torch\xff\nVersion: 2.13.0\xfe\nRequires-Dist: numpy\xfd\n\n")
    (env.site / "torch/version.py").write_bytes(b"__version__ = '2.13.0\xff'\ncuda = None\n")
    (env.site / "x.pth").write_bytes(b"\xff\xfe/x\n")
    row = env.take().distribution("torch")
    assert (row.name, row.version) == ("torch", "2.13.0")
    document = json.dumps(env.take().to_json(), ensure_ascii=False)
    assert "~?rch" in document.encode().decode()


@pytest.mark.parametrize("file", ["METADATA", "RECORD", "INSTALLER", "direct_url.json"])
def test_a_file_without_end_is_read_to_its_limit(env, file):
    """64 MiB of one letter where a few lines belong."""
    info = env.put("torch", "2.13.0")
    with (info / file).open("wb") as out:
        out.truncate(64 << 20)
    assert env.take().distribution("torch").version == "2.13.0"


def test_a_nest_of_brackets_is_no_json(env):
    """A hundred thousand of them, in every file that should be JSON."""
    info = env.put("torch", "2.13.0")
    (info / "direct_url.json").write_text("[" * 100_000)
    (env.prefix / "torchdoctor.json").write_text("[" * 100_000)
    env.conda("pytorch", "2.5.1", "0")
    (env.prefix / "conda-meta/pytorch-2.5.1-0.json").write_text("[" * 100_000)
    inventory = env.take()
    assert inventory.install_record.state == "unknown"
    assert inventory.distribution("pytorch").version == "2.5.1"


name = st.text(
    st.characters(exclude_characters="/\x00", exclude_categories=("Cs",)), min_size=1, max_size=40
).filter(lambda text: text not in (".", "..") and len(text.encode()) < 200)


@given(names=st.lists(st.builds(lambda text, end: text + end, name, st.sampled_from([
    "", ".dist-info", ".egg-info", ".pth", ".libs", ".so", "-1.0.dist-info", ".json",
])), max_size=6, unique=True), content=st.binary(max_size=60))  # fmt: skip
def test_no_names_in_a_folder_break_it(tmp_path_factory, names, content):
    """Files of any name and any content; the inventory is made and is JSON."""
    env = Environment(tmp_path_factory.mktemp("any") / "env")
    (env.prefix / "conda-meta").mkdir()
    for one in names:
        for folder in (env.site, env.prefix / "conda-meta"):
            if not (folder / one).exists():
                (folder / one).write_bytes(content)
    assert env.take(here=env.site).to_json()["schema"] == 1


@given(st.dictionaries(st.sampled_from([
    "PYTHONPATH", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "XDG_CONFIG_DIRS", "UV_INDEX", "CONDARC", "CONDA_PREFIX",
    "HTTPS_PROXY",     "SSL_CERT_FILE", "CUDA_HOME", "HOME", "PYTHONNOUSERSITE", "UV_CONFIG_FILE",
]), st.text(max_size=30)))  # fmt: skip
def test_no_variables_break_it(tmp_path_factory, environ):
    """Whatever they hold, zero bytes and line breaks too."""
    env = Environment(tmp_path_factory.mktemp("any") / "env")
    assert env.take(environ=environ).to_json()["schema"] == 1
