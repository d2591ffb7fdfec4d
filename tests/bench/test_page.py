"""The page: whole in itself, safe whatever names it shows, and readable in a real browser, on a phone, in the dark."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from xml.etree import ElementTree as ET

import pytest

from tests.bench.made import CPU, on_gpu, product, report
from tests.cli.chinese import english_in
from tests.kernel.test_browser import browser  # noqa: F401  # a fixture
from torchdoctor.bench import BenchResult, compare
from torchdoctor.bench.bottlenecks import with_causes
from torchdoctor.bench.peaks import with_peaks
from torchdoctor.core.i18n import set_language
from torchdoctor.report.html.bench import bench_page
from torchdoctor.report.html.roofline import bandwidth_of, roofline
from torchdoctor.report.junit import bench_junit
from torchdoctor.verify import CheckResult, VerifyReport

# A source is cited as it calls itself.
CITED = "datasheet (tensor figures halved from sparse)"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7 * 7 }} </style>"


def full(name="NVIDIA H100 80GB HBM3"):
    """A report of every sort of row, with this name for the GPU and in each text."""
    device = {"device": "cuda:0"}
    rows = (
        product(6e5, dtype="bfloat16", params={"n": 8192}, **device),
        product(40_000.0, params={"n": 4096}, **device),
        product(300.0, id="conv", cpu_share=0.4, note=name, params={"batch": 16, "size": 56}, **device),
        product(2800.0, id="memory-copy", unit="GB/s", params={"mib": 512}, **device),
        BenchResult(id="attention", device="cuda:0", seconds=1.0, error=name),
    )
    return with_causes(
        with_peaks(report(*rows, environment=on_gpu(name) | {"cpu_limits": CPU["cpu_limits"]}))
    )


def page(name="NVIDIA H100 80GB HBM3"):
    found = full(name)
    checks = VerifyReport(
        environment={},
        checks=tuple(
            CheckResult(id=f"check-{status}", device="cpu", status=status, seconds=0.1, detail=name)
            for status in ("pass", "fail", "warn", "skip")
        ),
    )
    before = report(
        product(5e5, dtype="bfloat16", params={"n": 8192}, device="cuda:0"), environment={"torch": name}
    )
    return bench_page(found, checks=checks, comparison=compare(before, found, name=name), when="2026-11-25")


def test_names_from_elsewhere_never_become_markup():
    """A GPU, an error or a saved run called like a script is shown as it is called."""
    text = page(HOSTILE)

    assert "<script" not in text
    assert "<img" not in text
    assert text.count("</style>") == 1
    assert "49" not in re.findall(r"&gt; (\S+) &lt;/style", text)
    assert "&lt;script&gt;" in text


def test_the_page_loads_nothing_and_allows_nothing():
    """The policy names the digest of the one stylesheet, and no style stands anywhere else."""
    text = page()
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"default-src 'none'; style-src 'sha256-{digest}'" in html.unescape(text)
    assert not re.search(r"\b(src|href|style|on\w+)=", text)
    named = re.sub(r"Peaks: [^<]*", "", text)  # the vendors' documents, as text
    assert "http" not in named.replace("http-equiv", "")


def test_it_holds_what_was_found():
    """Figures, shares, causes, errors, checks, and the comparison."""
    text = page()

    for words in ("600,000 GFLOP/s", "61%", "busy: got 40%", "of 989,400", "check-fail", "+20.0 %", "1 failed",
                  "nvidia_h100_tensor_core_gpu_arch", "attention on cuda:0: NVIDIA H100"):  # fmt: skip
        assert words in text, words


def test_the_roofs_are_where_the_figures_say():
    """A point at its peak lies on its roof, and the slope meets the roof at peak divided by bandwidth."""
    plot = roofline(full(), width=720, height=400)
    best, roof = plot.points[0], plot.roofs[0]

    assert bandwidth_of(full())[0] == 3350
    assert roof.dtype == "bfloat16"
    assert best.y > roof.y
    assert plot.slope.endswith(f"{roof.y}")
    assert roof.path.startswith("M" + plot.slope.split("L")[1])


def test_without_a_bandwidth_there_is_no_roofline():
    """Nothing is made up for it."""
    assert roofline(report(product(100.0)), width=720, height=400) is None
    assert "roofline" not in bench_page(report(product(100.0)), when="now")


def test_numbers_in_the_plot_do_not_cover_each_other():
    """Twelve cases in nearly one place."""
    rows = [product(100.0 + part, flop=1e9 + part, bytes=1e7) for part in range(6)]
    copy = product(30.0, id="memory-copy", unit="GB/s", best_value=30.0)
    plot = roofline(with_peaks(report(*rows, copy)), width=720, height=400)
    places = {(point.label_x, point.label_y) for point in plot.points}

    assert len(places) == len(plot.points)


def test_ci_systems_get_each_figure_and_each_regression():
    """What became slower than allowed is a failure of its case, and so is what could not be measured."""
    found = full()
    before = report(product(9e5, dtype="bfloat16", params={"n": 8192}, device="cuda:0"))
    slower = compare(before, found, name="a").regressions(5)
    root = ET.fromstring(bench_junit(found, slower))  # noqa: S314  # our own

    assert root.attrib["tests"] == "5"
    assert root.attrib["failures"] == "2"
    assert root.find(".//failure").attrib["message"].startswith("600,000 GFLOP/s: -33.3 %")


@pytest.fixture
def shown(browser, tmp_path):  # noqa: F811
    """The page in a browser, and every complaint and request of it."""

    def show(text, **options):
        file = tmp_path / "report.html"
        file.write_text(text, "utf-8")
        opened = browser.new_page(**options)
        opened.complaints = []
        opened.on("console", lambda message: opened.complaints.append(message.text))
        opened.on("dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss()))
        opened.on(
            "request",
            lambda request: opened.complaints.append(request.url) if "report.html" not in request.url else 0,
        )
        opened.goto(file.as_uri())
        return opened

    return show


def test_a_browser_shows_it_without_a_complaint(shown):
    """The style is applied, nothing is asked for, no script of a name runs."""
    opened = shown(page(HOSTILE), viewport={"width": 1200, "height": 900})

    assert opened.complaints == []
    assert opened.locator("script, img").count() == 0
    assert opened.locator("section").first.evaluate("e => getComputedStyle(e).borderRadius") == "10px"
    assert opened.locator("svg.wide circle").first.is_visible()


def test_a_phone_shows_it_without_scrolling_sideways(shown):
    """With the drawing made for it."""
    opened = shown(page(), viewport={"width": 360, "height": 740})

    assert opened.evaluate("document.documentElement.scrollWidth") == 360
    assert opened.locator("svg.narrow").is_visible()
    assert opened.locator("svg.bar rect.fill").first.bounding_box()["width"] > 20
    assert not opened.locator("svg.wide").is_visible()


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_light_and_dark_can_both_be_read(shown, scheme, dark):
    """Text stands out from its ground in either by WCAG's 4.5 to 1."""
    opened = shown(page(), color_scheme=scheme)
    luminance = """([selector, property]) => {
        const [r, g, b] = getComputedStyle(document.querySelector(selector))[property].match(/[\\d.]+/g).map(Number)
            .map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; }"""
    ground = opened.evaluate(luminance, ["section", "backgroundColor"])

    assert (ground < 0.2) == dark
    for selector in ("td", "small", "th", ".fail", ".warn", ".pass", ".faster", "svg text"):
        ink = opened.evaluate(luminance, [selector, "fill" if "svg" in selector else "color"])
        ratio = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
        assert ratio >= 4.5, selector


def test_the_page_is_in_the_language_spoken():
    """Headings, columns and what is said of the figures; names of cases and checks stay."""
    set_language("zh")
    try:
        text = page()
    finally:
        set_language("en")
    assert '<html lang="zh-CN">' in text
    body = re.sub(r"<(style|title)>.*?</\1>", "", text.partition("<main>")[2], flags=re.DOTALL)
    assert (
        english_in(re.sub(r"<[^>]+>", "\n", html.unescape(body)), names=("NVIDIA H100 80GB HBM3", CITED))
        == []
    )


def test_the_page_in_chinese_escapes_what_comes_from_elsewhere():
    """A value goes into a translated sentence as text, as it does into an English one."""
    set_language("zh")
    try:
        text = page(HOSTILE)
    finally:
        set_language("en")
    assert "<script" not in text
    assert "<img" not in text


def test_the_numbers_beside_the_plot_fit_there():
    """A GPU of a petaflop has a million of the unit."""
    plot = roofline(full(), width=360, height=380)
    assert plot is not None
    said = [text for _, text in plot.y_ticks]
    assert "1M" in said
    assert max(map(len, said)) <= len("10,000")
