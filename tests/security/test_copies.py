"""What a copy of PyPI lists is held against PyPI, and metadata against the wheels."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.model import Lock, LockedWheel, LockRequest
from torchdoctor.lock.unasked import same_requirements, unasked_packages
from torchdoctor.sources import PYPI, Source, Sources
from torchdoctor.workflows.copy_check import CopyCheck, Lie, without_lying_copies
from torchdoctor.workflows.source_check import refuse_untrue_sources
from wheels_index import Sdist, bundled

if TYPE_CHECKING:
    from tests.security.conftest import World

pytestmark = pytest.mark.usefixtures("nobody_is_trusted")

COPY = Source(
    name="copy", url="https://mirror.nju.edu.cn/pypi/web/simple", layout="simple", origin="pip.conf"
)
OWN = Source(name="own", url="https://wheels.example.org/simple", layout="simple", origin="pip.conf")
RIGHT, WRONG = hashlib.sha256(b"right").hexdigest(), hashlib.sha256(b"wrong").hexdigest()
TRITON = next(wheel for wheel in bundled().project("triton") if wheel.sha256)


def locked(name: str, sha256: str, url: str = "https://mirror.nju.edu.cn/f") -> LockedWheel:
    """A file of a lock, of version 1.0."""
    filename = f"{name}-1.0-py3-none-any.whl"
    return LockedWheel(
        name=name, version="1.0", filename=filename, url=f"{url}/{filename}", sha256=sha256, size=None
    )


def request_of(*indexes: Source, default: Source = COPY) -> LockRequest:
    """A request that is served by these indexes."""
    sources = Sources(torch=(), indexes=indexes, default_index=default, find_links=())
    return LockRequest(python=Path("python"), sources=sources, environ={})


def checked(request: LockRequest, *wheels: LockedWheel) -> tuple[tuple[Lie, ...], tuple[str, ...], Recorder]:
    """The lies that are found, what of torch's stays open, and what is said of that."""
    check, report = CopyCheck(Lock(wheels=wheels), request, settled=()), Recorder()
    return check.lies(), check.report_unanswered(report), report


@pytest.fixture
def pypi(world: World) -> World:
    """PyPI has one file of `six`."""
    name = "six-1.0-py3-none-any.whl"
    world.pypi.pages["/simple/six/"] = f'<a href="/f/{name}#sha256={RIGHT}">{name}</a>'.encode()
    world.pypi.pages["/simple/pip/"] = b"<a href='/f/pip-1.0-py3-none-any.whl'>pip</a>"
    return world


def test_other_bytes_and_other_files_of_a_copy_are_found(pypi: World) -> None:
    """The right one is not among them."""
    lies, _, report = checked(request_of(), locked("six", RIGHT), locked("evil", RIGHT))
    assert [(lie.wheel.name, lie.known) for lie in lies] == [("evil", None)]
    lies, _, _ = checked(request_of(), locked("six", WRONG))
    assert [(lie.wheel.name, lie.known) for lie in lies] == [("six", RIGHT)]
    assert report.notes == report.warnings == []


def test_a_file_of_pypi_under_another_name_is_found(pypi: World) -> None:
    """A page in JSON names a file apart from its URL; the file itself is on PyPI's own host."""
    elsewhere = "https://files.pythonhosted.org/packages/evil-1.0-py3-none-any.whl"
    lies, _, _ = checked(request_of(), replace(locked("six", WRONG), url=elsewhere))
    assert [(lie.wheel.name, lie.known) for lie in lies] == [("six", RIGHT)]


@pytest.mark.parametrize("indexes", [(), (OWN,), (PYPI,)])
def test_a_hash_that_a_copy_gives_a_file_of_pypis_is_asked_about(
    pypi: World, indexes: tuple[Source, ...]
) -> None:
    """The copy's page leads to PyPI's own file, and a mirror would serve other bytes that have that hash."""
    place = "https://files.pythonhosted.org/packages"
    lies, _, _ = checked(request_of(*indexes), locked("six", WRONG, place))
    assert [(lie.wheel.name, lie.known) for lie in lies] == [("six", RIGHT)]
    assert checked(request_of(*indexes), locked("six", RIGHT, place))[0] == ()


