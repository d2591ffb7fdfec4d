"""The maintainer's command: real rows in, data files out, and what it refuses."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from packaging.version import Version

import wheels_index
from wheels_index import Snapshot

ROOT = Path(wheels_index.__file__).parent.parent
DAY = "2027-01-05"
FOLDER = "whl/cu130/"


@pytest.fixture(scope="module")
def tool():
    """The tool as it is run: its folder on the path."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        yield importlib.import_module("extend_facts")
    finally:
        sys.path.remove(str(ROOT / "tools"))


@pytest.fixture
def data(tmp_path):
    """A copy of the data to extend."""
    return Path(shutil.copytree(ROOT / "wheels_index" / "data", tmp_path / "data"))


@pytest.fixture
def run(tool, data):
    """Run the tool on the copy, and return its status."""
    return lambda *sources: tool.main(["--as-of", DAY, str(data), *map(str, sources)])


def content(folder):
    """Every byte of the data."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json")}


def real_rows(data, torch="2.13.0", folder=FOLDER):
    """The rows of a real release in one folder: name and digest."""
    facts = json.loads((data / "releases" / f"{torch}.json").read_text())
    group = next(g for g in facts["wheels"] if g["project"] == "torch" and g["folder"] == folder)
    return [(name, digest) for name, digest in group["files"] if digest]


def uv_lock(rows, *, host="https://download-r2.pytorch.org", folder=FOLDER):
    """A uv.lock as uv writes it."""
    wheels = "".join(
        f'    {{ url = "{host}/{folder}{quote(name)}", hash = "sha256:{digest}", size = 1000 }},\n'
        for name, digest in rows
    )
    return (
        'version = 1\nrevision = 3\nrequires-python = ">=3.12"\n\n'
        '[[package]]\nname = "torch"\nversion = "2.13.0+cu130"\n'
        f'source = {{ registry = "https://download.pytorch.org/whl/cu130" }}\nwheels = [\n{wheels}]\n'
    )


def without(data, torch="2.13.0", folder=FOLDER):
    """Take a real group out of the data, as if it had not been seen yet."""
    path = data / "releases" / f"{torch}.json"
    facts = json.loads(path.read_text())
    facts["wheels"] = [g for g in facts["wheels"] if (g["project"], g["folder"]) != ("torch", folder)]
    sys.modules["layout"].write(path, facts)


def test_rows_that_are_known_change_no_byte(run, data, tmp_path):
    """A real lock of known rows says nothing new."""
    before = content(data)
    (tmp_path / "uv.lock").write_text(uv_lock(real_rows(data)))
    assert run(tmp_path / "uv.lock") == 0
    assert content(data) == before


def test_new_rows_come_in_with_source_and_day(run, data, tmp_path):
    """What a real lock has and the data had not is one group, and the same again changes nothing."""
    rows = real_rows(data)
    without(data)
    (tmp_path / "uv.lock").write_text(uv_lock(rows))
    assert run(tmp_path / "uv.lock") == 0
    facts = json.loads((data / "releases" / "2.13.0.json").read_text())
    group = next(g for g in facts["wheels"] if g["project"] == "torch" and g["folder"] == FOLDER)
    assert group["source"] == f"lockfile: uv.lock, read {DAY}"
    assert sorted(map(tuple, group["files"])) == sorted(rows)
    once = content(data)
    assert run(tmp_path / "uv.lock") == 0
    assert content(data) == once
    assert [w.sha256 for w in Snapshot(data).release("2.13.0").wheels_named(rows[0][0], "official")] == [
        rows[0][1]
    ]


def test_another_digest_in_the_same_place_writes_nothing(run, data, tmp_path, capsys):
    """The status is 1, the file is named, and the good rows beside it are not written either."""
    good, bad = real_rows(data)[:2]
    without(data)
    facts = data / "releases" / "2.13.0.json"
    (tmp_path / "one.lock").write_text(uv_lock([good]))
    assert run(tmp_path / "one.lock") == 0
    before = facts.read_bytes()
    (tmp_path / "uv.lock").write_text(uv_lock([bad, (good[0], "0" * 64)]))
    assert run(tmp_path / "uv.lock") == 1
    assert facts.read_bytes() == before
    assert good[0] in capsys.readouterr().err


def test_two_sources_that_disagree_are_refused(run, data, tmp_path):
    """A file that is not known yet, with two digests among the sources."""
    name = "torch-2.13.0+cu130-cp399-cp399-win_amd64.whl"
    for number in (1, 2):
        (tmp_path / f"{number}.lock").write_text(uv_lock([(name, str(number) * 64)]))
    assert run(tmp_path / "1.lock", tmp_path / "2.lock") == 1


def test_a_digest_is_never_carried_to_another_host(run, data, tmp_path):
    """PyPI's other bytes under a name of the official index are no conflict and change nothing there."""
    pypi, official = next(
        (pypi, official)
        for release in Snapshot(data).releases()
        for pypi in release.pypi_wheels
        for official in release.wheels_named(pypi.filename, "official")
        if official.sha256 not in (None, pypi.sha256)
    )
    before = content(data)
    lock = uv_lock(
        [(pypi.filename, pypi.sha256)], host="https://files.pythonhosted.org/packages/aa/bb/cc", folder=""
    )
    (tmp_path / "uv.lock").write_text(lock)
    assert run(tmp_path / "uv.lock") == 0
    assert content(data) == before
    (tmp_path / "uv.lock").write_text(lock.replace(pypi.sha256, official.sha256))
    assert run(tmp_path / "uv.lock") == 1


