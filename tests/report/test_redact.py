"""What a report gives away: nothing of who, where and what opens doors; everything that diagnosis needs."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from torchdoctor.report.redact import Identity, redact, redact_document
from torchdoctor.report.redact.patterns import WORDS_OF_A_REPORT

ADA = Identity(
    users=("ada",),
    homes=("/home/ada", "C:\\Users\\ada"),
    hosts=("engine-room", "engine-room.lovelace.example"),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ada/vision/.venv/bin/python", "~/<project>/.venv/bin/python"),
        ("C:\\Users\\ada\\vision", "~\\<project>"),
        ("c:/users/ADA/vision", "~/<project>"),
        ("C:\\\\Users\\\\ada\\\\vision", "~\\\\<project>"),
        ("file:///home/ada/wheels", "file://~/wheels"),
        ("/home/adaline/x", "/home/<user>/x"),
        ("/var/home/bob/x and /Users/eve/y", "/var/home/<user>/x and /Users/<user>/y"),
        ("C:\\Users\\Eve Adams\\AppData\\pip", "C:\\Users\\<user>\\AppData\\pip"),
        ("D:/Users/Eve Adams/x", "D:/Users/<user>/x"),
        ("/mnt/c/Users/eve/x", "/mnt/c/Users/<user>/x"),
        ("\\\\wsl$\\Ubuntu\\home\\eve\\x", "\\\\wsl$\\Ubuntu\\home\\<user>\\x"),
        ("\\\\filer\\share\\x", "\\\\<host>\\share\\x"),
        ("/scratch/ada/envs, group ada-lab", "/scratch/<user>/envs, group <user>-lab"),
        ("on engine-room: engine-room.lovelace.example", "on <host>: <host>"),
        ("https://ada:pw@nexus.lovelace.example:8443/simple", "https://<secret>@<host>:8443/simple"),
        ("https://token@pypi.org/simple?x=1", "https://<secret>@pypi.org/simple?<secret>"),
        ("https://conda.lovelace.example/t/a-1b2-c3/main", "https://<host>/…/main"),
        ("http://10.1.2.3:3128", "http://<host>:3128"),
        ("http://127.0.0.1:3128 http://[::1]:80", "http://127.0.0.1:3128 http://[::1]:80"),
        ("proxy ada:pw@proxy:3128", "proxy <secret>@proxy:3128"),
        ("connect to 10.20.30.40 failed", "connect to <ip> failed"),
        ("listening on fe80::1ff:fe23:4567:890a%eth0", "listening on <ip>"),
        ("aa:bb:cc:dd:ee:ff", "<mac>"),
        ("mail ada.king@lovelace.example now", "mail <email> now"),
        ("could not resolve nexus.lovelace.internal", "could not resolve <host>"),
        ("GPU-8a1b2c3d-0011-2233-4455-66778899aabb", "GPU-<uuid>"),
        ("HF_TOKEN=hunter2 next", "HF_TOKEN=<secret> next"),
        ("HTTPS_PROXY=ada:pw@proxy:3128", "HTTPS_PROXY=<secret>@<host>:3128"),
        (
            "no_proxy=localhost,127.0.0.1,build01,10.0.0.0/8 x",
            "no_proxy=localhost,127.0.0.1,<host>,<host>/8 x",
        ),
        ("http_proxy: http://proxy:3128/", "http_proxy: http://<host>:3128"),
        ("WANDB_KEY=hunter2 next", "WANDB_KEY=<secret> next"),
        ('"api_key": "hunter 2"', '"api_key": <secret>'),
        ("pip --password hunter2 x", "pip --password <secret> x"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer <secret>"),
        ("ghp_0123456789abcdefABCDEF0123456789abcd", "<secret>"),
        ("key Zk3q9XbT7LmPw2RsYv8Nc4Hd", "key <secret>"),
    ],
)
def test_what_identifies_somebody_is_taken_out(text, shown):
    """Each form that names a person, a place or opens a door has its placeholder."""
    assert redact(text, ADA) == shown


SURVIVORS = [
    "torch 2.13.0+cu130, driver 580.95.05, CUDA 13.0, Python 3.12.4, glibc 2.35",
    "nvidia-cublas-cu12==12.4.5.8; platform_system == 'Linux'",
    "Linux-6.6.87.2-microsoft-standard-WSL2-x86_64-with-glibc2.39", "forward pass: expected scalar type Half",
    "D:\\tools\\stable-diffusion-webui-master\\venv\\lib\\site-packages\\torch\\lib\\fbgemm.dll",
    "/workspace/ComfyUI/main.py",
    "nvcc --host x86_64-linux-gnu", "srun: error: Unable to allocate resources", "on node 0",
    "nvidia-cudnn-cu12 9.1.0.70, cudnn 9.1.0.70, cublas: 12.4.5.8",
    "nvidia_cublas_cu12-12.4.5.8.dist-info and nvidia_cudnn_cu12-9.1.0.70-py3-none-manylinux2014_x86_64.whl",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256=n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    "cf30153c4c131c8164ee7798e5022d810682e2cb",
    "https://download.pytorch.org/whl/cu130/torch-2.13.0%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl",
    "https://download.pytorch.org/whl/x.whl#sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "NVIDIA H100 80GB HBM3 MIG 1g.10gb, NVIDIA RTX 6000 Ada Generation",
    "undefined symbol: _ZN2at4_ops5zeros4callEN3c108ArrayRefINS2_6SymIntEEE",
    "tokenizers: 0.21.0", "0000:01:00.0", "2026-11-25T01:52:46+00:00", "LD_LIBRARY_PATH=/usr/local/cuda-12.4/lib64",
    "torch.cuda.is_available() -> False", "CUDA_VISIBLE_DEVICES=0,1", "cp312-cp312-manylinux_2_28_x86_64",
]  # fmt: skip


@pytest.mark.parametrize("text", SURVIVORS)
def test_what_diagnosis_needs_stays(text):
    """Versions, drivers, hashes, symbols, tags, times and public addresses are left as they are."""
    assert redact(text, ADA) == text


def test_a_version_of_four_numbers_in_a_document_stays_by_its_key():
    """12.4.5.8 is cuBLAS under `version` and an address elsewhere."""
    document = {"version": "12.4.5.8", "host": "12.4.5.8", "password": "hunter2", "DB_PASS": "x"}
    shown = {"version": "12.4.5.8", "host": "<ip>", "password": "<secret>", "DB_PASS": "<secret>"}
    assert redact_document(document) == shown


def test_a_proxy_setting_in_a_document_is_told_by_its_name():
    """The value alone would not show it: a host needs no dot."""
    rows = [
        {"name": "http_proxy", "value": "proxy:3128"}, {"key": "global.proxy", "value": "u:p@proxy:1", "tool": "pip"},
        {"name": "NO_PROXY", "value": "*"}, {"name": "OMP_NUM_THREADS", "value": "4"},
    ]  # fmt: skip
    assert [row["value"] for row in redact_document(rows)] == ["<host>:3128", "<secret>@<host>:1", "*", "4"]


def test_a_name_of_two_letters_is_taken_out_of_paths():
    """Elsewhere it would be half of the words."""
    assert redact("/scratch/al/x, al dente", Identity(users=("al",))) == "/scratch/<user>/x, al dente"


letters = st.characters(codec="ascii", categories=("L", "N"))
token = st.text(letters, min_size=20, max_size=40)
word = st.from_regex(r"[a-z][a-z0-9_-]{3,15}[a-z0-9]", fullmatch=True).filter(
    lambda x: x not in WORDS_OF_A_REPORT
)
secret = st.from_regex(r"[A-Za-z0-9_.~!$-]{8,30}[A-Za-z0-9]", fullmatch=True)
octet = st.integers(1, 254)
address = st.builds(lambda *n: ".".join(map(str, n)), st.integers(1, 126), octet, octet, octet).filter(
    lambda text: not text.startswith("127.")
)
surroundings = st.sampled_from([
    "", "error: ", "torch 2.13.0+cu130 in ", "pip config list\nglobal.index-url='", "`", "| ", "<", "(", "\t", "€ ",
    "\x1b[31m",
])  # fmt: skip
endings = st.sampled_from(["", "\n", "'", ", next", ")", " ", ".\n", ">", "`", "|", " and more"])


@given(word, surroundings, endings, st.sampled_from([
    "/home/{}", "/home/{}/x", "C:\\Users\\{}", "C:\\Users\\{}\\x", "C:\\\\Users\\\\{}\\\\x",
    "/Users/{}/x", "/var/home/{}/x", "/mnt/c/Users/{}/x",
    "/c/Users/{}/x", "file:///home/{}/x", "C:/Users/{}/x",
]))  # fmt: skip
def test_no_users_home_survives(name, before, after, form):
    """Nobody has to be known for that: the place of the name shows it."""
    assume(name not in before + after + form)
    assert name not in redact(before + form.format(name) + after)


@given(
    word,
    surroundings,
    endings,
    st.sampled_from(["{}", "user {}", "/scratch/{}/x", "{}@node", "uid=1000({})", "name={}", "{}-box"]),
)
def test_the_own_user_survives_nowhere(name, before, after, form):
    """As a word, in a path of any kind, before an @."""
    assume(name not in before + after + form)
    assert name not in redact(before + form.format(name) + after, Identity(users=(name,)))


@given(word, surroundings, endings)
def test_the_own_host_survives_nowhere(name, before, after):
    """The short name and the full one."""
    assume(name not in before + after)
    text = f"{before}{name} {name}.lovelace.example {name}:8080{after}"
    assert name not in redact(text, Identity(hosts=(f"{name}.lovelace.example",)))


@given(secret, surroundings, endings, st.sampled_from([
    "https://user:{}@host.example/simple", "https://{}@pypi.org/simple", "user:{}@proxy:3128", "http_proxy=http://u:{}@p:1",
    "HF_TOKEN={}", "password: {}", "--password {}", "'api_key': '{}'", '"secret":"{}"', "Authorization: Bearer {}",
    "git+https://x:{}@github.com/a/b", "https://h.example/x?sig={}", "aws_secret_access_key = {}", "--token={}",
]))  # fmt: skip
def test_no_planted_secret_survives(value, before, after, form):
    """In a login, a query, a variable, an option, a header."""
    assume(value not in before + after + form)
    assert value not in redact(before + form.format(value) + after)


@given(address, surroundings, endings, st.sampled_from([
    "{}", "http://{}:3128/x", "host={}", "{}:29500", "MASTER_ADDR={}", "tcp://{}:1", "at {} port 80", "root@{}",
     "['{}']", '"host": "{}"',
]))  # fmt: skip
def test_no_address_survives(value, before, after, form):
    """Where nothing around it says that it is a version."""
    assert value not in redact(before + form.format(value) + after)


@given(st.text(max_size=80) | st.lists(st.sampled_from([
    "/home/ada/", "C:\\Users\\", "ada", "engine-room", "https://", "@", ":", "pw", "token=", "<secret>", "<user>", "~",
    "https_proxy=", ",",
    "/",     "\\", "10.1.2.3", "::1", "::", "aa:bb:cc:dd:ee:ff", "Bearer ", "?", "#",
    ".corp", "example", " ", "\n", "'", '"', "password",
    "--", "file://", "users", "Zk3q9XbT7LmPw2RsYv8Nc4Hd", "sha256=", "==", "12.4.5.8", "_ZN2at4_ops", "<", ">", "=",
]), max_size=12).map("".join))  # fmt: skip
@settings(max_examples=300)
def test_redacting_twice_is_redacting_once(text):
    """No placeholder is taken for something else."""
    once = redact(text, ADA)
    assert redact(once, ADA) == once


@given(st.lists(st.sampled_from(SURVIVORS), max_size=4).map("\n".join))
def test_what_diagnosis_needs_stays_in_company(text):
    """One line's context does not spoil the next."""
    assert redact(text, ADA) == text


@given(st.binary(min_size=1, max_size=9), surroundings, st.sampled_from(["", "\n", ", next", " "]))
def test_no_digest_is_taken_for_a_key(content, before, after):
    """As RECORD, pip and lock files write them."""
    digest = hashlib.sha256(content)
    record = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    text = f"{before}sha256={record} sha256:{digest.hexdigest()}{after}"
    assert record in redact(text)
    assert digest.hexdigest() in redact(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=8))  # fmt: skip
def test_any_document_stays_a_document(document):
    """Whatever is in it, the result is JSON of the same shape, and redacting it again changes nothing."""
    shown = redact_document(document, ADA)
    assert redact_document(json.loads(json.dumps(shown)), ADA) == shown


@pytest.mark.fuzz
def test_a_huge_text_is_redacted_in_one_go():
    """Twenty thousand of one letter, of slashes, of dots: no pattern runs away."""
    for piece in ("a", "/", ".", "a.", "1.", ":", "@", "token", "-", "\\", "a:"):
        text = piece * (20_000 // len(piece))
        assert isinstance(redact(text, ADA), str)