CDN = "https://cdn.example.org/f"


def test_a_file_on_another_host_is_the_copys_unless_an_own_index_lists_it(pypi: World) -> None:
    """Both may lead to any host. What the user's own index has is private: PyPI is not asked about it."""
    own = replace(OWN, url=f"{pypi.official.url}/simple")
    assert [lie.known for lie in checked(request_of(own), locked("six", WRONG, CDN))[0]] == [RIGHT]
    name = "private-1.0-py3-none-any.whl"
    pypi.official.pages["/simple/private/"] = f'<a href="{CDN}/{name}#sha256={WRONG}">x</a>'.encode()
    pypi.pypi.seen.clear()
    assert checked(request_of(own), locked("private", WRONG, CDN))[0] == ()
    assert pypi.pypi.seen == []
    assert [lie.wheel.name for lie in checked(request_of(own), locked("private", RIGHT, CDN))[0]] == [
        "private"
    ]


def test_of_two_indexes_on_one_host_the_folder_tells_whose_a_file_is(pypi: World) -> None:
    """As where pip's settings name a mirror's copy of PyPI and its copy of PyTorch's index."""
    builds = replace(OWN, url="https://mirror.nju.edu.cn/pytorch/whl/cu126")
    there = "https://mirror.nju.edu.cn/pytorch/whl/cu126/f"
    assert checked(request_of(builds), locked("torchao", WRONG, there))[0] == ()
    copied = "https://mirror.nju.edu.cn/pypi/web/packages"
    assert [lie.known for lie in checked(request_of(builds), locked("six", WRONG, copied))[0]] == [RIGHT]


def test_nobody_is_asked_about_what_pypi_itself_lists(pypi: World) -> None:
    """Most people have no other index, and no wait for a second look at each page."""
    place = "https://files.pythonhosted.org/packages"
    assert checked(request_of(default=PYPI), locked("six", WRONG, place))[0] == ()
    assert pypi.pypi.seen == []


def test_an_index_of_the_users_own_is_not_asked_about(pypi: World) -> None:
    """PyPI learns no name of a private package, and knows nothing of it."""
    lies, _, _ = checked(request_of(OWN), locked("private", WRONG, OWN.url))
    assert lies == ()
    assert pypi.pypi.seen == []


def test_where_pypi_does_not_answer_it_is_asked_once_and_said(world: World) -> None:
    """No install waits for a host that is not there, once for each package."""
    world.cut_off("pypi.org")
    names = [f"package{number}" for number in range(40)]
    lies, _, report = checked(request_of(), *(locked(name, RIGHT) for name in names))
    assert lies == ()
    assert "40 files" in report.notes[0]
    assert world.host.asked.count("pypi.org") < len(names)


def test_a_proxy_that_hides_pypi_accuses_nobody(world: World) -> None:
    """It answers 403 for everything, as if PyPI had no such package."""
    lies, _, report = checked(request_of(), locked("six", RIGHT))
    assert lies == ()
    assert "could not be asked" in report.notes[0]


def test_a_triton_is_held_to_a_known_hash_on_every_index(world: World) -> None:
    """The official index's, which facts know, or PyPI's, which has other bytes; where nobody answers, it is named."""
    known = replace(locked("triton", TRITON.sha256 or "", OWN.url), filename=TRITON.filename)
    assert checked(request_of(OWN), known)[0] == ()
    link = f'<a href="/f/{TRITON.filename}#sha256={RIGHT}">x</a>'
    world.pypi.pages["/simple/triton/"] = link.encode()
    assert checked(request_of(OWN), replace(known, sha256=RIGHT))[0] == ()
    lies, _, _ = checked(request_of(OWN), replace(known, sha256=WRONG))
    assert [(lie.wheel.name, lie.known) for lie in lies] == [("triton", RIGHT)]
    with pytest.raises(SourceFailed) as refused:
        without_lying_copies(request_of(OWN), lies, Recorder())
    assert refused.value.code == "hash-conflict"
    world.cut_off("pypi.org")
    lies, unvouched, report = checked(request_of(OWN), replace(known, sha256=WRONG))
    assert (lies, unvouched) == ((), (TRITON.filename,))
    assert TRITON.filename in report.warnings[0]


