"""Secrets and personal data: none is left in a report; what diagnosis needs is; locks and records hold no token."""

from __future__ import annotations

import random
import re
import string
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from torchdoctor.cli.diagnose import command
from torchdoctor.core.url_paths import is_public_host, may_be_secret
from torchdoctor.core.urls import mask_url, redact_url, redact_urls_in, strip_credentials
from torchdoctor.lock.credentials import with_credentials
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.report.redact import redact, redact_document, redact_secrets
from torchdoctor.sources import Sources
from torchdoctor.sources.source import Source

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
PLANTED = tomllib.loads((HERE / "planted.toml").read_text("utf-8"))["planted"]
_SIGNS = {
    "a": string.ascii_letters + string.digits, "h": "0123456789abcdef", "u": string.ascii_uppercase + string.digits,
    "n": string.digits,
}  # fmt: skip
# What would not be looked for in a text of one's own: names, hosts, addresses and ids are no secrets.
PERSONAL = PLANTED.index(next(row for row in PLANTED if row["kind"] == "home"))


def _drawn(form: str, draw: random.Random) -> str:
    return re.sub(
        r"\{([ahun])(\d+)\}", lambda match: "".join(draw.choices(_SIGNS[match[1]], k=int(match[2]))), form
    )


def _planted(row: dict[str, str], seed: int) -> tuple[str, str]:
    draw = random.Random(f"{row['kind']}{seed}")  # noqa: S311  (no secret)
    secret = _drawn(row["secret"], draw)
    return _drawn(row["text"], draw).replace("{}", secret), secret


def test_a_setting_says_by_its_name_what_its_value_is():
    """As the report lists settings and variables: a name, and a value that shows nothing by itself."""
    rows = [
        {"tool": "uv", "key": "UV_INDEX_CORP_USERNAME", "value": "zorblax"},
        {"name": "USER", "value": "zorblax"},
        {"tool": "pip", "key": "global.password", "value": "zorblax"},
        {"name": "OMP_NUM_THREADS", "value": "4"},
    ]
    assert [row["value"] for row in redact_document(rows)] == ["<user>", "<user>", "<secret>", "4"]


def test_as_many_kinds_are_planted_as_security_md_says():
    """Each once."""
    said = re.search(r"(\d+) planted kinds", (HERE.parents[1] / "SECURITY.md").read_text("utf-8"))
    assert len({row["kind"] for row in PLANTED}) == len(PLANTED) == int(said[1])


@pytest.mark.parametrize("row", PLANTED, ids=lambda row: row["kind"])
def test_no_planted_secret_or_name_survives_a_report(row):
    """Of each kind, drawn three times, alone and amid others, in text and in a document."""
    for seed in range(3):
        text, secret = _planted(row, seed)
        for shown in (
            redact(text),
            redact(f"torch 2.9.1+cu128\n{text}\nCUDA 12.8"),
            str(redact_document([text])),
        ):
            assert secret not in shown
            assert secret not in unquote(shown)
            # Nor most of it.
            assert len(secret) < 8 or secret[3:-3] not in shown


@pytest.mark.parametrize("row", PLANTED[:PERSONAL], ids=lambda row: row["kind"])
def test_no_planted_secret_is_shown_to_its_owner(row):
    """What opens doors is no evidence to be shown, on the own terminal either."""
    text, secret = _planted(row, 0)
    assert secret not in redact_secrets(text)


# What diagnosis needs of a healthy report: pins, file names of wheels, digests, architectures, versions.
_NEEDED = re.compile(
    r"(?<![\w./@:-])(?:torch|torchvision|torchaudio|nvidia-[a-z0-9-]+|triton|numpy)==[\w.+]+"
    r"|[\w.]+-[\w.+]+-(?:cp|py)\d[\w.]*-[\w.]+-[\w.]+\.whl|sha256[:=][\w+/=-]{20,}|\bsm_\d{2,3}\b|\bgfx[0-9a-f]{3,4}\b"
    r"|\b(?:driver|cuda|cudnn|pytorch|gcc|clang|cmake)(?: version)?[:=] ?\d[\w.+-]*",
    re.IGNORECASE,
)


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for row in value.values() if isinstance(value, dict) else value:
            yield from _texts(row)


def test_nothing_that_diagnosis_needs_is_taken_from_healthy_reports():
    """Pins, wheels' names, digests, architectures and versions of real reports stay as they are."""
    cases = HERE.parent / "cases"
    texts = [path.read_text("utf-8") for path in sorted((cases / "formats").glob("*.txt"))]
    for name in ("healthy.toml", "healthy_collected.toml"):
        texts += _texts(tomllib.loads((cases / name).read_text("utf-8")))
    needed = 0
    for text in texts:
        shown = redact(text)
        for part in _NEEDED.findall(text):
            needed += 1
            assert part in shown
    assert needed > 200


