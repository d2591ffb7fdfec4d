"""The pages of a source: each is read once, and several can be read side by side."""

from __future__ import annotations

import threading

import pytest

from torchdoctor.core.net import NotFound, Page, Unreachable
from torchdoctor.sources import SourceListing
from torchdoctor.sources.source import Source

BASE = "https://wheels.example.org/whl"
PROJECTS = ("torch", "torchvision")
VARIANTS = ("cu126", "cu128", "cpu")


class Pages:
    """Answers for pages of each variant, and counts what was asked for."""

    def __init__(self, *, silent: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self.silent = silent
        self._turn = threading.Lock()

    def read(self, url: str) -> Page:
        with self._turn:
            self.asked.append(url)
        if any(part in url for part in self.silent):
            raise Unreachable(f"{url} does not answer", fix="wait", code="unreachable")
        variant, _, project = url.removeprefix(f"{BASE}/").strip("/").rpartition("/")
        if variant not in VARIANTS:
            raise NotFound(f"{url} answers 404", fix="name another source", code="not-found")
        name = f"{project}-2.9.0+{variant}-cp312-cp312-manylinux_2_28_x86_64.whl"
        return Page(
            body=f'<a href="{name.replace("+", "%2B")}">{name}</a>'.encode(),
            content_type="text/html",
            url=url,
        )


def _listing(pages: Pages, layout: str, failures: list[str]) -> SourceListing:
    source = Source(name="example", url=BASE, layout=layout, origin="a test")  # type: ignore[arg-type]
    return SourceListing(
        source=source, read=pages.read, on_unreachable=lambda _, reason: failures.append(reason)
    )


@pytest.mark.parametrize("layout", ["pytorch", "either"])
def test_pages_read_ahead_are_those_that_are_asked_for(layout):
    """No page is read that would not be read in turn, and none twice."""
    wanted = [(project, variant) for project in PROJECTS for variant in VARIANTS]
    in_turn, ahead = Pages(), Pages()
    slow, quick = _listing(in_turn, layout, []), _listing(ahead, layout, [])
    expected = [slow.wheels(*each) for each in wanted]
    quick.read_ahead(wanted)
    asked = sorted(ahead.asked)
    assert [quick.wheels(*each) for each in wanted] == expected
    assert sorted(ahead.asked) == asked == sorted(in_turn.asked)


def test_a_page_that_does_not_answer_is_left_to_whoever_asks_for_it():
    """What else was read ahead stays known, and the failure is reported once."""
    failures: list[str] = []
    listing = _listing(Pages(silent=("cu128",)), "pytorch", failures)
    listing.read_ahead([(project, variant) for project in PROJECTS for variant in VARIANTS])
    assert failures == []
    assert [wheel.variant for wheel in listing.wheels("torch", "cu126")] == ["cu126"]
    assert listing.wheels("torch", "cu128") == listing.wheels("torchvision", "cu128") == ()
    assert failures == [f"{BASE}/cu128/torch/ does not answer"]


def test_nothing_is_read_ahead_of_a_source_that_failed():
    """It was asked once."""
    pages = Pages(silent=(BASE,))
    listing = _listing(pages, "pytorch", [])
    listing.wheels("torch", "cpu")
    listing.read_ahead([("torch", variant) for variant in VARIANTS])
    assert pages.asked == [f"{BASE}/cpu/torch/"]
