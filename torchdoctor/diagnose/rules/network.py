"""The way to the index: certificates, proxies, slow lines, a Python without TLS."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import (
    all_of,
    background,
    certain,
    contains,
    fact,
    hint,
    likely,
    no,
    possible,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

NO_SSL_MODULE = contains(
    "ssl module in python is not available",
    "ssl module is not available",
    "no module named '_ssl'",
    "no module named _ssl",
    "dll load failed while importing _ssl",
    "ssl module is not",
    "requires tls/ssl",
)
UNREACHABLE = contains(
    "proxyerror",
    "cannot connect to proxy",
    "network is unreachable",
    "name resolution",
    "getaddrinfo failed",
    "nodename nor servname",
    "name or service not known",
    "could not resolve host",
    "no route to host",
    "connection refused",
    "failed to establish a new connection",
    "newconnectionerror",
    "connecttimeouterror",
    "connecttimeout",
    "tunnel connection failed",
    "unable to connect to proxy",
    "dns error",
    "winerror 10061",
    "winerror 10060",
    "winerror 11001",
    "failed to lookup address",
    "由于目标计算机积极拒绝",
    "407 proxy authentication",
)

RULES = (
    Rule(
        id="python-without-ssl",
        layer=Layer.SYSTEM,
        severity="error",
        title="This Python was built without TLS",
        explanation=(
            "The module _ssl is missing: a Python built at home without the OpenSSL headers, or "
            "conda's on Windows started without its DLL folder on PATH."
        ),
        signs=(certain(NO_SSL_MODULE),),
        steps=(
            Step(text="Use a Python that has it, for example uv's:", command="uv venv --python 3.12"),
            Step(
                text="Or install the OpenSSL headers and build Python again:",
                command="sudo apt install libssl-dev",
                where="admin",
                os=("linux",),
            ),
            Step(
                text="Start conda's Python from an activated environment, so that Library\\bin is on PATH:",
                command="conda activate base",
                os=("windows",),
            ),
        ),
        explains=(
            "python-too-new",
            "python-too-old",
            "wrong-index-url",
            "proxy-not-set",
            "tls-certificate-not-trusted",
            "pip-too-old",
        ),
        find='`python -c "import ssl; print(ssl.OPENSSL_VERSION)"`.',
    ),
    Rule(
        id="tls-certificate-not-trusted",
        layer=Layer.SYSTEM,
        severity="error",
        title="The server's certificate is not trusted",
        explanation=(
            "A company's proxy or an antivirus opens TLS and signs with its own certificate; or "
            "the clock or the list of authorities is old."
        ),
        signs=(
            certain(
                contains(
                    "certificate_verify_failed",
                    "certificate verify failed",
                    "self-signed certificate",
                    "self signed certificate",
                    "unable to get local issuer certificate",
                    "sslcertverificationerror",
                    "invalid peer certificate",
                    "unknownissuer",
                    "certificate has expired",
                    "certificate is not yet valid",
                    "unable to get issuer",
                )
            ),
            likely(
                contains(
                    "sslerror(",
                    "ssl: wrong_version_number",
                    "trusted-host",
                    "sslv3_alert",
                    "eof occurred in violation of protocol",
                    matching=(
                        r"sslerror|wrong_version_number|trusted-host[^.]{0,60}(?:fix|solv|work"
                        r"|help)|violation of protocol"
                    ),
                )
            ),
        ),
        unless=(NO_SSL_MODULE, contains("proxyerror(")),
        steps=(
            Step(
                text=(
                    "Give pip the company's certificate (ask your administrator for the file), "
                    "and never switch the check off:"
                ),
                command="python -m pip config set global.cert /path/to/company-ca.pem",
            ),
            Step(
                text=(
                    "Tools besides pip read SSL_CERT_FILE and REQUESTS_CA_BUNDLE. pip 24.2 and "
                    "newer uses the system's own store:"
                ),
                command="python -m pip install --upgrade pip",
            ),
            Step(text="Check the machine's clock."),
        ),
        explains=("python-too-new", "python-too-old", "wrong-index-url", "proxy-not-set", "download-timeout"),
        find=(
            "`python -m pip download --no-deps torch -v` names the issuer; a browser shows who "
            "signed download.pytorch.org."
        ),
    ),
    Rule(
        id="proxy-not-set",
        layer=Layer.SYSTEM,
        severity="error",
        title="The index cannot be reached from here",
        explanation=(
            "A proxy is needed or wrong, the node has no network, the name is not resolved, or a "
            "firewall lets some hosts through only."
        ),
        signs=(
            likely(UNREACHABLE),
            certain(contains("proxyerror(", "missing dependencies for socks support", "socksconnection")),
            background(contains("proxy", matching=r"\bproxy\b")),
            possible(
                all_of(
                    contains("retrying (retry(total="),
                    no(contains("read timed out", "incompleteread", "connection reset", "ssl")),
                )
            ),
            hint(
                contains(
                    "offline",
                    "firewall",
                    "intranet",
                    "air-gapped",
                    "air gapped",
                    "no internet",
                    "compute node",
                    # "offline_inference.py" is a file's name.
                    matching=r"(?<![\w/.-])offline(?![\w/.-])|firewall|intranet|air[- ]gapped|no internet|compute node",
                )
            ),
        ),
        unless=(
            NO_SSL_MODULE,
            contains("certificate_verify_failed"),
            contains("jupyter", matching=r"jupyter[^.]{0,80}connection refused"),
            contains("nccl"),
        ),
        steps=(
            Step(
                text="Name the proxy of your network (ask for its address):",
                command="export HTTPS_PROXY=http://proxy.example:3128",
                os=("linux", "macos"),
            ),
            Step(
                text="Name the proxy of your network, in this PowerShell (ask for its address):",
                command='$env:HTTPS_PROXY = "http://proxy.example:3128"',
                os=("windows",),
            ),
            Step(
                text=(
                    "Or use a mirror that can be reached (`torchdoctor index mirrors`), or carry "
                    "the wheels over:"
                ),
                command="torchdoctor download wheels",
            ),
        ),
        explains=("python-too-new", "python-too-old", "wrong-index-url", "download-timeout", "pip-too-old"),
        find=(
            "`curl -I https://download.pytorch.org/whl/` and `curl -I https://pypi.org/simple/`: "
            "one may work and the other not."
        ),
    ),
    Rule(
        id="download-timeout",
        layer=Layer.INSTALL,
        severity="error",
        title="The download is too slow, or breaks off",
        explanation="Wheels are 0.2 to 3 GB; a slow or unsteady line breaks before the end.",
        signs=(
            likely(
                contains(
                    "read timed out",
                    "readtimeouterror",
                    "incompleteread",
                    "connectionreseterror",
                    "connection reset by peer",
                    "connection broken",
                    "protocolerror",
                    "remotedisconnected",
                    "remote end closed",
                    "incomplete-download",
                    "operation timed out",
                    "error decoding response body",
                    "download failed after",
                    "uv_http_timeout",
                    "timeouterror",
                    "socket.timeout",
                    "winerror 10054",
                    "chunkedencodingerror",
                    "timed out while",
                    "conda_http_error",
                    "condahttperror",
                    "远程主机强迫关闭了一个现有的连接",
                )
            ),
            likely(
                all_of(
                    fact("told.slow_download"),
                    contains("torch"),
                    no(contains("hash mismatch", "do not match the hashes")),
                )
            ),
            hint(
                contains(
                    "slow internet", "slow connection", "kb/s", "slow download", "slow network", "bad network"
                )
            ),
        ),
        unless=(
            contains("certificate_verify_failed"),
            contains("cannot connect to proxy"),
            NO_SSL_MODULE,
            contains("nccl", matching=r"nccl|ncclcomm|socket timeout"),
        ),
        steps=(
            Step(
                text="Give pip time and retries; 25.1 and newer also resumes:",
                command="python -m pip install --timeout 120 --retries 10 --resume-retries 10 torch",
                installer=("pip", "conda", "poetry"),
            ),
            Step(
                text="Give uv time:",
                command="UV_HTTP_TIMEOUT=600 uv pip install torch",
                installer=("uv",),
                os=("linux", "macos"),
            ),
            Step(text="Or take a nearer mirror:", command="torchdoctor install --mirror auto"),
        ),
        explains=("download-corrupt-hash", "proxy-not-set"),
        find="Bytes per second of the download; whether it stops at the same place.",
    ),
)
