"""The interpreter that a launcher (a script in an environment's `bin`) names in its first lines."""

from __future__ import annotations

import re

__all__ = ["interpreter_named"]

# A path with a space, or one too long for the kernel, is started through a shell.
_LINES = (
    re.compile(
        r"#!\s{0,8}(/[^\n]{1,1000}?/python[\d.]{0,12})(?:\s{1,8}-\w{1,40}){0,8}\s{0,40}$", re.MULTILINE
    ),
    re.compile(r"""^'''exec' ["']?(/[^\n"']{1,1000}/python[\d.]*)["']? ["']?\$0""", re.MULTILINE),
)


def interpreter_named(script: str) -> str | None:
    """Return the absolute path of the interpreter in a script's first lines; None where it names none.

    >>> interpreter_named("#!/home/me/old env/bin/python3.12")
    '/home/me/old env/bin/python3.12'
    """
    head = "\n".join(script.split("\n", 3)[:3])
    return next((match[1] for pattern in _LINES if (match := pattern.search(head))), None)
