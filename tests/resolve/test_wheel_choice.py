"""Of several wheels the one that suits the interpreter best."""

from __future__ import annotations

from packaging.tags import Tag
from packaging.version import Version

from torchdoctor.resolve.wheel_choice import WheelChoice, tag_ranks
from wheels_index import Wheel

BEST, WORSE = Tag("cp312", "cp312", "linux_x86_64"), Tag("py3", "none", "any")


def choose(*names, variant="cpu", default_variant=None, yanked=False):
    choice = WheelChoice(
        variant=variant, default_variant=default_variant, ranks=tag_ranks([BEST, WORSE, BEST])
    )
    wheels = [Wheel.from_filename(name, yanked=yanked) for name in names]
    found = choice.best(wheels, "torch", Version("2.9.1"))
    return found.filename if found else None


def test_the_better_tag_wins():
    """Whatever the order on the page."""
    names = ("torch-2.9.1+cpu-py3-none-any.whl", "torch-2.9.1+cpu-cp312-cp312-linux_x86_64.whl")
    assert choose(*names) == choose(*reversed(names)) == names[1]


def test_of_equal_tags_the_higher_build_number_wins():
    """As in pip and uv."""
    names = ("torch-2.9.1+cpu-10-py3-none-any.whl", "torch-2.9.1+cpu-9-py3-none-any.whl")
    assert choose(*names) == names[0]


def test_another_version_variant_or_project_is_no_match():
    """Nor a tag that the interpreter does not support."""
    for name in (
        "torch-2.9.0+cpu-py3-none-any.whl",
        "torch-2.9.1+cu126-py3-none-any.whl",
        "torchvision-2.9.1+cpu-py3-none-any.whl",
        "torch-2.9.1+cpu-cp311-cp311-linux_x86_64.whl",
    ):
        assert choose(name) is None


def test_a_file_that_names_no_variant_is_of_the_default_one():
    """It is a match only where that is known."""
    name = "torch-2.9.1-py3-none-any.whl"
    assert choose(name, variant="cu126", default_variant="cu126") == name
    assert choose(name, variant="cu126") is None


def test_a_yanked_file_is_never_taken():
    """Its publisher took it back."""
    assert choose("torch-2.9.1+cpu-py3-none-any.whl", yanked=True) is None
