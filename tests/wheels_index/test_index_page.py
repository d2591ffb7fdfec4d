"""Index pages: the official index, PEP 691, mirrors, folders, and pages that mean harm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheels_index import NotAnIndex, PageTooLarge, bundled, parse_page

OFFICIAL = "https://download.pytorch.org/whl/cu124/torch/"
NAME = "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl"
SHA = "d077728576768acbf0e4ce1b87164d1f3f75c17a9b1676c09e84c32ceeac1c06"
OTHER = "0" * 64


def _anchor(href, **attributes):
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'    <a href="{href}"{extra}>{href.rpartition("/")[2]}</a><br/>\n'


def _official_page(project, wheels):
    """Write a page as pytorch/test-infra's manage_v2.py does."""
    links = "".join(
        _anchor("/" + w.url.split("/", 3)[3] + (f"#sha256={w.sha256}" if w.sha256 else "")) for w in wheels
    )
    head = f"<!DOCTYPE html>\n<html>\n  <body>\n    <h1>Links for {project}</h1>\n"
    return f"{head}{links}  </body>\n</html>\n<!--TIMESTAMP 1755800000-->"


def _one(body, url=OFFICIAL, **options):
    page = parse_page(body, url=url, **options)
    assert page.rejected == ()
    (wheel,) = page.wheels
    return wheel


@pytest.mark.parametrize("torch", ["2.4.1", "2.9.1", "2.13.0"])
def test_the_official_page_of_a_release_gives_back_the_snapshot(torch):
    """A page made of the snapshot's rows, read again, is the same rows."""
    listed = bundled().release(torch).listed("torch")
    page = parse_page(_official_page("torch", listed), url="https://download.pytorch.org/whl/torch/")
    assert page.wheels == listed
    assert page.rejected_total == 0


def test_a_flat_page_lists_one_name_in_several_variants():
    """/whl/torchaudio/ has the same aarch64 name under whl/cpu and whl/cu124: two files, both kept."""
    listed = bundled().release("2.5.1").listed("torchaudio")
    page = parse_page(
        _official_page("torchaudio", listed), url="https://download.pytorch.org/whl/torchaudio/"
    )
    assert page.wheels == listed


def test_a_link_of_the_official_index_gives_everything_it_says():
    """Root-relative href with %2B, digest, sidecar digest under both attribute names."""
    href = f"/whl/cu124/{NAME.replace('+', '%2B')}#sha256={SHA}"
    digest = f"sha256={OTHER}"
    wheel = _one(_anchor(href, data_dist_info_metadata=digest, data_core_metadata=digest))
    assert wheel.url == "https://download.pytorch.org/whl/cu124/torch-2.4.1%2Bcu124-cp312-cp312-win_amd64.whl"
    assert (wheel.filename, wheel.sha256, wheel.variant) == (NAME, SHA, "cu124")
    assert (wheel.metadata_sha256, wheel.has_metadata) == (OTHER, True)


def test_a_link_to_another_host_stays_there():
    """The index links to download-r2.pytorch.org: the URL is the link's."""
    url = "https://download-r2.pytorch.org/whl/cu124/" + NAME.replace("+", "%2B")
    assert _one(_anchor(f"{url}#sha256={SHA}")).url == url


@pytest.mark.parametrize("plus", ["+", "%2B", "%2b", "&#43;", "&#x2B;", "&plus;"])
def test_a_plus_is_a_plus_however_it_is_written(plus):
    """`+`, `%2B` and `&#43;` are one file name."""
    assert _one(_anchor(NAME.replace("+", plus))).filename == NAME


def test_the_name_comes_from_the_link_and_never_from_its_text():
    """The text of a link is for people."""
    body = f'<a href="/whl/cu124/{NAME}">torch-9.9.9-cp312-cp312-win_amd64.whl</a>'
    assert _one(body).filename == NAME


def test_a_missing_digest_is_unknown():
    """The index leaves the fragment out for some files."""
    wheel = _one(_anchor(f"/whl/cu124/{NAME}", data_core_metadata="true"))
    assert (wheel.sha256, wheel.metadata_sha256, wheel.has_metadata) == (None, None, True)


