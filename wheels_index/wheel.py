"""A wheel file as it was seen somewhere: its name taken apart, its place, its digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import BuildTag
    from packaging.version import Version

__all__ = ["InvalidWheel", "Wheel", "split_label", "variant_of"]

# A file name of 255 bytes is the most that ext4, NTFS and APFS hold.
_MAX_NAME_LENGTH = 255
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# https://packaging.python.org/en/latest/specifications/binary-distribution-format/ and the `+` of a local
# version: nothing else belongs in a wheel's name, so no separator and no control character gets in.
_NAME = re.compile(r"[A-Za-z0-9._!+-]+\.whl", re.ASCII)
# PEP 825 (draft): the label of a wheel variant is the last part of its name; a Python tag begins with no digit.
_LABEL = re.compile(r"[0-9a-z_.]{1,64}", re.ASCII)
_VARIANT = re.compile(r"cpu|xpu|cu[0-9]{2,3}|rocm[0-9]{1,3}(\.[0-9]{1,3}){1,2}", re.ASCII)


class InvalidWheel(ValueError):
    """A file name or a digest that no wheel can have; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheel:
    """One wheel file in one place. What is not known is None.

    `project` is normalised and `filename` has its `+` decoded. `sha256` is 64 lower-case hex digits and
    belongs to the file at `url` alone: another host may have other bytes under the same name. `size` is in
    bytes. `variant` is `cu124`, `cpu`, `rocm6.3`, `xpu`; `metadata_sha256` is of the PEP 658 sidecar. `seen`
    is the ISO date on which a live index listed the file; None for one of the bundled snapshot.

    `label` is that of a wheel variant (PEP 825, a draft), such as `cu128`: `filename` is without it, as an installer
    of today reads it, and `url` has it. `properties` are what the index says that the label stands for.
    """

    project: str
    version: Version
    filename: str
    url: str | None
    sha256: str | None
    size: int | None
    variant: str | None
    metadata_sha256: str | None = None
    has_metadata: bool = False
    requires_python: str | None = None
    yanked: bool = False
    seen: str | None = None
    label: str | None = None
    properties: tuple[str, ...] = ()

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags of the file name, compressed sets expanded."""
        return _parse_filename(self.filename)[3]

    @property
    def build(self) -> BuildTag:
        """The build number of the file name: `(3, "")`, or `()` for none."""
        return _parse_filename(self.filename)[2]

    @classmethod
    def from_filename(
        cls,
        filename: str,
        *,
        url: str | None = None,
        sha256: str | None = None,
        size: int | None = None,
        variant: str | None = None,
        metadata_sha256: str | None = None,
        has_metadata: bool = False,
        requires_python: str | None = None,
        yanked: bool = False,
    ) -> Wheel:
        """Read a file name; `variant` is used where the local version names none.

        Raises `InvalidWheel` for a name that is not a wheel's, a digest that is not one, a negative size.
        """
        filename, label = split_label(filename)
        project, version, _, _ = _parse_filename(filename)
        if size is not None and size < 0:
            raise InvalidWheel(f"the size is negative: {size}")
        return cls(
            project=project,
            version=version,
            filename=filename,
            url=url,
            sha256=_digest(sha256),
            size=size,
            variant=variant_of(version) or variant,
            metadata_sha256=_digest(metadata_sha256),
            has_metadata=has_metadata,
            requires_python=requires_python,
            yanked=yanked,
            label=label,
        )


def split_label(filename: str) -> tuple[str, str | None]:
    """Return a wheel's name without the label of its variant, and the label; None for a wheel that has none.

    >>> split_label("torch-2.10.0-cp312-cp312-manylinux_2_28_x86_64-cu128.whl")
    ('torch-2.10.0-cp312-cp312-manylinux_2_28_x86_64.whl', 'cu128')
    >>> split_label("numpy-2.3.2-1-cp313-cp313-win_amd64.whl")[1] is None
    True
    """
    parts = filename.removesuffix(".whl").split("-")
    plain, with_build = 5, 6
    has_build = len(parts) > with_build or (len(parts) == with_build and parts[2][:1].isdigit())
    if len(parts) != (with_build if has_build else plain) + 1 or not _LABEL.fullmatch(parts[-1]):
        return filename, None
    return "-".join(parts[:-1]) + ".whl", parts[-1]


def variant_of(version: Version) -> str | None:
    """Return the variant that a local version names: `cu124` of `2.4.1+cu124`, None of a git hash.

    >>> from packaging.version import Version
    >>> variant_of(Version("2.4.1+cu124")), variant_of(Version("2.1.0+cpu.cxx11.abi"))
    ('cu124', 'cpu-cxx11-abi')
    >>> variant_of(Version("0.24.0+e437e35")) is variant_of(Version("2.4.1")) is None
    True
    """
    local = version.local
    if local is None:
        return None
    if local == "cpu.cxx11.abi":  # its folder is whl/cpu-cxx11-abi
        return "cpu-cxx11-abi"
    return local if _VARIANT.fullmatch(local) else None


def _digest(sha256: str | None) -> str | None:
    if sha256 is None:
        return None
    lowered = sha256.lower()
    if not _SHA256.fullmatch(lowered):
        raise InvalidWheel(f"the sha256 is not 64 hex digits: {sha256[:80]!r}")
    return lowered


@lru_cache(maxsize=4096)
def _parse_filename(filename: str) -> tuple[str, Version, BuildTag, frozenset[Tag]]:
    """Parse a wheel's name strictly, remembering the last few thousand."""
    # Reading bundled data needs no tags, and packaging.tags brings subprocess with it.
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    if len(filename) > _MAX_NAME_LENGTH:
        raise InvalidWheel(f"the name has {len(filename)} characters, more than {_MAX_NAME_LENGTH}")
    if not _NAME.fullmatch(filename):
        raise InvalidWheel(f"not a wheel's name: {filename!r}")
    try:
        return parse_wheel_filename(filename)
    except (InvalidWheelFilename, ValueError) as error:
        raise InvalidWheel(str(error)) from error
