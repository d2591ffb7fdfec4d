"""`report --format cyclonedx`: a valid document, whatever the environment's files say, and nothing that is secret."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inventory.site import Environment
from torchdoctor.core.text import sanitize_line
from torchdoctor.inventory.package_details import parse_details, read_details
from torchdoctor.inventory.required import marker_environment
from torchdoctor.report.cyclonedx import RecordedWheel, cyclonedx_document

WHEN = datetime(2026, 12, 1, tzinfo=timezone.utc)
WHEEL = RecordedWheel(
    version="2.14.1+cu130", filename="torch-2.14.1+cu130-cp312-cp312-manylinux_2_28_x86_64.whl", sha256="ab" * 32,
    url="https://download.pytorch.org/whl/cu130/torch-2.14.1%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl",
    vouched_by="facts",
)  # fmt: skip


def document_of(env, wheels=None):
    inventory = env.take()
    details = {package.name: read_details(package) for package in inventory.distributions.value or ()}
    environment = marker_environment(env.python)
    return cyclonedx_document(inventory, details, wheels or {}, environment=environment, when=WHEN)


def errors_in(document):
    """What the schema of CycloneDX 1.6, which comes with its library, does not allow."""
    pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib is not installed")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


@pytest.fixture
def env(tmp_path):
    """torch of a CUDA build with what it needs, packages with licences of each form, and one of conda's."""
    made = Environment(tmp_path / "env of hildegard")
    requires = (
        "numpy>=1; python_version >= '3.9'",
        "triton; sys_platform == 'win32'",
        "Pandas; extra == 'all'",
    )
    info = made.torch("2.14.1+cu130", cuda="13.0", requires=requires, installer="uv")
    write_licence(info, "License-Expression: bsd-3-clause")
    write_licence(made.put("numpy", "2.4.0"), "Classifier: License :: OSI Approved :: BSD License")
    write_licence(made.put("triton", "3.8.0"), "License: my own,\n  of many lines")
    made.put("pandas", "3.0")
    made.conda("mkl", "2026.0", "h1_0", channel="https://hildegard:hunter2@conda.example.org/main")
    return made


def write_licence(info, line):
    path = info / "METADATA"
    path.write_text(path.read_text("utf-8").replace("\n", f"\n{line}\n", 1), "utf-8")


def test_the_document_is_valid(env):
    """By the schema that the library of CycloneDX carries, in its strict form."""
    document = document_of(env, {"torch": WHEEL})
    assert errors_in(document) is None
    document["components"][0]["type"] = "no such type"
    assert errors_in(document) is not None


def test_each_package_says_whence_it_came_and_what_vouches_for_it(env):
    """The index as a qualifier, the hash of the wheel, the variant, the licence; and what it needs here."""
    document = document_of(env, {"torch": WHEEL})
    parts = {part["name"]: part for part in document["components"]}
    assert parts["torch"]["purl"] == (
        "pkg:pypi/torch@2.14.1%2Bcu130?file_name=torch-2.14.1%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl"
        "&repository_url=https://download.pytorch.org/whl/cu130"
    )
    assert parts["torch"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert parts["torch"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert parts["numpy"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert "hashes" not in parts["numpy"]  # nobody recorded one
    said = {row["name"]: row["value"] for row in parts["torch"]["properties"]}
    assert said == {
        "torchdoctor:variant": "cu130", "torchdoctor:installer": "uv", "torchdoctor:vouched_by": "facts",
    }  # fmt: skip
    needed = {row["ref"]: row["dependsOn"] for row in document["dependencies"]}
    assert needed[parts["torch"]["bom-ref"]] == ["pkg:pypi/numpy@2.4.0"]


def test_package_urls_are_those_of_the_specification(env):
    """As its own library writes them."""
    packageurl = pytest.importorskip("packageurl", reason="packageurl-python is not installed")
    for part in document_of(env, {"torch": WHEEL})["components"]:
        assert packageurl.PackageURL.from_string(part["purl"]).to_string() == part["purl"]


def test_a_wheel_of_another_version_vouches_for_nothing(env):
    """Somebody has installed another torch since."""
    document = document_of(env, {"torch": RecordedWheel(**{**fields(WHEEL), "version": "2.13.0+cu130"})})
    assert "ab" * 32 not in json.dumps(document)


def fields(wheel):
    return {name: getattr(wheel, name) for name in RecordedWheel.__dataclass_fields__}


def test_no_secret_and_no_place_is_in_it(env):
    """Neither a password of an index or a channel, nor the folder, whose name may be a user's."""
    secret = "https://hildegard:hunter2@wheels.example.org/simple/torch-2.14.1.whl?token=s3cret"
    text = json.dumps(document_of(env, {"torch": RecordedWheel(**{**fields(WHEEL), "url": secret})}))
    assert [word for word in ("hunter2", "s3cret", "hildegard", str(env.prefix)) if word in text] == []
    assert "wheels.example.org" in text


@pytest.mark.parametrize(
    "url",
    ["https://[", "https://a b/x.whl", "https://e.org/\u202ex.whl", "http://e.org/\x1b[2J", "ftp://e.org/x"],
)
def test_what_somebody_put_into_the_record_makes_no_document_wrong(env, url):
    """A URL that is none is left out, and one with signs that act is not shown with them; the rest is valid."""
    document = document_of(env, {"torch": RecordedWheel(**{**fields(WHEEL), "url": url})})
    assert errors_in(document) is None
    text = json.dumps(document, ensure_ascii=False)
    assert [sign for sign in ("\u202e", "\x1b", "\\u001b", "ftp:", "a b") if sign in text] == []


def test_the_same_environment_is_the_same_document(env):
    """Its number too, so that two can be compared."""
    assert document_of(env) == document_of(env)


@given(st.lists(st.sampled_from(["License", "License-Expression", "Classifier", "Requires-Dist", "Name"]).flatmap(
    lambda key: st.text(max_size=40).map(lambda value: f"{key}: {value}")
), max_size=8).map("\n".join) | st.text())  # fmt: skip
def test_any_metadata_has_details(text):
    """Whatever a package says of itself."""
    details = parse_details(text)
    assert all(sanitize_line(name) == name for name in (*details.licences, details.expression or ""))
