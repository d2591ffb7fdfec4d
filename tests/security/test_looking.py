"""Looking is not running: nothing of an environment runs for a look, nor anything that another user could change."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import run_here
from torchdoctor.cli import trust
from torchdoctor.core.fs import ownership
from torchdoctor.core.fs.ownership import foreign_reason
from torchdoctor.core.system import environment_trust, host_system
from torchdoctor.core.system.environment_trust import foreign_environment, trust_environment
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.staging import recover_environment, staging_path
from torchdoctor.inventory.interpreter_files import look_at_python, read_python

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and modes are those of POSIX")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only the administrator makes files of another user",
)
STRANGER = 12345


def _give(path):
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


@pytest.fixture(autouse=True)
def nobody_agreed(monkeypatch):
    """What a test agrees to is its own."""
    monkeypatch.setattr(environment_trust, "_trusted", set())


@pytest.fixture
def planted(tmp_path):
    """A `./.venv` whose interpreter writes down that it was run."""
    folder = tmp_path / "work" / ".venv"
    site = folder / "lib" / "python3.11" / "site-packages"
    (site / "torch").mkdir(parents=True)
    (site / "torch" / "version.py").write_text("__version__ = '2.9.1+cpu'\n")
    (site / "torch-2.9.1.dist-info").mkdir()
    (site / "torch-2.9.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 2.9.1\n"
    )
    home = os.path.dirname(os.path.realpath(sys.executable))  # noqa: PTH120
    (folder / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.11.7\n")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text(
        f"#!/bin/sh\ntouch '{tmp_path}/ran'\nexec '{sys.executable}' \"$@\"\n"
    )
    (folder / "bin" / "python").chmod(0o755)
    return folder


def _ran(folder):
    return (folder.parent.parent / "ran").exists()


@pytest.mark.process
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["doctor", "--no-import", "--no-network"],
        ["report", "--no-import"],
        ["report", "--format", "cyclonedx"],
        ["install", "--dry-run", "--offline"],
    ],
)
def test_a_look_runs_nothing_of_an_environment(words, planted, alone):
    """Not even where it is this user's own: it may have come with a repository."""
    ran = run_here(words, alone, planted.parent)
    assert ran.status in (0, 1, 3, 4), ran.err
    assert not _ran(planted)
    assert words[:1] == ["install"] or "2.9.1" in ran.out


@as_root
@pytest.mark.process
@pytest.mark.parametrize(
    ("words", "what"),
    [
        *((["hold"], part) for part in ("pyvenv.cfg", "bin/python", "lib/python3.11/site-packages", ".")),
        (["doctor", "--no-network"], "."), (["verify"], "."), (["install", "--offline"], "."),
    ],
)  # fmt: skip
def test_nothing_of_another_user_runs_unasked(words, what, planted, alone):
    """Whichever part of the environment is his, and in whatever folder it lies."""
    _give(planted / what)
    ran = run_here(words, alone, planted.parent)
    assert not _ran(planted)
    assert f"belongs to {STRANGER}" in ran.err
    assert "--trust-env" in ran.err
    if words[0] != "doctor":
        assert ran.status == 2


@as_root
@pytest.mark.process
def test_it_runs_after_consent(planted, alone):
    _give(planted / "pyvenv.cfg")
    run_here(["doctor", "--no-network", "--only", "environment", "--trust-env"], alone, planted.parent)
    assert not _ran(planted)  # nothing that was asked for needs it
    run_here(["doctor", "--no-network", "--trust-env"], alone, planted.parent)
    assert _ran(planted)


@as_root
@pytest.mark.process
def test_no_process_of_it_is_started_whoever_asks(planted):
    """The one place that starts processes refuses it, also as an argument of uv."""
    _give(planted)
    python = planted / "bin" / "python"
    with pytest.raises(EnvironmentUnusable, match=f"belongs to {STRANGER}"):
        describe_python(host_system(os.environ), python)
    answer = host_system(os.environ).run(["/bin/echo", str(python)])
    assert answer.failure == "foreign"
    trust_environment(planted)
    assert describe_python(host_system(os.environ), python).version
    assert _ran(planted)