URLS = [
    # what is given, what a person sees, what stands in a lock
    ("https://dl.cloudsmith.io/AbC9xQ2mN7pL/org/repo/python/simple/", "https://dl.cloudsmith.io/…/simple",
     "https://dl.cloudsmith.io/****/org/repo/python/simple/"),
    ("https://pypi.fury.io/plainword/ada/", "https://pypi.fury.io/…/ada", "https://pypi.fury.io/****/ada/"),
    ("https://pypi.fury.io/ada/", "https://pypi.fury.io/ada/", "https://pypi.fury.io/ada/"),
    ("https://u:p@x.jfrog.io/artifactory/api/pypi/team2-prod/simple?t=1", "https://****@x.jfrog.io/…/simple?****",
     "https://x.jfrog.io/artifactory/api/pypi/team2-prod/simple"),
    ("https://conda.corp/t/abc/main/linux-64", "https://conda.corp/…/linux-64", "https://conda.corp/t/****/main/linux-64"),
    ("http://127.0.0.1:8/whl/cu126/torch/", "http://127.0.0.1:8/whl/cu126/torch/", "http://127.0.0.1:8/whl/cu126/torch/"),
    ("https://h/simple/s3cr3tTok", "https://h/…", "https://h/simple/****"),
    ("https://devpi/root/pypi/+f/85d/bb0be3ba5bf2a/a-1-py3-none-any.whl", "https://devpi/…/a-1-py3-none-any.whl",
     "https://devpi/root/pypi/+f/85d/bb0be3ba5bf2a/a-1-py3-none-any.whl"),
    ("https://files.pythonhosted.org/packages/ab/cd/abcdef/t.whl", "https://files.pythonhosted.org/packages/ab/cd/abcdef/t.whl",
     "https://files.pythonhosted.org/packages/ab/cd/abcdef/t.whl"),
    ("file:///srv/wheels/s3cr3t", "file:///srv/wheels/s3cr3t", "file:///srv/wheels/s3cr3t"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "shown", "written"), URLS)
def test_a_path_under_a_private_host_is_cut_where_it_is_shown(url, shown, written):
    """To host and last name; a lock keeps what is no secret. What was cut once is cut no further."""
    assert redact_url(url) == shown
    assert strip_credentials(url) == written
    assert redact_urls_in(f"see {url}, now") == f"see {shown}, now"
    assert redact_url(shown) == shown
    assert strip_credentials(written) == written
    assert mask_url(mask_url(url)) == mask_url(url)


def test_a_lock_holds_no_token_and_gets_it_back_from_the_index_in_the_settings():
    """The same place of the same index's path; neither for another repository of that host nor for another host."""
    token = "AbC9xQ2mN7pLk3"
    base = f"https://dl.cloudsmith.io/{token}/org/repo/python"
    wheel = LockedWheel(
        name="a", version="1", filename="a-1-py3-none-any.whl", url=f"{base}/a-1-py3-none-any.whl",
        sha256="0" * 64, size=1,
    )  # fmt: skip
    text = Lock(wheels=(wheel,)).text
    assert token not in text
    written = tomllib.loads(text)["packages"][0]["wheels"][0]["url"]
    source = Source(name="x", url=f"{base}/simple/", layout="simple", origin="x")
    sources = Sources(torch=(), indexes=(source,), find_links=(), default_index=None)

    def completed(url):
        locked = LockedWheel(name="a", version="1", filename=wheel.filename, url=url, sha256=None, size=None)
        return with_credentials(Lock(wheels=(locked,)), sources).wheels[0].url

    assert completed(written) == wheel.url
    for other in (
        written.replace("/org/", "/thief/"), written.replace("dl.cloudsmith.io", "thief.example"),
        written.replace("https:", "http:"), f"https://dl.cloudsmith.io/org/****/{wheel.filename}",
    ):  # fmt: skip
        assert token not in completed(other)


def test_the_mirrors_that_are_known_are_public():
    """Whose paths everybody knows are shown whole."""
    sources = HERE.parents[1] / "torchdoctor" / "sources"
    for name in ("mirrors.toml", "pypi_copies.toml"):
        text = (sources / name).read_text("utf-8")
        for host in re.findall(r'^base = "https://([\w.-]+)', text, re.MULTILINE):
            assert is_public_host(host)


@pytest.mark.parametrize(
    "name",
    ["simple", "pypi-local", "cu126", "rocm6.4", "torch-2.9.1+cu126-cp312-cp312-linux_x86_64.whl", "2.9.1",
     "nvidia-cublas-cu12", "tokenizers", "Team2", "v1", "my_repo.git", "python3.12", "linux-64",
     "sentencepiece", "artifactory"],
)  # fmt: skip
def test_what_names_something_is_no_secret(name):
    """Words, versions, builds, files and projects."""
    assert not may_be_secret(name)


@pytest.mark.parametrize("options", [(), ("--json",), ("--format", "md"), ("--format", "comment")], ids=str)
def test_what_diagnose_quotes_holds_no_secret(options):
    """Text, Markdown, a comment and JSON; for an issue no name either."""
    token = "hf_" + "aB3dE6gH9jK2" * 2
    text = (
        f"OSError: libcuda.so.1: cannot open shared object file, from /home/zorblax/p with token={token}\n"
        f"RuntimeError: CUDA error: no kernel image is available for execution on the device https://u:{token}@h/x\n"
    )
    shown = CliRunner().invoke(command, ["--text", text, *options]).output
    assert len(shown) > 60
    assert token not in shown
    assert not options or "zorblax" not in shown
