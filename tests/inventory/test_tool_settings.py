"""What pip, uv and conda are configured with, where each value came from, and that no secret is among them."""

from __future__ import annotations

import pytest

from torchdoctor.inventory.environment_variables import certificates, proxies, variables, without_credentials


def _settings(env, tool, **more):
    rows = env.take(**more).settings.value or ()
    return [(row.key, row.value, row.origin, row.used) for row in rows if row.tool == tool]


def test_pips_files_and_variables_are_told_with_the_one_that_wins(env):
    """User's file, the environment's, then a variable; the order of the files is test_pip_settings'."""
    home = env.prefix / "home/.config/pip"
    home.mkdir(parents=True)
    (home / "pip.conf").write_text(
        "[global]\nindex-url = https://a.example/simple\ntimeout = 9\n[install]\nno-binary = x\n"
        "extra_index_url =\n  https://c.example\n  https://d.example\n"
    )
    (env.prefix / "pip.conf").write_text("[global]\nindex-url = https://u:secret@b.example/simple\n")
    environ = {"PIP_TIMEOUT": "5"}
    rows = [row for row in _settings(env, "pip", environ=environ) if row[2] != "/etc/pip.conf"]
    assert rows == [
        ("global.index-url", "https://a.example/simple", str(home / "pip.conf"), False),
        ("global.timeout", "9", str(home / "pip.conf"), False),
        ("install.no-binary", "x", str(home / "pip.conf"), True),
        ("install.extra-index-url", "https://c.example https://d.example", str(home / "pip.conf"), True),
        ("global.index-url", "https://****@b.example/simple", str(env.prefix / "pip.conf"), True),
        ("timeout", "5", "PIP_TIMEOUT", True),
    ]


def test_pips_settings_are_off_where_its_file_is_the_null_device(env):
    """PIP_CONFIG_FILE=/dev/null: https://pip.pypa.io/en/stable/topics/configuration/."""
    (env.prefix / "pip.conf").write_text("[global]\nindex-url = x\n")
    assert _settings(env, "pip", environ={"PIP_CONFIG_FILE": "/dev/null"}) == []


def test_uvs_files_and_variables_are_told(env, tmp_path):
    """A project's own table, by its keys; a variable goes first."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.uv]\nindex-strategy = 'first'\n[[tool.uv.index]]\nname = 'pytorch'\nurl = 'https://u:p@x.example/whl'\n"
        "[tool.uv.pip]\ntorch-backend = 'cu128'\n"
    )
    rows = _settings(env, "uv", here=tmp_path, environ={"UV_INDEX_STRATEGY": "unsafe-best-match"})
    assert rows == [
        ("UV_INDEX_STRATEGY", "unsafe-best-match", "UV_INDEX_STRATEGY", True),
        ("index-strategy", "first", str(tmp_path / "pyproject.toml"), False),
        ("index.name", "pytorch", str(tmp_path / "pyproject.toml"), True),
        ("index.url", "https://****@x.example/whl", str(tmp_path / "pyproject.toml"), True),
        ("pip.torch-backend", "cu128", str(tmp_path / "pyproject.toml"), True),
    ]


def test_condas_files_are_told(env, tmp_path):
    """Channels in order, what pip may do, proxies without their logins; the later file wins."""
    home = env.prefix / "home"
    home.mkdir()
    (home / ".condarc").write_text(
        "channels:\n  - pytorch\n  - defaults\nproxy_servers:\n  http: http://u:p@proxy:3128\nssl_verify: false\n"
    )
    (tmp_path / "condarc").write_text("channels: [conda-forge]\n")
    rows = _settings(env, "conda", environ={"CONDARC": str(tmp_path / "condarc"), "CONDA_SOLVER": "classic"})
    assert rows == [
        ("channels", "pytorch defaults", str(home / ".condarc"), False),
        ("ssl_verify", "false", str(home / ".condarc"), True),
        ("proxy_servers", "http=http://****@proxy:3128", str(home / ".condarc"), True),
        ("channels", "conda-forge", str(tmp_path / "condarc"), True),
        ("solver", "classic", "CONDA_SOLVER", True),
    ]


def test_what_cannot_be_read_of_condas_files_is_told(env, tmp_path):
    """An alias is not followed, and not passed over in silence either."""
    (tmp_path / "condarc").write_text("channels: *mine\n")
    rows = _settings(env, "conda", environ={"CONDARC": str(tmp_path / "condarc")})
    assert rows == [("channels", "it could not be read", str(tmp_path / "condarc"), True)]


def test_variables_are_those_that_matter_and_none_that_is_secret():
    """By their beginnings; a name that says secret is left out whatever it begins with."""
    environ = {
        "CUDA_VISIBLE_DEVICES": "", "NCCL_DEBUG": "INFO", "LD_LIBRARY_PATH": "/x", "OMP_NUM_THREADS": "1",
        "PYTHONPATH": "/y", "TORCH_LICENSE_KEY": "s", "NVIDIA_API_KEY": "s", "PYTORCH_TOKEN": "s", "EDITOR": "vi",
        "CUDA_X": "http://u:pw@h/?k=1",
    }  # fmt: skip
    assert {row.name: row.value for row in variables(environ)} == {
        "CUDA_VISIBLE_DEVICES": "", "NCCL_DEBUG": "INFO", "LD_LIBRARY_PATH": "/x", "OMP_NUM_THREADS": "1",
        "PYTHONPATH": "/y", "CUDA_X": "http://****@h/?****",
    }  # fmt: skip


def test_proxies_are_told_in_both_spellings_without_logins():
    """`http_proxy` and `HTTPS_PROXY`, with and without a scheme."""
    rows = proxies(
        {"http_proxy": "user:pw@proxy:3128", "HTTPS_PROXY": "http://user:pw@proxy:3128", "NO_PROXY": "a,b"}
    )
    assert [(row.name, row.value) for row in rows] == [
        ("HTTPS_PROXY", "http://****@proxy:3128"), ("NO_PROXY", "a,b"), ("http_proxy", "****@proxy:3128"),
    ]  # fmt: skip


def test_certificates_are_told_with_whether_they_are_there(tmp_path):
    """A bundle that was moved is a common reason for errors that look like the network's."""
    (tmp_path / "ca.pem").touch()
    rows = certificates({"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "REQUESTS_CA_BUNDLE": "/gone.pem"})
    assert [(row.variable, row.there) for row in rows] == [
        ("REQUESTS_CA_BUNDLE", False),
        ("SSL_CERT_FILE", True),
    ]


@pytest.mark.parametrize("text", ["https://u:p@h/x and http://h?token=1", "u:p@h", "git+https://tok@h/x"])
def test_credentials_go_wherever_they_stand(text):
    """Several in one value, and without a scheme."""
    shown = without_credentials(text)
    assert "****" in shown
    assert not any(part in shown for part in ("u:p", "token=1", "tok@"))