@as_root
@pytest.mark.parametrize("where", ["a folder above", "a link on the way", "what it leads to"])
def test_whose_the_way_to_it_is_counts(where, tmp_path):
    real = tmp_path / "real"
    (real / "env").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert foreign_reason([tmp_path / "link" / "env"]) is None
    _give(
        {"a folder above": tmp_path, "a link on the way": tmp_path / "link", "what it leads to": real}[where]
    )
    assert f"belongs to {STRANGER}" in (foreign_reason([tmp_path / "link" / "env"]) or "")


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (0o755, None),
        (0o700, None),
        (0o1777, None),
        (0o777, "everybody can write"),
        (0o757, "everybody can write"),
    ],
)
def test_a_folder_that_others_can_write_to_is_nobodys_own(mode, reason, tmp_path):
    """But for one like /tmp, where each file is its owner's."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "it").touch()
    (tmp_path / "shared").chmod(mode)
    found = foreign_reason([tmp_path / "shared" / "it"])
    assert (found is None) if reason is None else (reason in (found or ""))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where /etc/passwd lists the users")
@pytest.mark.parametrize(
    ("gid", "users", "empty"),
    [(50, "root:x:0:0::/:\n", True), (50, "eve:x:1001:50::/:\n", False), (1001, "root:x:0:0::/:\n", False)],
)
def test_a_group_of_the_system_in_which_nobody_is_counts_for_nobody(monkeypatch, gid, users, empty):
    """`staff`, to which Debian gives /usr/local; a user may have it as the own group without being listed in it."""
    monkeypatch.setattr(ownership, "read_regular", lambda *_, **__: users.encode())
    assert ownership._is_empty_system_group(gid) is empty


def test_a_group_with_others_in_it_counts_and_a_users_own_does_not(tmp_path, monkeypatch):
    (tmp_path / "it").mkdir()
    (tmp_path / "it").chmod(0o775)
    monkeypatch.setattr(ownership, "_is_private_group", lambda _: True)
    assert foreign_reason([tmp_path / "it"]) is None
    monkeypatch.setattr(ownership, "_is_private_group", lambda _: False)
    assert "its group can write" in (foreign_reason([tmp_path / "it"]) or "")


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert foreign_reason([tmp_path / "one"]) is None


@as_root
def test_a_proof_is_consent_but_not_for_the_administrator(planted, monkeypatch):
    """A user who names an environment to be verified wants it run; root may have come there by mistake."""
    _give(planted)
    python = planted / "bin" / "python"
    assert trust.ask_to_trust(python, is_proof=True) is not None
    monkeypatch.setattr(environment_trust, "is_administrator", lambda: False)
    assert trust.ask_to_trust(python, is_proof=False) is not None
    assert trust.ask_to_trust(python, is_proof=True) is None


def test_the_environment_that_runs_us_needs_no_consent(monkeypatch):
    """Whatever could be changed in it is at work already."""
    monkeypatch.setattr(environment_trust, "foreign_reason", lambda _: "somebody else's")
    assert foreign_environment(Path(sys.prefix) / "bin" / "python") is None


@pytest.mark.process
def test_files_say_what_an_interpreter_says(tmp_path):
    """What is read is what would have been answered, for the environment of these tests."""
    system = host_system(os.environ)
    said, read = describe_python(system, sys.executable), read_python(Path(sys.executable), os.environ)
    assert replace(read, host=said.host, path=said.path) == said
    assert set(read.path) == set(said.path)


@pytest.mark.parametrize(
    "text", ["", "version = 3\n", "version = 2.7.18\n", "\0\n= = =\n", "version = 3.99.x\n"]
)
def test_an_environment_that_does_not_say_its_version_is_refused(text, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / "pyvenv.cfg").write_text(text)
    with pytest.raises(EnvironmentUnusable, match="do not say which Python"):
        look_at_python(host_system({}), tmp_path / "bin" / "python")


@as_root
def test_a_planted_leftover_does_not_become_the_environment(tmp_path):
    """Its name can be computed by anyone; whose it is cannot be changed."""
    folder = tmp_path / "env"
    for name in ("old", "old-0123456789abcdef"):
        planted = staging_path(folder, name)
        planted.mkdir()
        (planted / "pyvenv.cfg").touch()
        _give(planted)
    recover_environment(folder, tmp_path / "locks")
    assert not folder.exists()
    assert staging_path(folder, "old").exists()


def test_a_linked_leftover_does_not_become_the_environment(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    staging_path(tmp_path / "env", "old").symlink_to("elsewhere")
    recover_environment(tmp_path / "env", tmp_path / "locks")
    assert not (tmp_path / "env").exists()


@pytest.mark.process
def test_a_dry_run_recovers_nothing(alone, tmp_path):
    """It says what would be done, and the next real run does it."""
    left = staging_path(tmp_path / ".venv", "old-0123456789abcdef")
    left.mkdir(mode=stat.S_IRWXU)
    (left / "pyvenv.cfg").touch()
    run_here(["install", "--dry-run", "--offline"], alone, tmp_path)
    assert left.exists()
    assert not (tmp_path / ".venv").exists()
