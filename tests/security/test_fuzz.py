"""Whatever bytes come from outside: each parser gives a value or an error of ours, and never another one.

Few inputs a parser run with the other tests. `TORCHDOCTOR_TEST_FUZZ=1000000 pytest tests/security/test_fuzz.py -s` runs
as many as that, and prints how many were tried.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.requirements.conftest import Reader
from tests.security.fuzz_seeds import PIECES, SEEDS, URL
from torchdoctor.bundle.origin import _hashes
from torchdoctor.detect import Machine
from torchdoctor.detect.amd.parsers import parse_amd_smi, parse_kfd_properties, parse_rocminfo
from torchdoctor.detect.nvidia.driver_install import parse_xids
from torchdoctor.detect.nvidia.gpu_state import parse_states
from torchdoctor.detect.nvidia.parsers import parse_nvml, parse_smi, parse_smi_refusal
from torchdoctor.detect.nvidia.smi_table import parse_smi_list, parse_smi_table
from torchdoctor.diagnose import diagnose_text
from torchdoctor.errors import TorchdoctorError
from torchdoctor.install.recorded import recorded_packages, vouchers_of
from torchdoctor.inventory.metadata import (
    parse_conda,
    parse_direct_url,
    parse_install_record,
    parse_metadata,
    parse_pth,
    parse_version_file,
)
from torchdoctor.inventory.package_details import parse_details
from torchdoctor.lock.pylock_file import parse_pylock
from wheels_index import InvalidWheel, NotAnIndex, Overlay, PageTooLarge, Wheel, parse_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.fuzz

COUNT = int(os.environ.get("TORCHDOCTOR_TEST_FUZZ", "150"))
SEED = int(os.environ.get("TORCHDOCTOR_TEST_FUZZ_SEED", "21"))


def mutations(seeds: tuple[str, ...], count: int, choose: random.Random) -> Any:
    """Yield so many texts: seeds with pieces put in, parts taken out, doubled, exchanged, cut."""
    for _ in range(count):
        text = choose.choice(seeds)
        for _ in range(choose.choice((1, 1, 2, 3, 6))):
            start = choose.randrange(len(text) + 1)
            end = min(len(text), start + choose.choice((0, 1, 1, 2, 5, 20, 200)))
            kind = choose.randrange(6)
            if kind == 0:
                text = text[:start] + choose.choice(PIECES) + text[end:]
            elif kind == 1:
                text = text[:start] + text[end:]
            elif kind == 2:
                text = text[:end] + text[start:]
            elif kind == 3:
                text = (
                    text[:start]
                    + chr(choose.choice((choose.randrange(128), choose.randrange(0x3000))))
                    + text[start:]
                )
            elif kind == 4:
                other = choose.choice(seeds)
                at = choose.randrange(len(other) + 1)
                text = text[:start] + other[at : at + 60] + text[end:]
            else:
                text = text[:start]
            text = text[:20_000]
        yield text


def _page_html(text: str, _: Path) -> None:
    parse_page(text.encode("utf-8", "surrogatepass"), url=URL, content_type="text/html", project="torch")


def _page_json(text: str, _: Path) -> None:
    body = text.encode("utf-8", "surrogatepass")
    parse_page(body, url=URL, content_type="application/vnd.pypi.simple.v1+json", project="torch")


def _wheel_name(text: str, _: Path) -> None:
    Wheel.from_filename(text)


def _metadata(text: str, _: Path) -> None:
    parse_metadata(text)
    parse_details(text)


def _small_files(text: str, _: Path) -> None:
    parse_direct_url(text)
    parse_version_file(text)
    parse_conda(text)
    parse_pth(text, path="x.pth")


def _lock(text: str, folder: Path) -> None:
    path = folder / "pylock.toml"
    path.write_text(text, "utf-8", errors="replace")
    parse_pylock(path)


def _requirements(text: str, folder: Path) -> None:
    (folder / "requirements.txt").write_text(text, "utf-8", errors="replace")
    Reader(folder).read("requirements.txt")


def _machine(text: str, _: Path) -> None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    Machine.from_json(document)


def _nvidia(text: str, _: Path) -> None:
    with contextlib.suppress(ValueError):  # as it says of a table that is not what was asked for
        parse_smi(text, ("name", "memory.total", "driver_version"))
    with contextlib.suppress(ValueError):
        parse_nvml(text)
    with contextlib.suppress(ValueError):
        parse_states(text)
    parse_smi_refusal(text)
    parse_smi_table(text)
    parse_smi_list(text)
    parse_xids(text)


def _amd(text: str, _: Path) -> None:
    parse_rocminfo(text)
    parse_amd_smi(text)
    parse_kfd_properties(text)


def _record(text: str, _: Path) -> None:
    parse_install_record(text, path="torchdoctor.json")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict):
        recorded_packages(document)
        vouchers_of(document)


def _stored_index(text: str, _: Path) -> None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    Overlay.from_json(document)


def _sums(text: str, folder: Path) -> None:
    _hashes(folder, text.encode("utf-8", "surrogatepass"))


def _diagnosis(text: str, _: Path) -> None:
    diagnose_text(text)


PARSERS: dict[str, tuple[Callable[[str, Path], None], tuple[type[Exception], ...], int]] = {
    # The parser, the errors that are answers, and how many times fewer inputs it gets.
    "index pages, HTML": (_page_html, (NotAnIndex, PageTooLarge), 1),
    "index pages, JSON": (_page_json, (NotAnIndex, PageTooLarge), 1),
    "wheel names": (_wheel_name, (InvalidWheel,), 1),
    "metadata": (_metadata, (), 1),
    "small files of an environment": (_small_files, (), 1),
    "locks": (_lock, (TorchdoctorError,), 10),
    "requirements": (_requirements, (TorchdoctorError,), 10),
    "machine files": (_machine, (TorchdoctorError,), 1),
    "nvidia-smi": (_nvidia, (), 2),
    "rocminfo, amd-smi": (_amd, (), 1),
    "torchdoctor.json": (_record, (), 1),
    "stored indexes": (_stored_index, (ValueError,), 1),
    "sums of bundles": (_sums, (TorchdoctorError,), 1),
    "texts to diagnose": (_diagnosis, (), 50),
}


@pytest.mark.parametrize("name", PARSERS)
def test_any_input_gives_a_value_or_an_error_of_ours(name, tmp_path):
    """No other exception, whatever was changed in an input that is right."""
    parse, errors, share = PARSERS[name]
    count = max(20, COUNT // share)
    refused = 0
    for text in mutations(SEEDS[name], count, random.Random(f"{SEED} {name}")):  # noqa: S311
        try:
            parse(text, tmp_path)
        except errors:
            refused += 1
        except Exception as error:
            raise AssertionError(f"{name}: {error!r} for {text!r}") from error
    print(f"{name}: {count:,} inputs, {refused:,} refused")  # noqa: T201
    assert refused < count or not errors


@pytest.mark.parametrize(
    "line",
    [
        "x @ https://example.]]>g/x-1.whl", "http://[-x",
        "x @ ~=https://e.org/x-1-py3-none-any.whl", "-c other\x00.txt", "-r http://[x", "https://e,x[extra]x.txt",
        f"x @ {'h' * 2000}.whl",
    ],
)  # fmt: skip
def test_a_line_that_names_no_place_is_refused(tmp_path, line):
    """What the fuzzer found: no URL, no path that a file can have."""
    (tmp_path / "requirements.txt").write_text(f"{line}\n", "utf-8")
    with pytest.raises(TorchdoctorError):
        Reader(tmp_path).read("requirements.txt")
    if not line.startswith("-"):
        with pytest.raises(TorchdoctorError):
            Reader(tmp_path).read(with_=(line,))