def test_requires_python_and_yanked_are_read():
    """Entities in data-requires-python are decoded; an empty data-yanked is yanked."""
    wheel = _one(_anchor(NAME, data_requires_python="&gt;=3.10", data_yanked=""))
    assert (wheel.requires_python, wheel.yanked) == (">=3.10", True)


def test_an_attribute_may_stand_without_value_or_quotes():
    """`<A HREF=... data-yanked>` is HTML too."""
    wheel = _one(f"<A data-yanked HREF={NAME}>x</A>")
    assert (wheel.filename, wheel.yanked) == (NAME, True)


@pytest.mark.parametrize(
    ("href", "variant"),
    [
        ("/whl/cpu/torch-2.13.0-cp311-cp311-macosx_14_0_arm64.whl", "cpu"),
        ("/whl/cpu/torchvision-0.24.0%2Be437e35-cp312-cp312-win_arm64.whl", "cpu"),
        ("/whl/torch-2.0.0-cp310-cp310-manylinux2014_aarch64.whl", None),
        ("/pytorch-wheels/cu124/torch-2.4.1-cp312-none-macosx_11_0_arm64.whl", None),
        ("/whl/nightly/torch-2.4.1-cp312-none-macosx_11_0_arm64.whl", None),
        ("/whl/cu124/torch-2.4.1%2Bcpu-cp312-cp312-win_amd64.whl", "cpu"),
    ],
)
def test_the_variant_is_in_the_name_or_in_the_links_folder(href, variant):
    """Files in whl/ itself are listed on every variant's page, so the page's own folder says nothing."""
    assert _one(_anchor(href)).variant == variant


def test_a_flat_mirror_listing_is_read():
    """A mirror lists files beside the page, with entities, sizes and a link upwards."""
    body = (
        '<html><head><title>Index of /pytorch-wheels/cu124/</title></head><body><pre><a href="../">../</a>\n'
        f'<a href="{NAME.replace("+", "&#43;")}">torch-2.4.1&#43;cu124-cp31..&gt;</a>  04-Sep-2024 19:59  2.5G\n'
        '<a href="torch-2.4.1.tar.gz">torch-2.4.1.tar.gz</a></pre></body></html>'
    )
    url = "https://mirrors.example.org/pytorch-wheels/cu124/"
    wheel = _one(body, url=url)
    assert wheel.url == url + NAME


def test_a_relative_link_of_a_proxy_climbs_to_its_packages():
    """Artifactory and Nexus link to ../../packages: that is no trick."""
    wheel = _one(_anchor(f"../../packages/torch/2.4.1/{NAME}"), url="https://host/repo/simple/torch/")
    assert wheel.url == f"https://host/repo/packages/torch/2.4.1/{NAME}"


def test_the_first_base_counts_for_the_whole_page():
    """`<base href>` moves relative links, also those before it."""
    body = _anchor(NAME) + '<base href="https://cdn.example.org/w/"><base href="https://evil.example/">'
    assert _one(body).url == f"https://cdn.example.org/w/{NAME}"


def test_a_page_on_disk_links_to_files_beside_it():
    """file:// pages of a find-links folder are read."""
    assert _one(_anchor(NAME), url="file:///srv/wheels/index.html").url == f"file:///srv/wheels/{NAME}"


def test_a_comment_hides_its_links():
    """What is commented out is not there, and an unclosed comment hides the rest."""
    link = _anchor(NAME)
    assert parse_page(f"<!-- {link} -->", url=OFFICIAL).wheels == ()
    assert parse_page(f"<!-- {link}", url=OFFICIAL).wheels == ()
    assert len(parse_page(f"<!-->{link}", url=OFFICIAL).wheels) == 1


