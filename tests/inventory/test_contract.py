"""An inventory to and from JSON: nothing is lost, what is wrong is named."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.binaries import make_elf
from tests.inventory.site import Environment
from torchdoctor.errors import UsageError
from torchdoctor.inventory import Inventory
from torchdoctor.inventory.model import SCHEMA


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """An environment in which every list has something in it."""
    folder = tmp_path_factory.mktemp("full")
    env = Environment(folder / "env")
    env.torch("2.4.1+cu124", cuda="12.4", requires=("nvidia-cublas-cu12==12.4.5.8",), requested=True)
    env.put("torchvision", "0.18.0", requires=("torch==2.3.0",))
    env.put("torchaudio", "2.4.1+cu124")
    env.put("numpy", "2.1.0")
    env.put("nvidia-cublas-cu12", "12.4.5.8")
    files = {
        "torch/version.py": "cuda = '11.8'",
        "torch/lib/libtorch_cuda.so": make_elf(needed=("libcudart.so.11.0",)),
    }
    files["torch/__init__.py"] = ""
    env.put(
        "torch", "2.0.0", site=folder / "other", files=files, requires=("nvidia-cuda-runtime-cu11==11.8.89",)
    )
    (env.site / "torch/lib").mkdir()
    (env.site / "torch/lib/libgomp-a34b3233.so.1").write_bytes(b"")
    library = make_elf(needed=("libtorch.so", "libcudart.so.13"))
    env.put("flash-attn", "2.8.3", files={"flash_attn_2_cuda.so": library})
    (env.site / "~orch").mkdir()
    (env.site / "extra.pth").write_text("../more\nimport os\n")
    (env.site / "torch/version.py").write_text("__version__ = '2.4.1+cu124'\n")
    record = {"schema": 1, "written": "2026-11-25T01:00:00+00:00", "plan": {"variant": "cu124"}, "files": []}
    (env.prefix / "torchdoctor.json").write_text(json.dumps(record))
    (folder / "torch.py").write_text("")
    environ = {
        "PYTHONPATH": str(folder / "other"), "HTTPS_PROXY": "http://proxy:3128", "SSL_CERT_FILE": "/nowhere.pem",
        "CUDA_VISIBLE_DEVICES": "0", "PIP_INDEX_URL": "https://example.org/simple",
    }  # fmt: skip
    return env.take(here=folder, environ=environ, user_site=folder / "user")


def test_every_fact_can_be_found(full):
    """The example has a value for each: the tests below see every type."""
    assert [row.name for row in full.facts() if row.fact.state != "found"] == []


def test_what_is_written_reads_back_the_same(full):
    """Through text and back, nothing is lost."""
    assert Inventory.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_an_empty_environment_reads_back_too(env):
    """Absent and unknown facts keep their source and reason."""
    inventory = env.take(depth="list")
    assert Inventory.from_json(inventory.to_json()) == inventory
    assert inventory.records.why == "files were not compared: only a list was asked for"


def test_the_document_says_its_schema_first(full):
    """A reader knows at once whether it can read it; the fields follow in the order of the class."""
    assert list(full.to_json()) == ["schema", *(row.name for row in fields(Inventory))]


def test_fields_of_a_newer_writer_are_left(full):
    """A field more is no reason to refuse the rest."""
    assert Inventory.from_json({**full.to_json(), "tpu": 1}) == full


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": SCHEMA + 1}, "schema 2, and this torchdoctor reads 1"),
        ({"prefix": 5}, "environment.prefix"),
        ({"torch": {"state": "perhaps", "source": "x"}}, "environment.torch.state"),
        (
            {"duplicates": {"state": "found", "source": "x", "value": [{"name": 5}]}},
            "environment.duplicates.value",
        ),
        ({"kind": None}, "environment.kind"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(full, change, complaint):
    """The reason says where to look."""
    with pytest.raises(UsageError) as caught:
        Inventory.from_json({**full.to_json(), **change})
    assert complaint in caught.value.message


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "state", "source"]), inner)
    ),
    max_leaves=10,
)


@given(st.sampled_from([row.name for row in fields(Inventory)]), anything)
def test_no_value_in_any_field_breaks_the_reader(full, field, value):
    """It is read, or refused as wrong usage."""
    kind = ""
    try:
        Inventory.from_json({**full.to_json(), field: value})
    except UsageError as error:
        kind = error.code
    assert kind in ("", "bad-inventory")
