"""Lock and Wheelhouse -> Bundle: a folder that installs without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.bundle.model import Bundle
    from torchdoctor.bundle.origin import BundleOrigin, check_origin, is_bundle
    from torchdoctor.bundle.signature import SignKey, check_sign_key
    from torchdoctor.bundle.write import write_bundle

__all__ = ["Bundle", "BundleOrigin", "SignKey", "check_origin", "check_sign_key", "is_bundle", "write_bundle"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "model": ("Bundle",),
            "origin": ("BundleOrigin", "check_origin", "is_bundle"),
            "signature": ("SignKey", "check_sign_key"),
            "write": ("write_bundle",),
        },
    )
