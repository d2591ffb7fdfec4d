"""What a variable names for requests and uv to read is a file: a pipe is never waited for, a device never read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from torchdoctor.core.net.http import fetch_page, open_stream
from torchdoctor.core.net.named_files import refuse_special_files
from torchdoctor.core.system.uv import run_uv
from torchdoctor.errors import UsageError

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(os.name == "nt", reason="Windows keeps pipes and devices out of folders"),
]
VARIABLES = ("NETRC", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CLIENT_CERT", "PIP_CERT")


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_pipe_or_a_device_is_refused_with_its_variable(variable, pipe, tmp_path):
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (pipe, "/dev/zero", tmp_path / "link"):
        with pytest.raises(UsageError, match="pipe or a device") as refused:
            refuse_special_files({variable: str(path)})
        assert variable in (refused.value.fix or "")


@pytest.mark.parametrize("name", [".netrc", "_netrc"])
def test_a_pipe_in_the_place_of_the_home_folders_netrc_is_refused(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match="pipe or a device"):
        refuse_special_files({"HOME": str(tmp_path)})
    refuse_special_files({"HOME": str(tmp_path), "NETRC": os.devnull})


def test_files_folders_and_the_null_device_are_allowed(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "missing", os.devnull):
        refuse_special_files(dict.fromkeys(VARIABLES, str(path)))


@pytest.mark.parametrize("ask", [fetch_page, open_stream])
def test_no_request_waits_for_it(ask, pipe, monkeypatch):
    monkeypatch.setenv("NETRC", str(pipe))
    with pytest.raises(UsageError, match="pipe or a device"):
        ask("http://127.0.0.1:9/simple/torch/")


def test_uv_is_not_started_with_it(pipe, tmp_path):
    with pytest.raises(UsageError, match="pipe or a device"):
        run_uv(["--version"], environ={"REQUESTS_CA_BUNDLE": str(pipe)}, folder=Path(tmp_path), limit=5)
