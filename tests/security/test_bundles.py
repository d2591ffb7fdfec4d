"""A bundle that somebody exchanged on its way, and what tells."""

from __future__ import annotations

import hashlib
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle.conftest import bundle, made_bundle
from tests.bundle.test_bundle import run_script
from tests.conftest import settings_of_nobody
from torchdoctor.bundle import BundleOrigin, SignKey, check_sign_key
from torchdoctor.bundle.signature import sign_file, signer_of
from torchdoctor.core.progress import SilentReporter
from torchdoctor.errors import InstallFailed, TorchdoctorError, UsageError
from torchdoctor.workflows.bundle_origin import check_lock_origin

__all__ = ["bundle", "made_bundle"]

pytestmark = pytest.mark.process
needs_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="there is no ssh-keygen here")


def digest_of(folder):
    return f"sha256:{hashlib.sha256((folder / 'SHA256SUMS').read_bytes()).hexdigest()}"


def exchange(folder):
    """Exchange a wheel, and whatever says its hash: what an attacker does who can write to the stick."""
    wheel = next(folder.glob("needed-*.whl"))
    before = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wheel.write_bytes(wheel.read_bytes() + b"evil")
    after = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for name in ("requirements.txt", "pylock.toml"):
        path = folder / name
        path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")
    sums = [line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines()]
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sums]
    (folder / "SHA256SUMS").write_text("".join(lines), "utf-8")


def install(folder, *options):
    """Run the bundle's script into a folder that is taken, so that it ends after all checks."""
    taken = folder.parent / "taken"
    (taken / "thesis").mkdir(parents=True, exist_ok=True)
    done = run_script(folder, sys.executable, folder / "install.py", taken, *options)
    return done, "exists already" in done.stderr


@pytest.fixture
def key(tmp_path):
    return new_key(tmp_path / "key")


def new_key(path, *, passphrase=""):
    arguments = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "maker", "-f", path]
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)
    return SignKey(path=path, environ=dict(os.environ))


def sign(folder, key):
    sign_file(folder / "SHA256SUMS", key)
    return key.path.with_name(f"{key.path.name}.pub")


def test_a_bundle_exchanged_as_a_whole_has_another_digest(bundle):
    """The one that was printed when it was made is asked for, and nothing is installed by any other."""
    digest = digest_of(bundle)
    done, accepted = install(bundle, "--digest", digest.upper().removeprefix("SHA256:"))
    assert accepted, done.stderr
    exchange(bundle)
    done, accepted = install(bundle, f"--digest={digest}")
    assert not accepted
    assert "this is not the bundle that you were told of" in done.stderr


def test_without_a_digest_it_is_said_that_nobody_vouches_for_the_bundle(bundle):
    """The sums came with the files, so they say nothing about who made them."""
    done, accepted = install(bundle)
    assert accepted
    assert "who made the bundle is not checked" in done.stdout
    assert digest_of(bundle) in done.stdout


