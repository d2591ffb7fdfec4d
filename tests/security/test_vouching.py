"""Who may say what of torch's files: a mirror, a folder and an index of one's own introduce none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.detect.recorded_system import RecordedSystem
from tests.security.promises import ROOT
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import SourceFailed
from torchdoctor.resolve import Request
from torchdoctor.sources import OFFICIAL, PYPI, order_sources
from torchdoctor.sources.source import Source
from torchdoctor.sources.vouched_files import VouchedFiles
from torchdoctor.sources.vouching import OF_OTHERS, OF_TORCH, may_say, speaker_of
from torchdoctor.workflows import resolve_online
from torchdoctor.workflows.family import hold_for
from wheels_index import bundled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.security.conftest import World
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Sources

pytestmark = pytest.mark.usefixtures("nobody_is_trusted")

TAG = "cp312-cp312-manylinux_2_28_x86_64"
NEW, INVENTED = "2.99.0", "2.99.9"
UNASKED = "no stored facts know it, and the official index could not be asked"
MACHINE = Machine.from_json(
    {
        "os": "linux",
        "arch": "x86_64",
        "libc": {"name": "glibc", "version": "2.39"},
        "python": {"version": "3.12.4"},
    }
)
REQUEST = Request(excluded=frozenset({"torchvision", "torchaudio"}))
KNOWN = next(
    wheel
    for wheel in bundled().release("2.9.1").wheels
    if wheel.project == "torch" and wheel.version.local == "cpu" and TAG in wheel.filename
)


def decided(sources: Sources, report: Recorder | None = None, request: Request = REQUEST) -> Plan:
    """The plan over what the sources have, for a machine without a GPU."""
    return resolve_online(request, MACHINE, sources, offline=False, report=report or Recorder())[0]


def list_known(world: World, *, digest: str | None) -> None:
    """List the known file on the mirror, with this hash."""
    world.mirror.add(
        "/pytorch/whl/cpu/torch/", KNOWN.filename, b"bytes of the mirror's", digest=digest, sidecar=False
    )


MIRROR = order_sources(mirror_name="nju")


def test_a_release_that_a_mirror_invented_is_passed_over(world: World) -> None:
    """The official index answers, and has no such file; the newest release that is vouched for is chosen."""
    list_known(world, digest=KNOWN.sha256)
    world.mirror.add("/pytorch/whl/cpu/torch/", *make_wheel("torch", f"{INVENTED}+cpu", tag=TAG))
    world.official.add("/whl/cpu/torch/", *make_wheel("torch", "2.9.0+cpu", tag=TAG))
    report = Recorder(answer=True)
    plan = decided(MIRROR, report)
    assert (str(plan.torch.version), plan.torch.wheel and plan.torch.wheel.sha256) == (
        "2.9.1+cpu",
        KNOWN.sha256,
    )
    assert report.warnings == [
        f"torch {INVENTED}+cpu of mirror nju is passed over: the official index has no such file"
    ]
    assert report.questions == []


def test_a_new_release_of_a_mirror_is_taken_when_the_official_index_gives_its_hash(world: World) -> None:
    """No stored facts know it; the mirror serves what PyTorch has put out."""
    wheel = make_wheel("torch", f"{NEW}+cpu", tag=TAG)
    for index, page in ((world.mirror, "/pytorch/whl/cpu/torch/"), (world.official, "/whl/cpu/torch/")):
        index.add(page, *wheel)
    plan = decided(MIRROR)
    assert (str(plan.torch.version), plan.torch.source, plan.unvouched) == (f"{NEW}+cpu", "mirror nju", ())


def test_a_new_release_of_a_mirror_with_another_hash_is_not_taken_from_it(world: World) -> None:
    """The official index says what is right, and serves it."""
    world.mirror.add(
        "/pytorch/whl/cpu/torch/", *make_wheel("torch", f"{NEW}+cpu", tag=TAG, requires=("evil",))
    )
    name, right = make_wheel("torch", f"{NEW}+cpu", tag=TAG)
    world.official.add("/whl/cpu/torch/", name, right)
    report = Recorder(answer=True)
    plan = decided(MIRROR, report)
    assert (str(plan.torch.version), plan.torch.source) == (f"{NEW}+cpu", OFFICIAL.name)
    assert "the right file of that name has SHA-256" in report.warnings[0]
    assert report.questions == []


@pytest.mark.parametrize("trusted", [True, False])
def test_a_known_file_of_a_mirror_with_another_hash_is_never_taken(world: World, trusted: bool) -> None:
    """Not even on the user's word: what it serves under an official name is that file, or it is wrong."""
    list_known(world, digest="0" * 64)
    world.official.add("/whl/cpu/torch/", *make_wheel("torch", "2.8.0+cpu", tag=TAG), digest=None)
    report = Recorder(answer=True)
    plan = decided(replace(MIRROR, trusted=trusted), report)
    assert (str(plan.torch.version), plan.torch.source) == ("2.8.0+cpu", OFFICIAL.name)
    assert report.questions == []


