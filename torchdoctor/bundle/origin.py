"""Whether a bundle is the one that somebody made: by the digest of its sums, or by a signature over them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.bundle.model import CHECKSUMS, SIGNATURE
from torchdoctor.bundle.signature import signer_of
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BundleOrigin", "CheckedOrigin", "check_origin", "digest_of_sums", "is_bundle", "parse_digest"]

_MOST_BYTES = 1 << 20
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_.+!-]{1,255})")


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleOrigin:
    """What must hold of a bundle; both reach the user by another way than the bundle."""

    digest: str | None = None  # 64 hex digits
    signers: Path | None = None  # a file of allowed signers, or a public key


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedOrigin:
    """What is known of a bundle."""

    digest: str  # `sha256:` and 64 hex digits
    signer: str | None  # None where no signature was checked


def parse_digest(text: str, option: str) -> str:
    """Return the 64 digits of a digest that was typed; raises `UsageError`."""
    match = _DIGEST.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(
            message("{option} is not a SHA-256: {text!r}", option=option, text=text[:100]),
            fix=message("give what `torchdoctor download` printed, such as sha256: and 64 digits"),
        )
    return match.group(1)


def is_bundle(folder: Path) -> bool:
    """Whether there are sums of a bundle in the folder."""
    return (folder / CHECKSUMS).is_file()


def digest_of_sums(sums: bytes) -> str:
    """The digest of a bundle, as it is printed."""
    return f"sha256:{hashlib.sha256(sums).hexdigest()}"


def check_origin(
    folder: Path, origin: BundleOrigin, names: tuple[str, ...], environ: Mapping[str, str]
) -> CheckedOrigin:
    """Check the sums of a bundle by what `origin` says, and these files of it by the sums.

    Raises `InstallFailed` where the bundle is another one, and `UsageError` where it cannot be checked.
    """
    sums = _read_sums(folder)
    digest = digest_of_sums(sums)
    if origin.digest is not None and digest != f"sha256:{origin.digest}":
        raise InstallFailed(
            message(
                "{folder} is not the bundle that you named: its digest is {digest}",
                folder=folder,
                digest=digest,
            ),
            fix=message(
                "do not install it; ask whoever made it for the digest, and copy the whole folder again"
            ),
            code="bundle-digest",
        )
    signer = _signer(folder, sums, origin.signers, environ) if origin.signers is not None else None
    known = _hashes(folder, sums)
    for name in names:
        _refuse_changed(folder / name, known.get(name))
    return CheckedOrigin(digest=digest, signer=signer)


def _read_sums(folder: Path) -> bytes:
    try:
        return read_regular(folder / CHECKSUMS, limit=_MOST_BYTES)
    except OSError as error:
        raise UsageError(
            message("{path} cannot be read: {why}", path=folder / CHECKSUMS, why=error.strerror or error),
            fix=message("copy the whole folder of the bundle again"),
            code="bad-bundle",
        ) from error


def _signer(folder: Path, sums: bytes, signers: Path, environ: Mapping[str, str]) -> str:
    if signers.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            message("{path} came with the bundle, so it says nothing about who made that", path=signers),
            fix=message("name a file of your own, which reached you by another way"),
            code="signers-in-bundle",
        )
    signature = folder / SIGNATURE
    if not signature.is_file():
        raise InstallFailed(
            message("{folder} is not signed: there is no {name}", folder=folder, name=SIGNATURE),
            fix=message("ask for a signed bundle: torchdoctor download DIR --sign-key FILE"),
            code="bundle-signature",
        )
    return signer_of(sums, signature, signers, environ)


def _hashes(folder: Path, sums: bytes) -> dict[str, str]:
    matches = [_LINE.fullmatch(line) for line in sums.decode("utf-8", "replace").splitlines()]
    if not matches or None in matches:
        raise UsageError(
            message("{path} is not a list of checksums", path=folder / CHECKSUMS),
            fix=message("copy the whole folder of the bundle again"),
            code="bad-bundle",
        )
    return {match.group(2): match.group(1) for match in matches if match}


def _refuse_changed(path: Path, known: str | None) -> None:
    try:
        found = sha256_of(path) if path.is_file() else None
    except OSError:
        found = None
    if found is None or found != known:
        raise InstallFailed(
            message("{path} has changed since the bundle was packed", path=path),
            fix=message("copy the whole folder of the bundle again"),
            code="bundle-changed",
        )