def test_a_triton_that_nobody_lists_is_refused_where_pypi_answers(pypi: World) -> None:
    """The user's own index may say nothing of it; the way out is named. The official index's own is no such file."""
    invented = locked("triton", WRONG, OWN.url)
    lies, unvouched, _ = checked(request_of(OWN, default=PYPI), locked("six", WRONG), invented)
    assert [(lie.wheel.name, lie.known) for lie in lies] == [("triton", None)]
    assert unvouched == ()
    with pytest.raises(SourceFailed) as refused:
        without_lying_copies(request_of(OWN, default=PYPI), lies, Recorder())
    assert refused.value.code == "not-vouched"
    assert "--trust-mirror" in str(refused.value.fix)
    pypi.official.pages["/whl/triton/"] = f'<a href="/whl/{invented.filename}#sha256={WRONG}">x</a>'.encode()
    assert checked(request_of(OWN, default=PYPI), invented)[0] == ()


def test_a_page_that_fails_leaves_the_other_files_asked_about(pypi: World) -> None:
    """A server that has answered is asked on: a copy's other lies are found."""
    pypi.pypi.faults["/simple/slow/"] = Fault(status=500)
    check = CopyCheck(
        Lock(wheels=(locked("six", RIGHT), locked("slow", RIGHT), locked("evil", RIGHT))),
        request_of(),
        settled=(),
    )
    assert [lie.wheel.name for lie in check.lies()] == ["evil"]


def test_pypi_takes_the_place_of_a_copy_that_lies() -> None:
    """It has answered, so it can be asked for everything."""
    report = Recorder()
    lie = Lie(wheel=locked("six", WRONG), speaker="mirror", known=RIGHT)
    request = without_lying_copies(request_of(OWN), [lie], report)
    assert (request.sources.indexes, request.sources.default_index) == ((OWN,), PYPI)
    assert "PyPI itself is asked instead" in report.warnings[0]


def test_a_package_that_no_wheel_requires_is_found(tmp_path: Path) -> None:
    """Whoever's metadata brought it in; markers and extras do not matter."""
    name, content = make_wheel(
        "torch", "1.0", requires=("needed>=1", "Rare ; extra == 'x'"), tag="py3-none-any"
    )
    path = tmp_path / name
    path.write_bytes(content)
    assert unasked_packages(("torch", "needed", "rare", "evil"), [path], {"torch"}) == ("evil",)


def test_metadata_that_was_read_before_is_compared_with_the_wheel(tmp_path: Path) -> None:
    """More or less than the wheel requires is a lie; spaces and quotes are none."""
    name, content = make_wheel(
        "torch", "1.0", requires=('needed >=1; os_name == "posix"',), tag="py3-none-any"
    )
    path = tmp_path / name
    path.write_bytes(content)
    assert same_requirements(path, ["needed>=1 ; os_name=='posix'"])
    assert not same_requirements(path, ["needed>=1 ; os_name=='posix'", "evil"])
    assert not same_requirements(path, [])


SDIST = "six-1.0.tar.gz"


def sdist(sha256: str, url: str) -> Sdist:
    """The source distribution of six that an index lists."""
    return Sdist(
        project="six", version=Version("1.0"), filename=SDIST, url=f"{url}/{SDIST}", sha256=sha256, size=None,
        requires_python=None,
    )  # fmt: skip


def test_the_source_of_a_copy_is_held_against_pypi_before_its_code_runs(pypi: World) -> None:
    """One with the hash that PyPI gives is built; an index of the user's own is not asked about."""
    pypi.pypi.pages["/simple/six/"] += f'<a href="/f/{SDIST}#sha256={RIGHT}">x</a>'.encode()
    copied = "https://mirror.nju.edu.cn/pypi/web/packages"
    refuse_untrue_sources([sdist(RIGHT, copied)], request_of(), Recorder())
    with pytest.raises(SourceFailed) as refused:
        refuse_untrue_sources([sdist(WRONG, copied)], request_of(), Recorder())
    assert refused.value.code == "hash-conflict"
    pypi.pypi.seen.clear()
    refuse_untrue_sources([sdist(WRONG, OWN.url)], request_of(OWN), Recorder())
    assert pypi.pypi.seen == []
