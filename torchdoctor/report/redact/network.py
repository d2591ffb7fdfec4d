"""Redaction of networks: URLs, proxies, names of hosts, addresses."""

from __future__ import annotations

import ipaddress
import re

from torchdoctor.core.url_paths import is_public_host, is_usual_path, secret_parts

__all__ = ["is_proxy", "redact_addresses", "redact_hosts", "redact_proxy", "redact_urls"]

_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,20})://([^\s\"'`<>|\\^{}]*)")
# They are public, and no index.
_PUBLIC_NAMES = frozenset(("localhost", "example.com", "example.org"))
_CUT = "…"
_FRAGMENT = re.compile(r"(?:sha256|sha384|sha512|md5|egg|subdirectory)=[\w./&=-]*")


_PROXY = re.compile(
    r"(\b(?:https?|ftp|all|no)_proxy[\"']?\s{0,3}[:=]\s{0,3}[\"']?)([^\s\"'`|()]{1,500})", re.IGNORECASE
)
_PROXY_HOST = re.compile(
    r"(?:([A-Za-z][\w+.-]{0,20}:)//)?(?:(.{0,500})@)?(\[[^\]]{0,60}\]|[^:/@]{0,255})(:\d{1,5})?(/.*)?"
)
_PRIVATE_NAME = re.compile(
    r"(?<![\w.@/-])(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}"
    r"(?:com|org|net|edu|gov|mil|local|localdomain|internal|intern|corp|lan|intranet|cloud|home|private|test|example|"
    r"de|fr|cn|uk|jp|eu|ch|nl|kr|au|ca|se|es|it|ru|br|tw)(?![\w-]|\.\w)",
    re.IGNORECASE,
)
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
# Cisco's form; a version of three numbers has no letter in it.
_DOTTED_MAC = re.compile(
    r"(?<![\w.+-])(?=[0-9.]{0,14}[A-Fa-f])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.+-])"
)
_IPV4 = re.compile(r"(?<![\d.])(?<!\w[.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w{1,16})?(?![\w:])")

# The version 12.4.5.8 of cuBLAS looks like an address: the text around a number shows which it is.
_VERSION_BEFORE = re.compile(
    r"(?:(?:[=~!<>]=|===)\s{0,2}|\b[vV]|version\W{1,4}|"
    r"\b(?:nvidia-[a-z0-9-]{1,40}|(?:lib)?(?:cudnn|cublas|nccl|cufft|curand|cusolver|cusparse(?:lt)?|nvjitlink|cuda|mkl|dal|tbb)"
    r"(?:-?cu1\d)?)\W{1,3})$",
    re.IGNORECASE,
)
_VERSION_AFTER = re.compile(r"(?:\.dist-info|\.egg-info|\.post\d|\+\w|-microsoft|-(?:py|cp|\d{0,2}-py)\d)")


def redact_urls(text: str, *, hosts: bool = True) -> str:
    """Return the text with proxy settings and URLs without logins, queries and private paths and `hosts`."""
    if hosts:
        text = _PROXY.sub(lambda match: match[1] + redact_proxy(match[2]), text)
    return _URL.sub(lambda match: _url(match, hosts=hosts), text)


def redact_hosts(text: str) -> str:
    """Return the text without names of private hosts, which are known by their last part."""
    return _PRIVATE_NAME.sub(lambda match: match[0] if _is_public(match[0]) else "<host>", text)


def redact_addresses(text: str) -> str:
    """Return the text without MAC and IP addresses; loopback addresses and versions stay."""
    return _IPV6.sub(_address, _IPV4.sub(_address, _DOTTED_MAC.sub("<mac>", _MAC.sub("<mac>", text))))


def is_proxy(name: str) -> bool:
    """Tell whether a setting or variable of this name holds a proxy."""
    return name.lower().endswith("proxy")


def _url(match: re.Match[str], *, hosts: bool) -> str:
    """The scheme, a public host and the path; no login, no query, no token of conda in the path."""
    scheme, rest = match[1], match[2]
    end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    place, tail = rest[:end], rest[end:]
    login, at, host = place.rpartition("@")
    name, colon, port = host.rpartition(":") if re.search(r":\d{1,5}$", host) else (host, "", "")
    shown = name if name in ("", "~") or not hosts or _is_public(name) or _is_local(name) else "<host>"
    path, hash_, fragment = tail.partition("#")
    path, ask, query = path.partition("?")
    path = path if scheme.lower().endswith("file") or name in ("", "~") else _path(name.lower(), path)
    kept = f"#{fragment}" if hash_ and _FRAGMENT.fullmatch(fragment) else ""
    secret = "<secret>@" if at or login else ""
    return f"{scheme}://{secret}{shown}{colon}{port}{path}{ask}{'<secret>' if query else ''}{kept}"


def _is_public(host: str) -> bool:
    return host.lower() in _PUBLIC_NAMES or is_public_host(host)


def _path(host: str, path: str) -> str:
    """A path as it is under a public host; elsewhere cut to its last name, which may not be a secret either."""
    if path.strip("/") in ("", _CUT):
        return path
    if is_public_host(host) or is_usual_path(path) or path.startswith(f"/{_CUT}/"):
        return path
    names = path.rstrip("/").split("/")
    if secret_parts(host, path)[len(names) - 1]:
        return f"/{_CUT}"
    return f"/{_CUT}/{names[-1]}" if len([part for part in names if part]) > 1 else path


def redact_proxy(text: str) -> str:
    """Return the value of a proxy setting, a host or a list of hosts, without logins and private hosts."""
    return ",".join(map(_proxy_host, text.split(",")))


def _proxy_host(item: str) -> str:
    match = _PROXY_HOST.fullmatch(item)
    if match is None:
        return "<secret>"
    scheme, _, host, port, path = match.groups(default="")
    kept = host in ("", "*", "<host>") or _is_local(host) or re.fullmatch(r"\s*<\w+>\s*", host)
    shown = [
        f"{scheme}//" if scheme else "",
        "<secret>@" if match[2] is not None else "",
        host if kept else "<host>",
    ]
    # /8 is the size of a network; any other path is dropped.
    return "".join([*shown, port, path if path.strip("/").isdigit() else ""])


def _is_local(host: str) -> bool:
    """Whether an address means this computer itself, or every address."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _address(match: re.Match[str]) -> str:
    """The placeholder for an address; a local one stays, and so does a version that looks like an address."""
    try:
        ipaddress.ip_address(match[0].partition("%")[0])
    except ValueError:
        return match[0]
    before, after = match.string[max(0, match.start() - 60) : match.start()], match.string[match.end() :][:20]
    version = "." in match[0] and (_VERSION_BEFORE.search(before) or _VERSION_AFTER.match(after))
    return match[0] if version or _is_local(match[0]) else "<ip>"
