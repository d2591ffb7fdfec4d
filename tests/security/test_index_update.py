"""`index update` from another place than PyTorch's own index: names to be shown, and nothing that decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.sources import OFFICIAL
from torchdoctor.sources.index_cache import cache_file, known_index, load_cache
from torchdoctor.sources.index_update import update_index
from wheels_index import bundled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loopback import LoopbackIndex
    from tests.security.conftest import World

pytestmark = pytest.mark.usefixtures("nobody_is_trusted")

DAY = "2027-01-05"
NAME = "torch-2.99.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"


@pytest.fixture
def updated(index: LoopbackIndex, tmp_path: Path) -> Path:
    """A data folder after an update from a mirror that lists a new release and a companion with metadata of its own."""
    for project, version in (("torch", "2.99.0+cpu"), ("torchaudio", "2.98.0+cpu")):
        wheel = make_wheel(project, version, tag="cp312-cp312-manylinux_2_28_x86_64", requires=("evil",))
        index.add(f"/whl/{project}/", *wheel)
    done = update_index(tmp_path, f"{index.url}/whl", today=DAY)
    assert done.releases == ("2.99.0",)
    assert any("its hashes are not kept" in note for note in done.notes)
    return tmp_path


def test_no_hash_and_no_requirement_of_a_mirror_is_kept(updated: Path) -> None:
    """Not even in the file."""
    (stored,) = json.loads(cache_file(updated).read_text("utf-8"))["indexes"]
    assert stored["overlay"]["requires"] == {}
    assert [file[1] for group in stored["overlay"]["groups"] for file in group["files"]] == [None, None]


def test_what_a_mirror_listed_is_shown_and_decides_nothing(updated: Path) -> None:
    """`index show` has its release; what plans rest on has not."""
    assert "2.99.0" in map(str, known_index(updated, unvouched=True).versions())
    assert known_index(updated).versions() == bundled().versions()


def test_a_hash_that_was_stored_by_other_means_is_not_believed(updated: Path) -> None:
    """An older version kept the hashes of any place."""
    document = json.loads(cache_file(updated).read_text("utf-8"))
    for group in document["indexes"][0]["overlay"]["groups"]:
        group["files"] = [[name, "1" * 64, *rest] for name, _, *rest in group["files"]]
    cache_file(updated).write_text(json.dumps(document), "utf-8")
    (stored,) = load_cache(updated)
    assert {wheel.sha256 for group in stored.overlay.groups for wheel in group.wheels(seen=DAY)} == {None}


def test_the_official_file_is_taken_after_an_update_from_a_mirror(world: World, updated: Path) -> None:
    """And its hash is a fact from then on; what the mirror listed is kept beside it."""
    world.official.add(
        "/whl/torch/", *make_wheel("torch", "2.99.0+cpu", tag="cp312-cp312-manylinux_2_28_x86_64")
    )
    update_index(updated, OFFICIAL.url, today=DAY)
    (wheel,) = (w for w in known_index(updated).release("2.99.0").wheels if w.filename == NAME)
    assert wheel.sha256
    assert len(load_cache(updated)) == 2
