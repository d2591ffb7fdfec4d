"""Who is trusted and who learns a secret: private certificates, proxies, netrc, and redirects to plain http."""

from __future__ import annotations

import base64
import hashlib
import ssl

import pytest
import trustme

from tests.faults import Fault, FaultServer
from tests.fetch.conftest import NAME, WHEEL, Fetcher
from tests.proxy import Proxy
from torchdoctor.core.net import http
from torchdoctor.errors import SourceFailed

CA = trustme.CA()


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    """No setting of the machine's own, and a session of each test's own."""
    for name in (
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    http.close_connections()
    yield
    http.close_connections()


@pytest.fixture
def bundle(tmp_path):
    """The private CA's certificate as a company hands it out."""
    path = tmp_path / "corp.pem"
    CA.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def secure():
    """A server whose certificate only the private CA vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    with FaultServer(tls=context, host="localhost") as made:
        made.files[f"/{NAME}"] = WHEEL
        yield made


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_ca_is_trusted_when_a_variable_names_it(secure, tmp_path, monkeypatch, bundle, variable):
    """As pip, curl and uv do."""
    monkeypatch.setenv(variable, bundle)
    assert Fetcher(secure, tmp_path / "cache")().path.read_bytes() == WHEEL


def test_a_private_ca_is_not_trusted_unasked(secure, tmp_path):
    """The reason is said, nothing is tried again, and nothing comes."""
    with pytest.raises(SourceFailed, match="certificate is not trusted"):
        Fetcher(secure, tmp_path / "cache")()
    assert secure.seen == []


def test_a_redirect_from_https_to_plain_http_is_refused(secure, server, tmp_path, monkeypatch, bundle):
    """Whoever sits on the line could put any file there."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    secure.fault = lambda _: Fault(location=f"{server.url}/{NAME}")
    with pytest.raises(SourceFailed, match="leads from https to http://"):
        Fetcher(secure, tmp_path / "cache")()
    assert server.seen == []


def test_a_page_is_not_read_over_plain_http_either(secure, server, monkeypatch, bundle):
    """An index that leads there is out of reach."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    secure.fault = lambda _: Fault(location=f"{server.url}/simple/torch/")
    with pytest.raises(http.Unreachable, match="not protected"):
        http.fetch_page(f"{secure.url}/simple/torch/")
    assert server.seen == []


def test_a_redirect_within_https_is_followed(secure, tmp_path, monkeypatch, bundle):
    """To another path here."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    secure.files["/moved.whl"] = WHEEL
    secure.fault = lambda seen: Fault(location="/moved.whl") if seen.path == f"/{NAME}" else None
    assert Fetcher(secure, tmp_path / "cache")().path.read_bytes() == WHEEL


def test_a_line_that_breaks_under_tls_goes_on(secure, tmp_path, monkeypatch, bundle):
    """Closed connections and ranges as without it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    secure.fault = lambda _: Fault(close_after=900_000)
    fetcher = Fetcher(secure, tmp_path / "cache")
    assert fetcher().path.read_bytes() == WHEEL


def test_an_authenticating_proxy_is_gone_through(secure, tmp_path, monkeypatch, bundle):
    """The server behind it is held to the private CA all the same."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with Proxy("ada", "se:cret") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:se%3Acret@127.0.0.1:{proxy.port}")
        assert Fetcher(secure, tmp_path / "cache")().path.read_bytes() == WHEEL
        assert set(proxy.tunnels) == {f"localhost:{secure.port}"}


def test_certificates_of_the_system_hold_behind_a_proxy_too(secure, tmp_path, monkeypatch, bundle):
    """`SSL_CERT_FILE` names the store."""
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    with Proxy("ada", "pw") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:pw@127.0.0.1:{proxy.port}")
        assert Fetcher(secure, tmp_path / "cache")().path.read_bytes() == WHEEL


def test_a_proxy_that_refuses_is_named_and_the_password_is_not(secure, tmp_path, monkeypatch, bundle):
    """Neither in the error nor in a note."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with Proxy("ada", "right") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:wrongsecret@127.0.0.1:{proxy.port}")
        fetcher = Fetcher(secure, tmp_path / "cache")
        with pytest.raises(SourceFailed, match="proxy refuses") as caught:
            fetcher()
        assert proxy.refused > 0
    assert "wrongsecret" not in f"{caught.value.message}{caught.value.fix}{fetcher.heard}"


def test_no_proxy_is_honoured(secure, tmp_path, monkeypatch, bundle):
    """A host named there is asked directly."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert Fetcher(secure, tmp_path / "cache")().path.read_bytes() == WHEEL


def test_netrc_is_used_for_its_host_alone(fetcher, tmp_path, monkeypatch):
    """A redirect to another host does not carry it on."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password netsecret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer(host="localhost") as other:
        other.files["/store.whl"] = WHEEL
        fetcher.server.fault = lambda _: Fault(location=f"{other.url}/store.whl")
        row = fetcher()
        expected = "Basic " + base64.b64encode(b"ada:netsecret").decode()
        assert all(seen.headers.get("authorization") == expected for seen in fetcher.server.seen)
        assert not any("authorization" in seen.headers for seen in other.seen)
    assert row.sha256 == hashlib.sha256(WHEEL).hexdigest()
    assert "netsecret" not in f"{row}{fetcher.heard}"
