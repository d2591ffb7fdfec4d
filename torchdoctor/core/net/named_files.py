"""Files that variables name for requests and uv, which would wait for a pipe and read a device without end."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["refuse_special_files"]

# https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
# https://docs.astral.sh/uv/reference/environment/
_VARIABLES = (
    "NETRC", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CLIENT_CERT", "PIP_CERT", "PIP_CLIENT_CERT",
)  # fmt: skip
_IN_HOME = (".netrc", "_netrc")


def refuse_special_files(environ: Mapping[str, str]) -> None:
    """Raise `UsageError` where what stands for a file that others will read is a pipe, a socket or a device.

    The null device is allowed: whoever names it wants nothing to be read.
    """
    for path, name in _named(environ):
        try:
            status = os.stat(path)  # noqa: PTH116  (`~` stays as it is named)
        except (OSError, ValueError):
            continue
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) or _is_null_device(status)):
            raise UsageError(
                message("{path} is a pipe or a device, and not a file", path=path),
                fix=message("name a file with {name}, or leave it unset", name=name)
                if name
                else message("remove it"),
                code="special-file",
            )


def _named(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _VARIABLES:
        if path := environ.get(name):
            yield os.path.expanduser(path), name  # noqa: PTH111
    if "NETRC" not in environ and (home := environ.get("HOME") or environ.get("USERPROFILE")):
        for name in _IN_HOME:
            yield os.path.join(home, name), ""  # noqa: PTH118


def _is_null_device(status: os.stat_result) -> bool:
    try:
        return stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116
    except OSError:
        return False