def test_on_a_terminal_the_digest_is_shown_and_asked_for(bundle):
    """Who does not know it installs nothing."""
    ours, theirs = pty.openpty()
    os.write(ours, b"\n")
    command = [sys.executable, bundle / "install.py", bundle.parent / "env"]
    done = subprocess.run(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(theirs)
    assert digest_of(bundle).encode() in os.read(ours, 65536)
    os.close(ours)
    assert "nothing was installed" in done.stderr
    assert not (bundle.parent / "env").exists()


@needs_keygen
def test_a_signature_of_another_key_or_of_another_bundle_is_refused(bundle, key, tmp_path):
    """Neither the attacker's own signature nor the old one over new sums, and no bundle without one."""
    public = sign(bundle, key)
    done, accepted = install(bundle, "--allowed-signers", public)
    assert accepted, done.stderr
    exchange(bundle)
    done, accepted = install(bundle, "--allowed-signers", public)
    assert not accepted
    assert "or of another bundle" in done.stderr
    sign(bundle, new_key(tmp_path / "attacker"))
    done, accepted = install(bundle, "--allowed-signers", public)
    assert not accepted
    (bundle / "SHA256SUMS.sig").unlink()
    done, accepted = install(bundle, "--allowed-signers", public)
    assert not accepted
    assert "is not signed" in done.stderr


@needs_keygen
def test_keys_that_came_with_the_bundle_vouch_for_nothing(bundle, key):
    """Also through a link from elsewhere."""
    public = sign(bundle, key)
    shutil.copy(public, bundle / "maker.pub")
    (bundle.parent / "mine.pub").symlink_to(bundle / "maker.pub")
    done, accepted = install(bundle, "--allowed-signers", bundle.parent / "mine.pub")
    assert not accepted
    assert "came with the bundle" in done.stderr
    with pytest.raises(UsageError) as refused:
        check(bundle, BundleOrigin(signers=bundle / "maker.pub"))
    assert refused.value.code == "signers-in-bundle"


@needs_keygen
def test_a_signature_for_something_else_is_none(bundle, key, tmp_path):
    """Whoever signs commits or letters with the key has signed no bundle."""
    public = key.path.with_name("key.pub")
    sums = bundle / "SHA256SUMS"
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key.path, "-n", "git", sums], check=True)
    with pytest.raises(InstallFailed) as refused:
        signer_of(sums.read_bytes(), bundle / "SHA256SUMS.sig", public, os.environ)
    assert refused.value.code == "bundle-signature"
    allowed = tmp_path / "allowed"
    allowed.write_text(f'me@example.org namespaces="file" {public.read_text("utf-8")}', "utf-8")
    sign(bundle, key)
    with pytest.raises(InstallFailed):
        signer_of(sums.read_bytes(), bundle / "SHA256SUMS.sig", allowed, os.environ)


@needs_keygen
def test_a_key_that_cannot_sign_is_told_before_anything_is_fetched(tmp_path):
    """A passphrase nobody can type, and a file that is no key."""
    os.mkfifo(tmp_path / "pipe")
    locked = new_key(tmp_path / "locked", passphrase="long enough")
    others = (tmp_path, tmp_path / "pipe", tmp_path / "none")
    for made in (locked, *(SignKey(path=path, environ=os.environ) for path in others)):
        with pytest.raises(UsageError) as refused:
            check_sign_key(made)
        assert refused.value.code == "sign-key"


def check(folder, origin, *, report=None):
    check_lock_origin(
        folder / "pylock.toml", origin, settings_of_nobody(folder.parent, "") | dict(os.environ),
        report or SilentReporter(), assume_yes=False,
    )  # fmt: skip


class Noted(SilentReporter):
    """Keeps what it is told."""

    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)

    def stage(self, name, text):
        self.said.append(f"{name} {text}")


@needs_keygen
def test_an_installation_from_the_lock_of_a_bundle_checks_the_same(bundle, key):
    """`install --lock`: the digest, the signature, and a lock that was changed alone."""
    public = sign(bundle, key)
    digest = digest_of(bundle).removeprefix("sha256:")
    said = Noted()
    check(bundle, BundleOrigin(digest=digest, signers=public), report=said)
    assert said.said == [f"bundle sha256:{digest}, signed by the-given-key"]
    check(bundle, None, report=said)
    assert "who made it is not checked" in said.said[-1]
    exchange(bundle)
    for origin, code in (
        (BundleOrigin(digest=digest), "bundle-digest"),
        (BundleOrigin(signers=public), "bundle-signature"),
    ):
        with pytest.raises(TorchdoctorError) as refused:
            check(bundle, origin)
        assert refused.value.code == code
    (bundle / "pylock.toml").write_text("lock-version = '1.0'\n", "utf-8")
    with pytest.raises(InstallFailed) as refused:
        check(bundle, None)
    assert refused.value.code == "bundle-changed"


def test_a_digest_of_no_bundle_is_wrong_usage(tmp_path):
    """Where the sums were taken away the check is not left out in silence."""
    (tmp_path / "pylock.toml").touch()
    with pytest.raises(UsageError):
        check(Path(tmp_path), BundleOrigin(digest="0" * 64))