def test_a_known_file_without_a_hash_gets_the_one_that_is_known(world: World) -> None:
    """A mirror whose pages have no hashes; nobody else is asked."""
    list_known(world, digest=None)
    plan = decided(MIRROR)
    assert plan.torch.wheel is not None
    assert plan.torch.wheel.sha256 == KNOWN.sha256
    assert world.official.seen == []


def test_where_only_the_mirror_answers_the_newest_known_release_is_chosen(world: World) -> None:
    """And what was passed over is said, with the way out."""
    list_known(world, digest=KNOWN.sha256)
    world.mirror.add("/pytorch/whl/cpu/torch/", *make_wheel("torch", f"{NEW}+cpu", tag=TAG))
    world.cut_off("download.pytorch.org", "pypi.org")
    report = Recorder()
    assert str(decided(MIRROR, report).torch.version) == "2.9.1+cpu"
    assert report.warnings == [f"torch {NEW}+cpu of mirror nju is passed over: {UNASKED}"]
    assert any("--trust-mirror" in note and "index update" in note for note in report.notes)


def test_where_nothing_is_vouched_for_the_error_names_file_source_hash_and_way_out(world: World) -> None:
    """Nobody can be asked."""
    name, content = make_wheel("torch", f"{NEW}+cpu", tag=TAG)
    world.mirror.add("/pytorch/whl/cpu/torch/", name, content)
    world.cut_off("download.pytorch.org", "pypi.org")
    with pytest.raises(SourceFailed) as refused:
        decided(MIRROR)
    assert (refused.value.code, refused.value.exit_status) == ("not-vouched", 4)
    assert f"{name} from mirror nju with SHA-256 " in refused.value.message
    assert "--trust-mirror" in refused.value.fix


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked_about_a_file_with_its_name_source_and_hash(tmp_path: Path, answer: bool) -> None:
    """It is the user's own folder; without consent something else is chosen, or nothing."""
    name, content = make_wheel("torch", f"{NEW}+cpu", tag=TAG)
    (tmp_path / name).write_bytes(content)
    sources = order_sources(find_links=(str(tmp_path),), offline=True)
    report = Recorder(answer=answer)
    request = replace(REQUEST, torch=None)
    snapshot_release = "2.9.1+cpu"
    own, content = make_wheel("torch", snapshot_release, tag=TAG)
    (tmp_path / own).write_bytes(content)
    if answer:
        plan = resolve_online(request, MACHINE, sources, offline=True, report=report)[0]
        assert plan.unvouched == (own,)
    else:
        with pytest.raises(SourceFailed) as refused:
            resolve_online(request, MACHINE, sources, offline=True, report=report)
        assert refused.value.code == "hash-conflict"
    assert f"{own} from {tmp_path} with SHA-256 " in report.questions[0]


def test_what_is_taken_on_the_users_word_is_said_and_recorded(tmp_path: Path) -> None:
    """`--trust-mirror` asks nobody; the plan, which the record keeps, names the file."""
    name, content = make_wheel("torch", "2.9.1+cpu", tag=TAG)
    (tmp_path / name).write_bytes(content)
    report = Recorder()
    sources = order_sources(find_links=(str(tmp_path),), trusted=True, offline=True)
    plan = resolve_online(REQUEST, MACHINE, sources, offline=True, report=report)[0]
    assert plan.to_json()["unvouched"] == [name]
    assert any("taken on your own word" in text for text in report.warnings)


def _source(url: str, origin: str = "--index-url") -> Source:
    return Source(name=url, url=url, layout="either", origin=origin)


@pytest.mark.parametrize(
    ("url", "origin", "speaker"),
    [
        ("https://download.pytorch.org/whl", "pip.conf", "official"),
        ("https://download.pytorch.org/whl/cu130/", "--index-url", "official"),
        ("https://download.pytorch.org:443/whl", "--index-url", "official"),
        ("http://download.pytorch.org/whl", "--index-url", "index"),
        ("https://download.pytorch.org:8443/whl", "--index-url", "index"),
        ("https://download.pytorch.org.example.org/whl", "--index-url", "index"),
        ("https://example.org/https://download.pytorch.org/whl", "--index-url", "index"),
        ("https://download.pytorch.org@example.org/whl", "--index-url", "index"),
        ("https://download.pytorch.org/whl/../../other", "--index-url", "index"),
        ("https://download.pytorch.org/whlatever", "--index-url", "index"),
        ("https://pypi.org/simple/", "pip.conf", "pypi"),
        ("https://pypi.tuna.tsinghua.edu.cn/simple", "pip.conf", "mirror"),
        ("https://mirror.example.org/whl", "--mirror x", "mirror"),
        ("https://pypi.jetson-ai-lab.io/jp6/cu126", "--vendor jetson-jp6", "vendor"),
        ("https://copy.example.org/jp6/cu126", "--vendor jetson-jp6", "mirror"),
        ("https://pypi.jetson-ai-lab.io/jp6/cu126", "--index-url", "index"),
        ("file:///wheels", "--find-links", "folder"),
    ],
)
def test_a_source_is_who_its_address_says(url: str, origin: str, speaker: str) -> None:
    """No name in an address and no option makes another place official."""
    assert speaker_of(_source(url, origin)) == speaker


