"""The container image and the pin of a project are read where a text names them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose.asked import asked_packages, asked_torch, pinned_torch
from torchdoctor.diagnose.parsers.images import parse_images
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.text import plain_text


def images(text):
    """What the parser calls an image."""
    return [fact.value for fact in parse_images(plain_text(text)) if fact.name == "image"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("docker run --rm -it --gpus all -v /a:/b -p 80:80 my/app:1.2 python x.py", "my/app:1.2"),
        ("$ sudo docker run \\\n  --shm-size=1g \\\n  -e A=1 \\\n  ghcr.io/a/b:v1 serve", "ghcr.io/a/b:v1"),
        ("FROM nvcr.io/nvidia/pytorch:24.01-py3\nRUN pip install x", "nvcr.io/nvidia/pytorch:24.01-py3"),
        ("services:\n  web:\n    image: vllm/vllm-openai:latest\n", "vllm/vllm-openai:latest"),
        ("I took the vllm/vllm-openai image", "vllm/vllm-openai"),
        ("podman run localhost:5000/a/b:2", "localhost:5000/a/b:2"),
    ],
)
def test_the_image_is_read(text, name):
    """From a command over several lines, a Dockerfile, a compose file, a sentence."""
    assert images(text)[:1] == [name]


@pytest.mark.parametrize(
    "text", ["docker run IMAGE", "docker run --gpus all", "FROM the start", "image: a picture"]
)
def test_other_words_are_no_image(text):
    """A name without a tag, a folder or a registry may be any word."""
    assert images(text) == []


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text):
    """What comes out has no blank and nothing that a shell reads."""
    for name in images(f"docker run {text}"):
        assert all(character.isalnum() or character in "._-/:" for character in name)


@pytest.mark.parametrize(
    "text",
    [
        "Because there is no version of torch==2.3.1 and your project depends on torch==2.3.1, we can conclude",
        "Collecting torch==2.3.1 (from -r requirements.txt (line 4))",
        "requirements.txt pins torch==2.3.1, pip install torch==2.3.1 does not work",
    ],
)
def test_a_pin_of_the_project_is_known(text):
    """A resolver, pip or the user says so."""
    assert pinned_torch(parse_report(text)) == "2.3.1"


def test_a_command_alone_is_no_pin():
    """What was typed once may be typed anew."""
    evidence = parse_report(
        "pip install torch==2.3.1 torchvision --index-url https://download.pytorch.org/whl/cu121"
    )
    assert (asked_torch(evidence), pinned_torch(evidence)) == ("2.3.1", None)
    expected = "torch==2.3.1 torchvision --index-url https://download.pytorch.org/whl/cu121"
    assert asked_packages(evidence) == expected


@given(st.text(max_size=200))
def test_only_names_versions_and_pytorchs_index_come_out_of_a_command(text):
    """The rest of the line is left where it is."""
    asked = asked_packages(parse_report(f"pip install torch {text}"))
    assert asked is None or all(character.isalnum() or character in "=.-+/: " for character in asked)
