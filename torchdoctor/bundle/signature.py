"""Signatures of OpenSSH over a bundle's sums: made with a user's key, checked against keys that a user names."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.system.process import MERGED, PIPE, ManagedProcess, Tail, read_chunks
from torchdoctor.core.system.programs import find_program
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import InstallFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SignKey", "check_sign_key", "sign_file", "signer_of"]

_NAMESPACE = "torchdoctor"  # a signature for mail or for git is none for a bundle
_PUBLIC_KEY = re.compile(r"(?:ssh|ecdsa|sk)-[^\s]{1,80} [A-Za-z0-9+/]")
_SECONDS = 60.0
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SignKey:
    """A key to sign with: a private key, or the public key of one that ssh-agent has."""

    path: Path
    environ: Mapping[str, str]  # with PATH, and where ssh-agent is


def check_sign_key(key: SignKey) -> None:
    """Sign something small, so that a key that cannot sign shows before gigabytes are fetched; raises `UsageError`."""
    with tempfile.TemporaryDirectory(prefix="torchdoctor-") as folder:
        probe = Path(folder, "probe")
        probe.write_bytes(b"probe\n")
        sign_file(probe, key)


def sign_file(path: Path, key: SignKey) -> None:
    """Write `path`.sig, which `ssh-keygen -Y verify` reads; raises `UsageError` where the key cannot sign."""
    path.with_name(f"{path.name}.sig").unlink(missing_ok=True)
    if not key.path.is_file():
        raise UsageError(
            message("{path} is not a file", path=key.path),
            fix=message("name a private key of OpenSSH, or the .pub file of one that ssh-agent has"),
            code="sign-key",
        )
    status, said = _keygen(["-Y", "sign", "-f", str(key.path), "-n", _NAMESPACE, str(path)], b"", key.environ)
    if status != 0:
        raise UsageError(
            message("{key} cannot sign: {why}", key=key.path, why=said),
            fix=message(
                "name a private key of OpenSSH without a passphrase, or one that ssh-agent has, by its .pub file"
            ),
            code="sign-key",
        )


def signer_of(signed: bytes, signature: Path, signers: Path, environ: Mapping[str, str]) -> str:
    """Return the name under which `signers` (a file of allowed signers, or one public key) has the key that signed.

    Raises `InstallFailed` where that is nobody, and `UsageError` for a file that cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="torchdoctor-") as folder:
        files = ["-s", str(signature), "-f", str(_allowed_signers(signers, Path(folder)))]
        name = _checked(["-Y", "find-principals", *files], b"", environ).splitlines()[0]
        _checked(["-Y", "verify", *files, "-I", name, "-n", _NAMESPACE], signed, environ)
    return sanitize_line(name)


def _allowed_signers(signers: Path, folder: Path) -> Path:
    try:
        text = read_regular(signers, limit=_MOST_BYTES).decode()
    except (OSError, ValueError) as error:
        raise UsageError(
            message(
                "{path} cannot be read: {why}", path=signers, why=getattr(error, "strerror", None) or error
            ),
            fix=message("name a file of allowed signers as ssh-keygen reads it, or one public key"),
        ) from error
    if not _PUBLIC_KEY.match(text):
        return signers
    path = folder / "allowed"
    path.write_text(f'the-given-key namespaces="{_NAMESPACE}" {" ".join(text.split()[:2])}\n', "utf-8")
    return path


def _checked(arguments: Sequence[str], text: bytes, environ: Mapping[str, str]) -> str:
    status, said = _keygen(arguments, text, environ)
    if status == 0 and said:
        return said
    raise InstallFailed(
        message(
            "the bundle's signature is of nobody whom that file names, or of another bundle: {why}", why=said
        ),
        fix=message("do not install it; ask whoever made it"),
        code="bundle-signature",
    )


def _keygen(arguments: Sequence[str], text: bytes, environ: Mapping[str, str]) -> tuple[int | None, str]:
    """Run ssh-keygen on a short text; the status is None where it did not end in time."""
    program = find_program("ssh-keygen", environ)
    if program is None:
        raise UsageError(
            message("there is no ssh-keygen here, which makes and checks signatures"),
            fix=message("install OpenSSH 8.1 or later, or compare the bundle's digest: --digest"),
            code="no-ssh-keygen",
        )
    tail = Tail(4096)
    with ManagedProcess(
        [program, *arguments], environ=environ, stdin=PIPE, stdout=PIPE, stderr=MERGED
    ) as process:
        reading = read_chunks(process.stdout, tail.add)
        try:
            process.stdin.write(text)
            process.stdin.close()
        except OSError:  # it has ended without reading
            pass
        process.wait(_SECONDS)
        status = process.status
        process.kill_group()
        reading.join(_SECONDS)
    return status, tail.text.strip()
