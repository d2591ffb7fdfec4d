"""What is protected by https stays so, and what is said of hashes is true."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.core.net.protection import is_protected
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch import FetchedWheel, Wheelhouse, fetch
from torchdoctor.lock import compile_lock
from torchdoctor.lock.model import Lock, LockedWheel, LockRequest
from torchdoctor.lock.protection import ProtectionCheck
from torchdoctor.resolve import Plan
from torchdoctor.sources import Source, Sources
from torchdoctor.sources.sdists import fetch_archive
from torchdoctor.workflows.fetch_report import report_fetched
from wheels_index import parse_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.loopback import LoopbackIndex
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


@pytest.mark.parametrize(
    ("listed", "code"), [(SHA256, None), ("2" * 64, "unprotected"), (None, "unprotected")]
)
def test_beside_an_index_over_https_one_over_http_answers_for_its_own_files_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, listed: str | None, code: str | None
) -> None:
    """Wherever they lie; the one over https cannot lead there because another index is named over http."""
    monkeypatch.setattr("torchdoctor.lock.protection.is_protected", lambda url: url.startswith("https://"))
    over_http = f"{world.pypi.url}/simple"
    if listed is not None:
        link = f'<a href="http://cdn.example.org/{NAME}#sha256={listed}">x</a>'
        world.pypi.pages["/simple/needed/"] = link.encode()
    sources = sources_of("https://mirror.nju.edu.cn/simple", over_http)
    assert check(sources, locked("http://cdn.example.org")) == code


def test_where_the_page_over_http_cannot_be_read_the_host_decides(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv may have a password for it that nobody else has; a file on a third host is nobody's."""
    monkeypatch.setattr("torchdoctor.lock.protection.is_protected", lambda url: url.startswith("https://"))
    world.pypi.faults["/simple/needed/"] = Fault(status=401)
    sources = sources_of("https://mirror.nju.edu.cn/simple", f"{world.pypi.url}/simple")
    assert check(sources, locked(world.pypi.url)) is None
    assert check(sources, locked("http://cdn.example.org")) == "unprotected"


@pytest.mark.process
def test_a_page_of_the_network_names_no_file_of_this_machine(
    index: LoopbackIndex, tmp_path: Path, request_for: Callable[..., LockRequest]
) -> None:
    """uv would follow the link; in a folder that the user names the file is taken all the same."""
    name, content = make_wheel("needed", "1.0", tag="py3-none-any")
    (tmp_path / "wheels").mkdir()
    path = tmp_path / "wheels" / name
    path.write_bytes(content)
    link = f'<a href="{path.as_uri()}#sha256={hashlib.sha256(content).hexdigest()}">{name}</a>'
    index.pages["/simple/needed/"] = link.encode()
    nothing = Plan(variant="cpu", index_url="", packages=(), reasons=())
    sources = sources_of(f"{index.url}/simple")
    folder = Source(name="folder", url=path.parent.as_uri(), layout="flat", origin="--find-links")
    for number, find_links in enumerate([(), (folder,)]):
        request = request_for(sources=replace(sources, find_links=find_links), extras=("needed",))
        (tmp_path / str(number)).mkdir()
        try:
            lock = compile_lock(nothing, request, folder=tmp_path / str(number))
        except SourceFailed as error:
            assert (error.code, find_links) == ("unprotected", ())  # noqa: PT017
        else:
            assert (lock.wheels[0].url, find_links) == (path.as_uri(), (folder,))


def test_a_source_distribution_over_https_that_leads_to_http_is_an_error(
    world: World, tmp_path: Path
) -> None:
    """One of ours, with the reason."""
    world.mirror.faults["/f/x-1.0.tar.gz"] = Fault(status=302, location=f"{world.pypi.url}/f/x-1.0.tar.gz")
    with pytest.raises(SourceFailed) as refused:
        fetch_archive("https://mirror.nju.edu.cn/f/x-1.0.tar.gz", tmp_path)
    assert refused.value.code == "unreachable"
    assert world.pypi.seen == []


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