def test_other_hosts_nightlies_and_pre_releases_are_passed_over(run, data, tmp_path):
    """A mirror's rows are not the official index's."""
    before = content(data)
    rows = [("torch-2.13.0+cu130-cp399-cp399-win_amd64.whl", "1" * 64)]
    (tmp_path / "a.lock").write_text(uv_lock(rows, host="https://mirror.example.org"))
    (tmp_path / "b.lock").write_text(uv_lock(rows, folder="whl/nightly/cu130/"))
    (tmp_path / "c.lock").write_text(uv_lock([(rows[0][0].replace("2.13.0", "2.99.0rc1"), "1" * 64)]))
    assert run(*(tmp_path / name for name in ("a.lock", "b.lock", "c.lock"))) == 0
    assert content(data) == before


def test_a_page_makes_the_file_of_a_new_release(run, data, tmp_path):
    """A saved page with its URL: a release, its variant, its files, and nothing that was not seen."""
    name = "torch-2.99.0%2Bcu134-cp312-cp312-manylinux_2_28_x86_64.whl"
    page = tmp_path / "torch.html"
    page.write_text(f'<a href="https://download-r2.pytorch.org/whl/cu134/{name}#sha256={"1" * 64}">x</a>')
    source = f"{page}=https://download.pytorch.org/whl/torch/"
    assert run(source) == 0
    once = content(data)
    assert run(source) == 0
    assert content(data) == once
    release = Snapshot(data).release("2.99.0")
    assert release.platforms["linux_x86_64"].variants == ("cu134",)
    assert [w.sha256 for w in release.wheels if w.project == "torch"] == ["1" * 64]
    assert release.companions["torchaudio"].versions == (Version("2.11.1"), Version("2.11.0"))
    assert (release.released, release.triton, release.as_of) == (None, None, DAY)


def pypi_json(project, version, *, requires=(), digest="2" * 64):
    """A document of PyPI's JSON API with one wheel."""
    name = f"{project}-{version}-cp312-cp312-manylinux_2_28_x86_64.whl"
    file = {
        "filename": name, "url": f"https://files.pythonhosted.org/packages/aa/bb/cc/{name}", "size": 900,
        "digests": {"sha256": digest}, "requires_python": ">=3.11", "yanked": False,
        "upload_time_iso_8601": "2027-01-02T03:04:05.000000Z", "packagetype": "bdist_wheel",
    }  # fmt: skip
    info = {"name": project, "version": version, "requires_dist": list(requires), "requires_python": ">=3.11"}
    return json.dumps({"info": info, "releases": {version: [file]}, "urls": [file]})


