"""Removes from a text what tells who and where somebody is, and every secret."""

from __future__ import annotations

import re
from typing import Any

from torchdoctor.report.redact.identity import Identity
from torchdoctor.report.redact.network import (
    is_proxy,
    redact_addresses,
    redact_hosts,
    redact_proxy,
    redact_urls,
)
from torchdoctor.report.redact.people import redact_homes, redact_ids, redact_names, redact_user_settings
from torchdoctor.report.redact.rules import redact_by_rules
from torchdoctor.report.redact.secrets import is_secret_key, redact_assigned, redact_random, redact_tokens

__all__ = ["redact", "redact_document", "redact_secrets"]

_MAX_PASSES = 8
# Colours; left in, their last letter would be part of the next word.
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){0,8}[A-Za-z0-9-]{1,63}(?![\w-])")
_VERSION_KEYS = (
    "version",
    "versions",
    "os_version",
    "driver",
    "belongs",
    "torch",
    "needed",
    "declared",
    "cuda",
)
_QUAD = re.compile(r"\d{1,5}(?:\.\d{1,5}){3}")
# Of a setting or variable: UV_INDEX_CORP_USERNAME, global.user.
_USER_LABEL = re.compile(r"(?:^|[_.-])(?:user|username|user-name|logname|login)$", re.IGNORECASE)
_USER_KEYS, _SERIAL_KEYS = ("user", "username", "login", "owner"), ("serial", "serial_number")

_NOBODY = Identity()


def redact(text: str, identity: Identity = _NOBODY) -> str:
    """Return the text without user names, home paths, host names, addresses, serials, tokens and credentials.

    Placeholders show what was removed: `~`, `<user>`, `<host>`, `<project>`, `<ip>`, `<mac>`, `<email>`, `<uuid>`,
    `<serial>`, `<secret>`. Versions, driver numbers, hashes and loopback addresses stay. Redacting twice gives the same
    as redacting once.
    """
    for _ in range(_MAX_PASSES):
        shorter = _redact_once(text, identity)
        if shorter == text:
            break
        text = shorter
    return text


def redact_secrets(text: str) -> str:
    """Return the text without what opens doors; names, paths and addresses stay, for the one whose text it is."""
    text = redact_by_rules(redact_tokens(text), only_secrets=True)
    return redact_random(redact_assigned(redact_urls(text, hosts=False)))


def redact_document(document: Any, identity: Identity = _NOBODY, *, key: str = "") -> Any:
    """Return parsed JSON with every text in it redacted; a value that its `key` shows to be a version stays."""
    if isinstance(document, dict):
        document = _told_by_its_name(document)
        return {
            redact(name, identity) if isinstance(name, str) else name: redact_document(
                value, identity, key=str(name)
            )
            for name, value in document.items()
        }
    if isinstance(document, (list, tuple)):
        return [redact_document(value, identity, key=key) for value in document]
    if not isinstance(document, str):
        return document
    if is_secret_key(key):
        return "<secret>"
    if key in _USER_KEYS:
        return "<user>"
    if key in _SERIAL_KEYS:
        return "<serial>"
    return document if key in _VERSION_KEYS and _QUAD.fullmatch(document) else redact(document, identity)


def _told_by_its_name(row: dict[Any, Any]) -> dict[Any, Any]:
    """A setting or variable, of which the name shows what its value is."""
    label, value = row.get("name") or row.get("key"), row.get("value")
    if not isinstance(label, str) or not isinstance(value, str):
        return row
    if is_proxy(label):
        return {**row, "value": redact_proxy(value)}
    if is_secret_key(label.rpartition(".")[2]):
        return {**row, "value": "<secret>"}
    return {**row, "value": "<user>"} if _USER_LABEL.search(label) else row


def _redact_once(text: str, identity: Identity) -> str:
    text = redact_tokens(_COLOUR.sub("", text))
    text = redact_assigned(redact_urls(redact_by_rules(text)))
    text = _EMAIL.sub("<email>", text)
    text = redact_homes(text, identity.homes)
    text = redact_user_settings(text)
    text = redact_names(text, identity)
    text = redact_hosts(text)
    text = redact_addresses(redact_ids(text))
    return redact_random(text)
