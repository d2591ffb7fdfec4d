"""Extensions: what their data files hold, and what is said of pairs."""

from __future__ import annotations

import re
import string
from datetime import date
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from wheels_index import PLATFORMS
from wheels_index._data import FOLDER, read_json_file
from wheels_index._extension_model import Answer, Place, Tie
from wheels_index.extension import (
    ACCELERATORS,
    Extension,
    accelerator_of,
    extension,
    extensions,
    extra_sources,
    fits,
)
from wheels_index.variant import variant

if TYPE_CHECKING:
    from pathlib import Path

ALL = tuple(extensions().values())
NAMES = [each.project for each in ALL]
PLACEHOLDERS = {"torch", "torch_minor", "torch_zero", "variant", "version"}


@pytest.mark.parametrize("path", sorted((FOLDER / "extensions").glob("*.json")), ids=lambda path: path.stem)
def test_a_file_describes_the_project_that_its_name_says(path: Path) -> None:
    """Each file has the normalised name of its project, which is how it is looked up."""
    assert read_json_file(path)["project"] == path.stem == canonicalize_name(path.stem)
    assert extension(path.stem.replace("-", "_").upper()) is extensions()[path.stem]


@pytest.mark.parametrize("each", ALL, ids=NAMES)
def test_every_fact_has_a_source_and_a_date(each: Extension) -> None:
    """Nobody has to believe a fact: where it was read and when stands beside it."""
    rows = (*each.builds, *each.pairs, *each.ways_out, *each.outside_pip, *filter(None, [each.from_source]))
    for row in rows:
        assert "https://" in row.source or "data/" in row.source
        assert date.fromisoformat(row.date) <= date.fromisoformat(each.as_of)


@pytest.mark.parametrize("each", ALL, ids=NAMES)
def test_a_file_uses_the_words_that_the_program_knows(each: Extension) -> None:
    """Platforms, kinds, accelerators, ties, places, specifiers, modules and operations are of the known forms."""
    assert set(each.ties) <= set(get_args(Tie))
    assert all(name.isidentifier() for name in each.imports)
    assert each.imports
    for row in (*each.builds, *each.pairs):
        assert row.place in get_args(Place)
        assert set(row.platforms or ()) <= set(PLATFORMS)
        SpecifierSet(row.torch or "")
    for row in each.pairs:
        SpecifierSet(row.versions)
        assert set(row.accelerators or ()) <= set(ACCELERATORS)
        assert all(variant(name).kind for name in row.variants or ())
    for row in (*each.builds, *each.ways_out):
        assert set(row.kinds or ()) <= {"cpu", "cuda", "rocm", "xpu"}
    assert all(canonicalize_name(way.instead) == way.instead for way in each.ways_out if way.instead)
    if each.proof is not None:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each.proof.operation)


@pytest.mark.parametrize("each", ALL, ids=NAMES)
def test_an_address_is_secure_and_has_only_known_placeholders(each: Extension) -> None:
    """An address is filled with a torch, a variant and a version, and nothing else."""
    for build in each.builds:
        if build.url is None:
            assert build.place == "pypi"
            continue
        assert build.url.startswith("https://")
        assert {field for _, field, _, _ in string.Formatter().parse(build.url) if field} <= PLACEHOLDERS


@pytest.mark.parametrize("each", ALL, ids=NAMES)
def test_a_platform_without_builds_has_a_way_out(each: Extension) -> None:
    """Wherever an extension has no wheel it is said what to do instead, unless a source builds anywhere."""
    for platform in PLATFORMS:
        if not each.builds_for(platform):
            builds_anywhere = any(not row.wheels and platform in row.platforms for row in each.builds)
            comes_with_torch = each.project.startswith(("pytorch-triton", "triton-"))
            assert each.way_out(platform) or builds_anywhere or comes_with_torch, platform


