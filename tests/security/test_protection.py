"""What is protected by https stays so, and what is said of hashes is true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.loopback import Fault
from tests.workflows.recorder import Recorder
from torchdoctor.core.net.protection import is_protected
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch import FetchedWheel, Wheelhouse, fetch
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.lock.protection import ProtectionCheck
from torchdoctor.sources import Source, Sources
from torchdoctor.workflows.fetch_report import report_fetched
from wheels_index import parse_page

if TYPE_CHECKING:
    from tests.security.conftest import World

NAME = "needed-1.0-py3-none-any.whl"
SHA256 = "1" * 64


def locked(url: str, sha256: str | None = SHA256) -> LockedWheel:
    """A file at this place."""
    return LockedWheel(
        name="needed", version="1.0", filename=NAME, url=f"{url}/{NAME}", sha256=sha256, size=None
    )


def sources_of(*urls: str) -> Sources:
    """Indexes at these places, the last the default."""
    made = [Source(name=url, url=url, layout="simple", origin="pip.conf") for url in urls]
    return Sources(torch=(), indexes=tuple(made[:-1]), default_index=made[-1], find_links=())


def check(sources: Sources, *wheels: LockedWheel) -> str | None:
    """The code of the error for a lock of these files from these indexes."""
    try:
        ProtectionCheck(Lock(wheels=wheels), sources, known=(), offline=False).refuse()
    except SourceFailed as error:
        return error.code
    return None


@pytest.mark.parametrize("hashed", [True, False])
def test_a_page_over_https_may_not_link_to_http(hashed: bool) -> None:
    """With a hash or without one; within http and to https it may."""
    link = f'<a href="http://files.example.org/{NAME}{f"#sha256={SHA256}" if hashed else ""}">x</a>'
    assert parse_page(link, url="https://example.org/simple/needed/").wheels == ()
    assert len(parse_page(link, url="http://example.org/simple/needed/").wheels) == 1
    safe = link.replace("http://", "https://")
    assert len(parse_page(safe, url="https://example.org/simple/needed/").wheels) == 1


@pytest.mark.parametrize(
    "url", ["http://files.example.org", "http://10.0.0.1", "http://127.0.0.1.example.org"]
)
def test_a_file_without_a_hash_is_not_fetched_over_http(tmp_path: Path, url: str) -> None:
    """It is refused before its host is asked."""
    with pytest.raises(SourceFailed) as refused:
        fetch([locked(url, None)], cache=tmp_path, progress=Recorder())
    assert refused.value.code == "unprotected"


@pytest.mark.parametrize(
    ("indexes", "url", "code"),
    [
        (("https://a.example.org/simple",), "http://a.example.org/files", "unprotected"),
        (("https://a.example.org/simple",), "http://cdn.example.org/files", "unprotected"),
        (
            ("https://a.example.org/simple", "http://b.example.org/simple"),
            "http://a.example.org/f",
            "unprotected",
        ),
        (("https://a.example.org/simple", "http://b.example.org/simple"), "http://b.example.org/f", None),
        (("http://b.example.org/simple",), "http://b.example.org/f", None),
    ],
)
def test_a_locked_file_of_an_index_over_https_is_not_taken_over_http(
    indexes: tuple[str, ...], url: str, code: str | None
) -> None:
    """uv follows such a link; an index that was named over http is the user's own choice."""
    sources = sources_of(*indexes)
    made = ProtectionCheck(Lock(wheels=(locked(url),)), sources, known=(), offline=True)
    try:
        made.refuse()
    except SourceFailed as error:
        assert error.code == code  # noqa: PT017
    else:
        assert code is None


def test_an_index_over_https_that_leads_to_http_is_refused(world: World) -> None:
    """uv follows the redirect and tells nobody; the links of that page may be https again."""
    index = "https://mirror.nju.edu.cn/simple"
    assert check(sources_of(index), locked("https://files.example.org")) is None
    world.mirror.faults["/simple/needed/"] = Fault(status=302, location=f"{world.pypi.url}/simple/needed/")
    assert check(sources_of(index), locked("https://files.example.org")) == "unprotected"


def test_the_line_counts_only_hashes_that_were_checked() -> None:
    """A file whose hash is that of its first download was not checked."""
    wheel = locked("https://files.example.org")
    fetched = FetchedWheel(
        wheel=wheel,
        path=Path(NAME),
        sha256=SHA256,
        size=1,
        source="https://files.example.org/",
        first_seen=False,
    )
    others = [
        replace(fetched, wheel=replace(wheel, filename=f"{name}-1.0-py3-none-any.whl")) for name in "ab"
    ]
    house = Wheelhouse(wheels=(fetched, replace(others[0], first_seen=True), others[1]))
    report = Recorder()
    report_fetched(house, Path("built"), report, unlisted=[others[1].wheel.filename])
    assert report.stages["fetch"].endswith(
        "hashes checked: 1 from files.example.org, 2 without a hash of an index"
    )
    alone = Wheelhouse(wheels=(replace(fetched, first_seen=True),))
    report_fetched(alone, Path("built"), report)
    assert "checked" not in report.stages["fetch"]


def test_only_loopback_needs_no_https() -> None:
    """Names that merely look like it are elsewhere."""
    assert all(map(is_protected, ("http://localhost:8080/x", "http://[::1]/x", "http://127.9.9.9/x")))
    assert not any(
        map(
            is_protected,
            ("http://localhost.example.org/", "http://0.0.0.0/", "ftp://127.0.0.1.x/", "http://[/"),
        )
    )