def test_json_gives_the_same_as_html():
    """PEP 691: digest, size, sidecar, requires-python, yanked with a reason."""
    file = {
        "filename": "ignored.whl",
        "url": f"https://files.pythonhosted.org/packages/{NAME}",
        "hashes": {"sha256": SHA},
        "size": 12,
        "requires-python": ">=3.8",
        "core-metadata": {"sha256": OTHER},
        "yanked": "broken",
    }
    body = json.dumps({"meta": {"api-version": "1.1"}, "name": "torch", "files": [file]})
    wheel = _one(body.encode(), content_type="application/vnd.pypi.simple.v1+json; charset=utf-8")
    assert (wheel.filename, wheel.sha256, wheel.size, wheel.yanked) == (NAME, SHA, 12, True)
    assert (wheel.requires_python, wheel.metadata_sha256) == (">=3.8", OTHER)
    assert _one("\ufeff" + body) == wheel


@pytest.mark.parametrize(
    "body",
    ["{", "{}", '{"files": 1}', '{"files": {}}', '{"a":' + "[" * 200_000, '{"files": ' + "1" * 10_000 + "}"],
    ids=["cut", "empty", "number", "object", "deep", "long number"],
)
def test_json_that_is_no_index_is_an_error(body):
    """NotAnIndex says why in one short line."""
    with pytest.raises(NotAnIndex) as caught:
        parse_page(body, url=OFFICIAL)
    assert len(str(caught.value)) < 400


def test_a_json_file_that_cannot_be_read_is_rejected_alone():
    """One bad entry does not lose the others."""
    body = json.dumps({"files": [None, {"url": 1}, {"url": NAME, "hashes": [], "size": "big"}]})
    page = parse_page(body, url=OFFICIAL)
    assert ([w.filename for w in page.wheels], page.rejected_total) == ([NAME], 2)


@pytest.mark.parametrize(
    "href",
    [
        f"..%2f..%2f{NAME}",
        f"%2e%2e/{NAME}",
        f"a/../{NAME}",
        f"/whl/../../{NAME}",
        f"../../../../../../{NAME}",
        f"..\\{NAME}",
        f"a%5c{NAME}",
        f"a%00{NAME}",
        f"a\x00{NAME}",
        f"a&#10;{NAME}",
        f"https://[bad/{NAME}",
        f"ftp://host/{NAME}",
        f"javascript:{NAME}",
        f"file:///etc/{NAME}",
        f"//[/{NAME}",
        f"{NAME}#sha256=abc",
        f"{NAME}#sha256=",
        "torch-x-cp312-cp312-win_amd64.whl",
        "torch-2.4.1-cp312-cp312-" + "a" * 300 + ".whl",
        "a" * 5000 + NAME,
        f"t%C3%B6rch-{NAME}",
    ],
)
def test_a_link_that_cannot_be_right_is_rejected_with_its_reason(href):
    """Path tricks, other schemes, bad digests and bad names are turned down; the next link is read."""
    page = parse_page(_anchor(href) + _anchor(NAME), url=OFFICIAL)
    assert [w.filename for w in page.wheels] == [NAME]
    ((name, why),) = page.rejected
    assert len(name) <= 200
    assert why


def test_a_page_on_disk_cannot_lead_to_another_machine():
    """file://server/share would make Windows log in there."""
    page = parse_page(_anchor(f"file://server/share/{NAME}"), url="file:///srv/index.html")
    assert (page.wheels, page.rejected_total) == ((), 1)


def test_a_name_with_two_digests_is_rejected_altogether():
    """Neither digest can be believed, so neither file is taken; the same digest twice is one file."""
    first, second = _anchor(f"{NAME}#sha256={SHA}"), _anchor(f"https://other/{NAME}#sha256={OTHER}")
    page = parse_page(first + second + first, url=OFFICIAL)
    assert (page.wheels, page.rejected) == ((), ((NAME, "the page gives it 2 different digests"),))
    assert len(parse_page(first + first, url=OFFICIAL).wheels) == 1


def test_a_name_listed_with_and_without_digest_keeps_the_digest():
    """A link without a fragment takes nothing away."""
    page = parse_page(_anchor(NAME) + _anchor(f"{NAME}#sha256={SHA}") + _anchor(NAME), url=OFFICIAL)
    assert [w.sha256 for w in page.wheels] == [SHA]


def test_a_project_keeps_its_own_wheels():
    """`project` is compared normalised."""
    other = "pytorch_triton_rocm-3.2.0-cp312-cp312-linux_x86_64.whl"
    page = parse_page(_anchor(NAME) + _anchor(other), url=OFFICIAL, project="PyTorch.Triton_ROCm")
    assert [w.filename for w in page.wheels] == [other]