@pytest.mark.parametrize(
    ("name", "version", "torch", "built_for", "platform", "answer", "because"),
    [
        ("torchcodec", "0.17.0", "2.13.0", "cu130", "linux_x86_64", "yes", "known-pair"),
        ("torchcodec", "0.17.0", "2.13.0", "cu126", "linux_x86_64", "no", "variant"),
        ("torchcodec", "0.17.0", "2.13.0", "cpu", "linux_x86_64", "no", "variant"),
        ("torchcodec", "0.17.0", "2.13.0", "cpu", "macos_arm64", "yes", "known-pair"),
        ("torchcodec", "0.17.0+cu126", "2.13.0", "cu126", "linux_x86_64", "yes", "known-pair"),
        ("torchcodec", "0.17.0+cu126", "2.13.0", "cu130", "linux_x86_64", "no", "variant"),
        ("torchcodec", "0.13.0", "2.13.0", "cpu", "linux_x86_64", "yes", "known-pair"),
        ("torchcodec", "0.11.1", "2.13.0", "cpu", "linux_x86_64", "no", "torch"),
        ("torchtext", "0.18.0", "2.13.0", "cpu", "linux_x86_64", "no", "torch"),
        ("torchtext", "0.18.0", "2.3.1", "cpu", "linux_x86_64", "yes", "known-pair"),
        ("xformers", "0.0.34", "2.10.0", "cu128", "linux_x86_64", "yes", "known-pair"),
        ("xformers", "0.0.34", "2.10.0", "cu130", "linux_x86_64", "no", "variant"),
        ("xformers", "0.0.32.post2", "2.9.1", "cu128", "linux_x86_64", "no", "torch"),
        ("vllm", "0.33.0", "2.14.0", "cu130", "linux_x86_64", "yes", "known-pair"),
        ("vllm", "0.33.0", "2.14.0", "cpu", "linux_x86_64", "no", "variant"),
        ("vllm", "0.33.0", "2.14.0", "cu130", "windows_x86_64", "no", "platform"),
        ("vllm", "0.19.1", "2.10.0", "cu128", "linux_x86_64", "yes", "known-pair"),
        ("mmcv", "2.1.0", "2.1.2", "cu121", "windows_x86_64", "yes", "known-pair"),
        ("mmcv", "2.1.0", "2.1.2", "rocm5.6", "linux_x86_64", "no", "variant"),
        ("mmcv", "2.2.0", "2.8.0", "cu128", "linux_x86_64", "no", "torch"),
        ("triton", "3.4.0", "2.8.0", "cu128", "linux_x86_64", "yes", "known-pair"),
        ("triton", "3.4.0", "2.8.0", "rocm6.4", "linux_x86_64", "no", "variant"),
        ("bitsandbytes", "0.50.2", "2.13.0", "cpu", "linux_x86_64", "yes", "known-pair"),
        ("onnxruntime-gpu", "1.31.1", "2.13.0", "cu126", "linux_x86_64", "no", "variant"),
        ("ctranslate2", "4.8.5", "2.8.0", "cu128", "linux_x86_64", "yes", "known-pair"),
        ("torch-scatter", "2.1.2+pt28cu128", "2.8.0", "cu128", "linux_x86_64", "yes", "known-pair"),
        ("torch-scatter", "2.1.2+pt21cu118", "2.8.0", "cu128", "linux_x86_64", "no", "torch"),
        ("torch-scatter", "2.1.2+pt28cpu", "2.8.0", "cu128", "linux_x86_64", "no", "variant"),
        ("flash-attn", "2.8.3+cu12torch2.8cxx11abitrue", "2.8.0", "cu128", "linux_x86_64", "yes", "known-pair"),
        ("flash-attn", "2.8.3+cu12torch2.8cxx11abitrue", "2.9.1", "cu128", "linux_x86_64", "no", "torch"),
        ("torchao", "0.18.0", "2.13.0", "cu130", "linux_x86_64", "unknown", "no-pair-known"),
        ("xformers", "9.9", "2.13.0", "cu130", "linux_x86_64", "unknown", "no-pair-known"),
        ("requests", "2.32.0", "2.13.0", "cpu", "linux_x86_64", "unknown", "not-an-extension"),
    ],
)  # fmt: skip
def test_a_pair_fits_or_not_and_says_why(
    name: str, version: str, torch: str, built_for: str, platform: str, answer: str, because: str
) -> None:
    """Known pairs fit, those that were built for another torch, variant or system do not, the rest is unknown."""
    fit = fits(name, version, torch=torch, variant=built_for, platform=platform)
    assert (fit.answer, fit.because) == (answer, because)
    assert bool(fit.needs) == (answer == "no")


