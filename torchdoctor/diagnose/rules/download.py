"""Files that are not what they should be: cut short, taken from a cache, listed wrongly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    background,
    contains,
    hint,
    likely,
    no,
    predicate,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]

HASHES = contains("do not match the hashes", "hash mismatch", "hash mismatch for")


def _got_again(case: Evidence) -> Match | None:
    """The same wrong hash on two tries."""
    got = re.findall(r"\bgot\s+([0-9a-f]{16,64})", case.text.lower)
    same = [value for value in got if got.count(value) > 1]
    return Match() if same else None


RULES = (
    Rule(
        id="pip-cache-stale",
        layer=Layer.INSTALL,
        severity="error",
        title="pip takes an old or broken wheel from its cache",
        explanation=(
            "A wheel that was cut short, or was of another build, lies in the cache and is taken "
            "again each time."
        ),
        signs=(
            likely(
                all_of(
                    contains("using cached"),
                    any_of(
                        HASHES,
                        contains(
                            "cpu",
                            "+cpu",
                            "badzipfile",
                            "bad magic",
                            "not a zip",
                            "invalid wheel",
                            "wrong version",
                            "same version",
                            "zlib",
                            "corrupt",
                        ),
                        contains("is not a zip file"),
                    ),
                )
            ),
            likely(
                contains(
                    "no-cache-dir",
                    "pip cache purge",
                    "pip cache remove",
                    "cache purge",
                    "clear the cache",
                    "clear pip cache",
                    "clearing the cache",
                    "uv cache clean",
                    matching=(
                        r"(?:--no-cache-dir|pip cache (?:purge|remove)|clear\w* (?:the |my "
                        r")?(?:pip )?cache|uv cache clean)[^.]{0,60}(?:fix|solv|work|help|resolv)"
                        r"|(?:fix|solv|work|help|resolv)\w*[^.]{0,60}(?:--no-cache-dir|pip cache "
                        r"(?:purge|remove)|clear\w* (?:the |my )?(?:pip )?cache|uv cache clean)"
                    ),
                )
            ),
            background(contains("using cached torch")),
            likely(
                contains(
                    "badzipfile",
                    "is not a zip file",
                    "error -3 while decompressing",
                    "bad crc-32",
                    "has an invalid wheel",
                    matching=r"badzipfile|not a zip file|error -3 while|bad crc-32|invalid wheel",
                )
            ),
        ),
        unless=(contains("undefined symbol"),),
        steps=(
            Step(
                text="Take torch out of the cache and install again:",
                command=(
                    "python -m pip cache remove 'torch*' && python -m pip install --no-cache-dir "
                    "--force-reinstall torch"
                ),
                installer=("pip", "conda", "poetry"),
                os=("linux", "macos"),
            ),
            Step(
                text="Take torch out of the cache, then install again with --no-cache-dir:",
                command='python -m pip cache remove "torch*"',
                installer=("pip", "conda", "poetry"),
                os=("windows",),
            ),
            Step(text="Take torch out of uv's cache:", command="uv cache clean torch", installer=("uv",)),
        ),
        explains=("download-corrupt-hash", "cpu-only-wheel"),
        find="The log says `Using cached torch-…`.",
    ),
    Rule(
        id="download-corrupt-hash",
        layer=Layer.INSTALL,
        severity="error",
        title="The wheel was cut short on the way",
        explanation=(
            "The download ended early, and pip reports what it got as a wrong hash: another one on each try."
        ),
        signs=(
            likely(all_of(HASHES, no(predicate(_got_again)))),
            likely(
                contains(
                    "is invalid", matching=r"wheel '?\w[^ ]{0,60} located at [^\n]{0,300}\.whl is invalid"
                )
            ),
            hint(
                all_of(
                    HASHES,
                    contains(
                        "incompleteread",
                        "connection broken",
                        "interrupted",
                        "timeout",
                        "slow",
                        "proxy",
                        "mirror",
                    ),
                )
            ),
        ),
        unless=(contains("nightly", matching=r"nightly[^.]{0,300}(?:same|every time|each time)"),),
        steps=(
            Step(
                text="Empty the cache and download again:",
                command="python -m pip cache purge && python -m pip install --no-cache-dir torch",
            ),
            Step(
                text=(
                    "On a bad line let pip resume (25.1 or newer), or take a nearer mirror; "
                    "never turn the check off."
                ),
                command="python -m pip install --no-cache-dir --resume-retries 10 --timeout 120 torch",
            ),
        ),
        explains=("download-timeout",),
        find=(
            "`Got` differs from try to try; `sha256sum` of a file that a resuming client fetched "
            "equals `Expected`."
        ),
    ),
    Rule(
        id="index-hash-wrong",
        layer=Layer.INSTALL,
        severity="error",
        title="The index lists a hash that is not the file's",
        explanation=(
            "Page and file are out of step on the server, as seen with nightly builds. The wrong "
            "hash is the same on every try and in every network."
        ),
        signs=(
            likely(all_of(HASHES, predicate(_got_again))),
            likely(all_of(HASHES, contains("nightly", "whl/test"))),
            likely(
                all_of(
                    HASHES,
                    contains(
                        "same",
                        "every",
                        "consistent",
                        "multiple",
                        "other people",
                        "everyone",
                        "different machine",
                        "reproduc",
                        "index",
                        matching=(
                            r"(?:same|identical)[^.]{0,40}(?:hash|got|every|each|machines?"
                            r"|network|result)|(?:hash|sha256)[^.]{0,40}(?:on the index|in the "
                            r"index|of the index|listed|wrong|outdated)|(?:several|different"
                            r"|multiple|other|two) (?:machines|networks|people|computers|users)"
                        ),
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text=(
                    "Wait for the server to be put right, or take the build of another day or "
                    "version. Do not turn the check off."
                )
            ),
        ),
        explains=("download-corrupt-hash", "pip-cache-stale"),
        find="`Got` is the same on every try, also from another network.",
    ),
)