def test_pypi_documents_and_a_page_make_a_release_with_its_companion(run, data, tmp_path):
    """PyPI gives Pythons, day and requirement; torchvision goes with the torch that it pins."""
    name = "2.99.0%2Bcu134-cp312-cp312-manylinux_2_28_x86_64.whl"
    page = tmp_path / "torch.html"
    page.write_text(f'<a href="/whl/cu134/torch-{name}#sha256={"1" * 64}">x</a>')
    vision = tmp_path / "vision.html"
    vision.write_text(
        f'<a href="/whl/cu134/torchvision-{name.replace("2.99", "0.99")}#sha256={"3" * 64}">x</a>'
    )
    (tmp_path / "torch.json").write_text(pypi_json("torch", "2.99.0"))
    (tmp_path / "vision.json").write_text(pypi_json("torchvision", "0.99.0", requires=["torch==2.99.0"]))
    sources = (
        f"{page}=https://download.pytorch.org/whl/torch/",
        f"{vision}=https://download.pytorch.org/whl/torchvision/",
        tmp_path / "torch.json",
        tmp_path / "vision.json",
    )
    assert run(*sources) == 0
    once = content(data)
    assert run(*sources) == 0
    assert content(data) == once
    release = Snapshot(data).release("2.99.0")
    assert (release.released, release.requires_python) == ("2027-01-02", ">=3.11")
    assert release.platforms["linux_x86_64"].pythons == ("3.12",)
    assert release.companions["torchvision"].versions == (Version("0.99.0"),)
    assert {(w.project, w.sha256, w.size) for w in release.pypi_wheels} >= {
        ("torch", "2" * 64, 900),
        ("torchvision", "2" * 64, 900),
    }
    assert [w.sha256 for w in release.listed("torchvision")] == ["3" * 64]


def test_a_release_on_pypi_alone_is_left_out_by_name(run, data, tmp_path, capsys):
    """PyPI's files name no variant, so nothing could be chosen: the tool says what it left out."""
    before = content(data)
    (tmp_path / "torch.json").write_text(pypi_json("torch", "2.99.0"))
    assert run(tmp_path / "torch.json") == 0
    assert content(data) == before
    assert "left out: torch 2.99.0" in capsys.readouterr().err


def test_pylock_and_poetry_lock_are_read(run, data, tmp_path):
    """Both give the same rows as uv.lock; Poetry names no URL, so only files of the index's own variant count."""
    rows = real_rows(data)
    wheels = "".join(
        f'[[packages.wheels]]\nurl = "https://download.pytorch.org/{FOLDER}{quote(name)}"\n'
        f'hashes = {{ sha256 = "{digest}" }}\n'
        for name, digest in rows[:1]
    )
    (tmp_path / "pylock.toml").write_text(
        f'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "torch"\nversion = "2.13.0+cu130"\n{wheels}'
    )
    files = ", ".join(f'{{file = "{name}", hash = "sha256:{digest}"}}' for name, digest in rows[1:])
    (tmp_path / "poetry.lock").write_text(
        f'[[package]]\nname = "torch"\nversion = "2.13.0+cu130"\nfiles = [{files}]\n'
        '[package.source]\ntype = "legacy"\nurl = "https://download.pytorch.org/whl/cu130"\nreference = "torch"\n'
    )
    without(data)
    assert run(tmp_path / "pylock.toml", tmp_path / "poetry.lock") == 0
    facts = json.loads((data / "releases" / "2.13.0.json").read_text())
    groups = [g for g in facts["wheels"] if g["project"] == "torch" and g["folder"] == FOLDER]
    assert sorted(tuple(file) for group in groups for file in group["files"]) == sorted(rows)
    assert len(groups) == 2


def test_wrong_usage_is_status_2(run, tool, data):
    """A day that is none, and a folder without data."""
    for arguments in (["--as-of", "today", str(data), "x.lock"], ["--as-of", DAY, "/nowhere", "x.lock"]):
        with pytest.raises(SystemExit) as caught:
            tool.main(arguments)
        assert caught.value.code == 2


def test_a_companion_that_comes_out_alone_is_found_on_pypi(run, data, tmp_path):
    """It goes with every torch that it declares, and nothing says that the official index has it."""
    document = pypi_json("torchvision", "0.99.0", requires=["numpy", "torch>=2.14"])
    (tmp_path / "vision.json").write_text(document)
    assert run(tmp_path / "vision.json") == 0
    once = content(data)
    assert run(tmp_path / "vision.json") == 0
    assert content(data) == once
    rows = {
        torch: Snapshot(data).release(torch).companions["torchvision"]
        for torch in ("2.13.0", "2.14.0", "2.15.0")
    }
    assert [Version("0.99.0") in row.versions for row in rows.values()] == [False, True, True]
    row = rows["2.15.0"]
    assert (row.uploaded["0.99.0"], row.requires_python["0.99.0"]) == ("2027-01-02", ">=3.11")
    assert row.pypi_only == {"0.99.0"}
    assert any(wheel.version == Version("0.99.0") for wheel in Snapshot(data).release("2.14.0").pypi_wheels)
