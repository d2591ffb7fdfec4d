"""Redaction of people and their machines: homes, folders of shared disks, names of users, serial numbers, ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.report.redact.patterns import PUBLIC_PROJECTS, STRUCTURE, WORDS_OF_A_REPORT

if TYPE_CHECKING:
    from torchdoctor.report.redact.identity import Identity

__all__ = ["redact_homes", "redact_ids", "redact_names", "redact_user_settings"]

PLACEHOLDER = re.compile(r"(<(?:user|host|secret|email|ip|mac|uuid|serial|project|name)>)")
_SHORTEST_WORD = 3  # a shorter name is replaced in paths only

_NAME = r"[^/\\\s\"'<>|:,;)\]`]{1,64}"
_UNIX_HOME = re.compile(rf"(/{{1,4}}(?:home\d{{0,2}}|users|homes|u)/{{1,4}})({_NAME})", re.IGNORECASE)
# A name in Windows may have blanks in it, where something follows that ends it.
_WINDOWS_HOME = re.compile(
    r"((?:\\{1,8}(?:users|home|documents and settings)\\{1,8}|[A-Za-z]:/{1,4}users/{1,4}))"
    r"([^\\/:*?\"<>|\r\n]{1,64}?(?=[\\/])|[^\\/\s:*?\"'<>|,;)\]]{1,64})",
    re.IGNORECASE,
)
# Disks of several users: whatever stands between them and the folders of an environment names people and projects.
_SHARED = re.compile(
    r"(?<![\w.~<>-])(/{1,4}(?:gpfs|nfs\d{0,3}|lustre\d{0,3}|scratch\d{0,3}|beegfs|ceph(?:fs)?|fsx|efs|afs|net|mnt|media|"
    r"vols?|volumes?|export|projects?|proj|data\d{0,3}|datasets?|cluster|shared?|storage|work\d{0,3}|workspaces?|groups?|"
    r"labs?|stage|netapp|glusterfs|run/media|srv|weka|vast|p|ibex|fast|ssd|hdd|disk\d{0,3}|opt/home)/{1,4})"
    rf"({_NAME}(?:/{{1,4}}{_NAME}){{0,20}})",
)
# Where containers, notebooks in a cloud, servers of builds and administrators keep what they work at.
_WORKED_AT = re.compile(
    r"(?<![\w.~<>-])(/{1,4}(?:app|code|builds|content(?:/drive/MyDrive)?|kaggle/(?:input|working)|opt/ml(?:/code)?|"
    r"usr/src(?:/app)?|var/lib/jenkins/workspace|var/(?:mail|spool/cron)|teamspace/studios|root(?:/autodl-\w{1,8})?|"
    r"hy-tmp|openbayes/(?:home|input)|gemini/(?:code|pretrain))/{1,4})"
    rf"({_NAME}(?:/{{1,4}}{_NAME}){{0,20}})",
)
_TMP = re.compile(r"(?<![\w.~<>-])(/tmp/)([a-z]{3,20})(?=/)")
_DRIVE = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z]:(?:\\{1,4}|/)"
    r"(?!(?:windows|users|documents and settings|program ?(?:files|data)[^\\/\n]{0,8})"
    r"[\\/]))"
    r"((?:[^\\/:*?\"'<>|\r\n]{1,64}(?:\\{1,4}|/)){1,20}[^\\/\s:*?\"'<>|,;)]{0,64})",
    re.IGNORECASE,
)
_BLANK_IN_HOME = re.compile(
    rf"(/(?:Users|home)/)({_NAME}(?: {_NAME}){{1,2}})(?=/)",
)
# Below a home stand the projects of its owner.
_IN_HOME = re.compile(rf"((?:(?<![\w.-])~|[/\\]<user>)[/\\]{{1,8}})({_NAME}(?:[/\\]{{1,8}}{_NAME}){{0,20}})")
_UNC = re.compile(r"(?<![\\:\w])(\\\\(?:\\\\)?)([A-Za-z0-9][\w.-]{0,62})(?=\\{1,8}[\w$])")
_SHARE = re.compile(rf"(\\\\<host>\\{{1,4}})(?!(?:Ubuntu|Debian|kali)[\w.-]{{0,20}}\\)({_NAME})")
_UUID = re.compile(
    r"(?<![\w])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![\w])", re.IGNORECASE
)
_SERIAL = re.compile(
    r"((?:serial(?:[ _-]?(?:number|no))?\.?|asset[ _-]?tag|service[ _-]?tag|unique[ _-]?id|"
    r"machine[ _-]?id|boot[ _-]?id|product[ _-]?uuid|node[ _-]?guid|"
    r"board[ _-]?part[ _-]?number)[\"']?\s{0,30}[:=#]\s{0,8}[\"']?)"
    r"(?!<|n/?a\b|none\b|null\b|unknown\b|not |\[?n/a|0\b|to be|default|system serial)([A-Za-z0-9][\w.:/-]{2,63})",
    re.IGNORECASE,
)
# What the system, ssh, schedulers and NCCL print of a user and a host.
_USER_SETTING = re.compile(
    r"(?<![A-Za-z0-9])((?:[A-Z][A-Z0-9_]{0,60}_)?(?:USER|USERNAME|LOGNAME|LOGIN|USERID)[\"']?\s{0,3}=\s{0,3}[\"']?)"
    r"(?!<)([^\s\"',;&|)]{1,64})"
)
_USER_KEY = re.compile(
    r"((?<![\w-])(?:user[ _-]?name|login|logged in as|whoami|run as user|owner)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
    r"(?!<)([^\s\"',;&|)<>]{1,64})",
    re.IGNORECASE,
)
_UID = re.compile(r"((?:uid|gid|groups|euid)=\d{1,10}\()(?!<)([^)\s]{1,64})(?=\))")
_HOST_KEY = re.compile(
    r"((?<![A-Za-z0-9])(?:host[ _-]?name|node[ _-]?name|nodelist|computer[ _-]?name|machine[ _-]?name|"
    r"fqdn|SLURM[A-Z_]{0,20}_NODELIST|SLURMD_NODENAME|MASTER_ADDR|running on node|on node|on host)"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
    r"(?!<|\d{1,3}\.\d|localhost\b|null\b|none\b)([A-Za-z0-9][\w.,\[\]-]{0,120})",
    re.IGNORECASE,
)
_UNAME = re.compile(r"(\bLinux )(?!<)([A-Za-z0-9][\w.-]{0,63})(?= \d{1,2}\.\d{1,3}\.\d)")
_NCCL = re.compile(r"(?<![\w.:-])(?!<)([A-Za-z][\w.-]{1,63})(?=:\d{1,8}:\d{1,8} \[\d{1,3}\] NCCL)")


def redact_homes(text: str, homes: tuple[str, ...]) -> str:
    """Return the text with `~` for these homes, and without the names of others' homes and shared folders."""
    for home in sorted({home.rstrip("\\/") for home in homes}, key=len, reverse=True):
        parts = [part for part in re.split(r"[\\/]", home) if part]
        if parts:
            # Of a file URL the two slashes are not the path's.
            begin = r"(?<!file:)(?<!file:/)[\\/]{1,8}" if home[:1] in "\\/" else r"(?<![A-Za-z0-9])"
            body = r"[\\/]{1,8}".join(map(re.escape, parts))
            case = re.IGNORECASE if ":" in parts[0] else 0
            text = re.sub(rf"(?<![\w~.-]){begin}{body}(?![\w.-])", "~", text, flags=case)
    text = _WINDOWS_HOME.sub(r"\1<user>", text)
    text = _BLANK_IN_HOME.sub(r"\1<user>", text)
    text = _UNIX_HOME.sub(r"\1<user>", text)
    text = _SHARED.sub(lambda match: match[1] + _without_names(match[2], "<user>"), text)
    text = _TMP.sub(lambda match: match[1] + _without_names(match[2], "<user>"), text)
    for pattern in (_WORKED_AT, _DRIVE, _IN_HOME):
        text = pattern.sub(lambda match: match[1] + _without_names(match[2], "<project>"), text)
    text = _UNC.sub(r"\1<host>", text)
    return _SHARE.sub(lambda match: match[1] + _without_names(match[2], "<project>"), text)