def test_a_page_cut_in_the_middle_gives_what_came():
    """The last tag, cut, is rejected; the links before it stand."""
    body = _anchor(NAME) + '    <a href="/whl/cu124/torch-2.5.1%2Bcu124-cp3'
    page = parse_page(body, url=OFFICIAL)
    assert (len(page.wheels), page.rejected_total) == (1, 1)


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>"]
)
def test_what_is_no_page_is_an_empty_page(body):
    """Text without a link is empty, not an error: the caller knows the status of the answer."""
    assert parse_page(body, url=OFFICIAL) == parse_page("", url=OFFICIAL)


def test_a_page_that_is_too_large_is_an_error():
    """64 MiB is enough for any index."""
    with pytest.raises(PageTooLarge, match="67108865"):
        parse_page(b" " * (64 * 1024 * 1024 + 1), url=OFFICIAL)


@pytest.mark.fuzz
def test_ten_thousand_rubbish_links_leave_a_short_report():
    """Reasons are kept for the first hundred and counted for all."""
    page = parse_page(_anchor("..%2ftorch.whl") * 10_000 + _anchor(NAME), url=OFFICIAL)
    assert (len(page.wheels), len(page.rejected), page.rejected_total) == (1, 100, 10_000)


@pytest.mark.fuzz
def test_links_beyond_the_limit_are_not_read():
    """A page of 200,001 links is read up to the limit, and says so."""
    page = parse_page("<a >" * 200_000 + _anchor(NAME), url=OFFICIAL)
    assert (page.wheels, page.truncated) == ((), True)


UGLY = [
    "<!",
    "<a ",
    "</",
    "<![",
    "<!--",
    '<a x="',
    "<a x='",
    '<a href=" <',
    "&#",
    "<a =",
    "<a\t\t\t",
    '<a p="<a q=\'" r=\'" ',
]


@pytest.mark.fuzz
@pytest.mark.timeout(120)
@pytest.mark.parametrize("piece", UGLY)
def test_a_hostile_page_takes_linear_time(piece):
    """Two megabytes of what makes html.parser quadratic would take it hours."""
    parse_page(piece * (2 * 2**20 // len(piece)), url=OFFICIAL)


_MARKUP = st.lists(
    st.sampled_from(
        ["<a ", "<base ", "href=", '"', "'", ">", "<!--", "-->", "..", "/", "%2f", "\\", "#sha256=", SHA]
    )
    | st.sampled_from([NAME, ".whl", "&#43;", "file://", "http://[", "\x00", "</a>", " ", "{", '{"files":['])
    | st.text(max_size=5),
    max_size=30,
).map("".join)
_URLS = st.sampled_from([OFFICIAL, "file:///srv/", "http://h", "", "rubbish", "http://[", "//"])


@given(
    st.one_of(_MARKUP, st.text(), st.binary()), _URLS, st.sampled_from(["text/html", "application/json", ""])
)
def test_any_page_gives_wheels_or_a_documented_error(body, url, content_type):
    """Whatever the bytes, the names cannot leave their folder and the digests are digests."""
    try:
        page = parse_page(body, url=url, content_type=content_type)
    except NotAnIndex:
        return
    for wheel in page.wheels:
        assert not set(wheel.filename) & set("/\\\x00")
        assert wheel.sha256 is None or len(wheel.sha256) == 64
        assert wheel.url
        assert wheel.url.startswith(("http://", "https://", "file://"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(NAME),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["files", "url", "hashes", "sha256", "size", "yanked", "core-metadata", "requires-python"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_json_gives_wheels_or_not_an_index(value):
    """Any shape of JSON file entries is a wheel, a rejection or NotAnIndex."""
    page = parse_page(json.dumps({"files": [value]}), url=OFFICIAL, content_type="application/json")
    assert len(page.wheels) + page.rejected_total <= 1
    try:
        parse_page(json.dumps(value), url=OFFICIAL, content_type="application/json")
    except NotAnIndex:
        return