def test_what_would_fit_is_named() -> None:
    """A build for another CUDA says which one it is for; one for another torch says which torch."""
    at = {"torch": "2.13.0", "variant": "cu126", "platform": "linux_x86_64"}
    assert fits("torchcodec", "0.17.0", **at).needs == ("cuda13",)
    assert fits("torchcodec", "0.17.0+cu130", **at).needs == ("cu130",)
    assert fits("xformers", "0.0.34", **at).needs == ("==2.10.0",)


@pytest.mark.parametrize(
    ("name", "torch", "built_for", "platform", "urls"),
    [
        ("torch-scatter", "2.8.0", "cu128", "linux_x86_64", ["https://data.pyg.org/whl/torch-2.8.0+cu128.html"]),
        ("torch-scatter", "2.7.1", "cpu", "macos_arm64", ["https://data.pyg.org/whl/torch-2.7.0+cpu.html"]),
        ("torch-scatter", "2.8.0", "rocm6.4", "linux_x86_64", []),
        ("mmcv", "2.1.2", "cu121", "windows_x86_64", ["https://download.openmmlab.com/mmcv/dist/cu121/torch2.1/index.html"]),
        ("mmcv", "2.8.0", "cu128", "linux_x86_64", []),
        ("llama-cpp-python", "2.8.0", "cu124", "linux_x86_64", ["https://abetlen.github.io/llama-cpp-python/whl/cu124"]),
        ("torchcodec", "2.13.0", "cu126", "linux_x86_64", []),
        ("vllm", "2.9.1", "rocm6.4", "linux_x86_64", []),
        ("requests", "2.13.0", "cpu", "linux_x86_64", []),
    ],
)  # fmt: skip
def test_pages_of_an_extension_are_those_of_one_torch_and_variant(
    name: str, torch: str, built_for: str, platform: str, urls: list[str]
) -> None:
    """The extra pages to look at are filled with the torch and the variant, and only where the project has builds."""
    found = extra_sources(name, torch=torch, variant=built_for, platform=platform)
    assert [source.url for source in found] == urls


def test_a_system_without_builds_is_told_what_to_do() -> None:
    """vLLM has no Windows build, and none on PyPI for the CPU, AMD or a Mac: each has its own way out."""
    vllm = extensions()["vllm"]
    assert vllm.builds_for("windows_x86_64") == ()
    assert vllm.way_out("windows_x86_64", "cuda") == "vLLM has no Windows build: use WSL2 or its Docker image"
    ways = {vllm.way_out("linux_x86_64", kind) for kind in ("cpu", "rocm", "xpu")} | {
        vllm.way_out("macos_arm64", "cpu")
    }
    assert len(ways) == 4
    assert vllm.way_out("linux_x86_64", "cuda") is None


@given(
    name=st.sampled_from(NAMES),
    version=st.sampled_from(["0.1", "0.17.0", "2.1.2", "3.4.0", "0.0.34", "4.8.5", "1!2", "2.0+cu128", "2+pt99cu999"]),
    torch=st.sampled_from(["1.13.1", "2.1.2", "2.8.0", "2.13.0", "2.15.0", "3.0.0a0", "2.8.0+cu128"]),
    built_for=st.sampled_from(["cpu", "cu118", "cu126", "cu130", "cu121", "rocm6.4", "xpu", "nightly", ""]),
    platform=st.sampled_from([*PLATFORMS, "linux_s390x"]),
)  # fmt: skip
def test_an_answer_is_given_to_every_question(
    name: str, version: str, torch: str, built_for: str, platform: str
) -> None:
    """Whatever is asked, the answer is yes, no or unknown, and the pages are addresses without open places."""
    fit = fits(name, version, torch=torch, variant=built_for, platform=platform)
    assert fit.answer in get_args(Answer)
    for source in extra_sources(name, torch=torch, variant=built_for, platform=platform):
        assert source.url.startswith("https://")
        assert "{" not in source.url
    assert accelerator_of(built_for) in (*ACCELERATORS, None)
