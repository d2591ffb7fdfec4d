"""A lock that lies in a bundle is that bundle's: who made it is checked, or said to be unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.bundle import BundleOrigin, check_origin, is_bundle
from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter

__all__ = ["check_lock_origin"]


def check_lock_origin(
    lock: Path | None,
    origin: BundleOrigin | None,
    environ: Mapping[str, str],
    report: Reporter,
    *,
    assume_yes: bool,
) -> None:
    """Check the bundle in which `lock` lies by what `origin` says; without one, a person is shown its digest.

    Raises `UsageError` where there is no bundle to check, and `InstallFailed` where it is another one.
    """
    folder = lock.parent if lock is not None else None
    if folder is None or not is_bundle(folder):
        if origin is not None:
            raise UsageError(
                message("--digest and --allowed-signers are of a bundle, and no bundle is installed"),
                fix=message("name the lock of the bundle: --lock DIR/pylock.toml"),
            )
        return
    names = (lock.name,) if lock is not None else ()
    checked = check_origin(folder, origin or BundleOrigin(), names, environ)
    if origin is not None:
        text = checked.digest
        if checked.signer is not None:
            text = message("{digest}, signed by {name}", digest=text, name=checked.signer)
        report.stage("bundle", text)
        return
    if report.can_ask and not assume_yes:
        question = message(
            "Is {digest} the digest that was printed when the bundle was made?", digest=checked.digest
        )
        if report.ask(question, default=False):
            return
        raise InstallFailed(
            message("nothing was changed: the bundle may be another one"),
            fix=message("compare its digest, or give it: --digest {digest}", digest="sha256:…"),
            code="declined",
        )
    report.note(
        message(
            "the files are those of the bundle with the digest {digest}; who made it is not checked: --digest or "
            "--allowed-signers does",
            digest=checked.digest,
        )
    )