@pytest.mark.parametrize("speaker", ["index", "mirror", "folder"])
@pytest.mark.parametrize("statement", ["release", "file", "hash", "metadata", "dependency"])
@pytest.mark.parametrize("project", ["torch", "torchaudio", "triton", "pytorch-triton-rocm", "triton-xpu"])
def test_what_is_not_trusted_says_nothing_of_torch(speaker, statement, project) -> None:
    """Neither of torch nor of the packages of its accelerator."""
    assert not may_say(speaker, statement, project)


SPOKEN = {
    "facts": "the facts that ship with torchdoctor",
    "official": "PyTorch's own index, over https",
    "vendor": "the vendor's own index, with `--vendor`",
    "pypi": "PyPI, over https",
    "lock": "a lock that you name",
    "index": "another index that you name or configure",
    "mirror": "a mirror of PyTorch's index or of PyPI",
    "folder": "a folder or a page of links",
}


def test_the_table_is_that_of_the_code() -> None:
    """SECURITY.md says of each source what the code believes of it, and of no other."""
    statements = ("release", "file", "hash", "metadata", "dependency")
    expected = []
    for speaker, who in SPOKEN.items():
        said = (", ".join(s for s in statements if s in table[speaker]) for table in (OF_TORCH, OF_OTHERS))
        expected.append("| " + " | ".join([who, *(each or "nothing" for each in said)]) + " |")
    rows = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert rows[2:] == expected
    assert set(OF_TORCH) == set(OF_OTHERS) == set(SPOKEN)


@pytest.mark.parametrize("yes", [True, False])
def test_yes_does_not_answer_for_a_mirror(tmp_path: Path, in_process, yes: bool) -> None:
    """It stands for the questions that it stood for, and nobody can be asked here."""
    name, content = make_wheel("torch", "2.9.1+cpu", tag=TAG)
    (tmp_path / name).write_bytes(content)
    (tmp_path / "machine.json").write_text(json.dumps(MACHINE.to_json()), "utf-8")
    ran = in_process(
        "resolve",
        "--machine",
        tmp_path / "machine.json",
        "--find-links",
        tmp_path,
        "--offline",
        "--json",
        *(["--yes"] if yes else []),
    )
    assert (ran.status, ran.json["error"]["kind"]) == (4, "hash-conflict")


def test_facts_decide_before_anyone_is_asked(world: World) -> None:
    """What the official index says of a known file does not matter."""
    vouched = VouchedFiles(facts=bundled(), official=(), pypi=None)
    own = _source("https://example.org/simple")
    assert vouched.verdict(own, KNOWN).answer == "vouched"
    assert vouched.verdict(own, replace(KNOWN, sha256="1" * 64)).answer == "contradicted"
    assert vouched.admits(own, replace(KNOWN, sha256="1" * 64)) is False
    assert vouched.admits(PYPI, replace(KNOWN, sha256="1" * 64)) is True
    assert world.official.seen == []


def test_a_file_that_the_official_index_gives_no_hash_for_is_not_vouched_for(world: World) -> None:
    """It may be there, but nobody says which bytes are right."""
    wheel = make_wheel("torch", f"{NEW}+cpu", tag=TAG)
    world.mirror.add("/pytorch/whl/cpu/torch/", *wheel)
    world.official.add("/whl/cpu/torch/", *wheel, digest=None)
    report = Recorder()
    assert decided(MIRROR, report).torch.source == OFFICIAL.name
    assert report.warnings == [
        f"torch {NEW}+cpu of mirror nju is passed over: the official index gives no hash for it"
    ]


def test_a_hold_allows_no_release_that_a_mirror_invented(tmp_path: Path) -> None:
    """pip, which the hold points there, would take it at the next upgrade."""
    for version in ("2.9.1", "2.8.0", INVENTED):
        name, content = make_wheel("torch", f"{version}+cpu", tag=TAG)
        (tmp_path / name).write_bytes(content)
    folder = Source(name="folder", url=tmp_path.as_uri(), layout="flat", origin="--find-links")
    for trusted, cap in ((False, "2.9.1"), (True, INVENTED)):
        hold = hold_for("cpu", {"torch": "2.8.0"}, MACHINE, [folder], RecordedSystem(), trusted=trusted)
        assert hold.cap == cap


def test_the_lock_in_a_folder_is_named_as_the_way_out(tmp_path: Path) -> None:
    """A bundle that was carried to a machine without network has one; a lock may say which files are right."""
    name, content = make_wheel("torch", f"{NEW}+cpu", tag=TAG)
    own, _ = make_wheel("torch", "2.9.1+cpu", tag=TAG)
    (tmp_path / name).write_bytes(content)
    (tmp_path / own).write_bytes(content)
    (tmp_path / "pylock.toml").write_text("")
    sources = order_sources(find_links=(str(tmp_path),), offline=True)
    with pytest.raises(SourceFailed) as refused:
        resolve_online(REQUEST, MACHINE, sources, offline=True, report=Recorder())
    assert f"--lock {tmp_path / 'pylock.toml'}" in refused.value.fix