def _without_names(path: str, placeholder: str) -> str:
    """The path with the placeholder for each folder before those of an environment; a file at the end stays."""
    parts = re.split(r"([/\\]{1,8})", path)
    inside = False
    for number in range(0, len(parts), 2):
        part = parts[number]
        lower = part.lower()
        inside |= lower in STRUCTURE or re.match(r"python\d", lower) is not None
        is_file = number == len(parts) - 1 and re.search(r"\.[A-Za-z][\w]{0,8}$", part) is not None
        kept = (
            inside
            or is_file
            or len(part) == 1
            or lower in WORDS_OF_A_REPORT
            or _is_public_project(lower)
            or re.fullmatch(r"[\d.]+", part)
        )
        if not kept and not PLACEHOLDER.fullmatch(part) and re.search(r"\w", part):
            parts[number] = placeholder
    return "".join(parts)


def _is_public_project(folder: str) -> bool:
    name = folder.replace("_", "-").removesuffix("-master").removesuffix("-main")
    return name in PUBLIC_PROJECTS


def redact_names(text: str, identity: Identity) -> str:
    """Return the text without names of users, hosts and projects wherever they are words, but those of every report."""
    named = [(name, "<user>") for name in identity.users]
    named += [(name, "<project>") for name in identity.projects]
    for host in identity.hosts:
        named += [(host, "<host>"), (host.partition(".")[0], "<host>")]
    names = [(form, kind) for name, kind in named for form in (name, name.lower(), name.upper())]
    pieces = PLACEHOLDER.split(text)
    for name, placeholder in sorted(set(names), key=lambda pair: -len(pair[0])):
        if name and name.lower() not in WORDS_OF_A_REPORT and not name.isdigit():
            # A word of one or two letters is a name only as a part of a path.
            around = (
                (r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])")
                if len(name) >= _SHORTEST_WORD
                else (r"(?<=[\\/])", r"(?=[\\/])")
            )
            word = re.compile(rf"{around[0]}{re.escape(name)}{around[1]}")
            pieces = [
                piece if PLACEHOLDER.fullmatch(piece) else word.sub(placeholder, piece)
                for whole in pieces
                for piece in PLACEHOLDER.split(whole)
            ]
    return "".join(pieces)


def redact_user_settings(text: str) -> str:
    """Return the text without users and hosts that variables, `id`, `uname`, ssh and NCCL name."""
    for pattern, placeholder in (
        (_USER_SETTING, "<user>"), (_USER_KEY, "<user>"), (_UID, "<user>"), (_HOST_KEY, "<host>"), (_UNAME, "<host>"),
    ):  # fmt: skip
        text = pattern.sub(rf"\1{placeholder}", text)
    return _NCCL.sub("<host>", text)


def redact_ids(text: str) -> str:
    """Return the text without serial numbers and UUIDs."""
    return _UUID.sub("<uuid>", _SERIAL.sub(r"\1<serial>", text))
