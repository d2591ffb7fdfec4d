"""The shell from which the program was started."""

from __future__ import annotations

__all__ = ["current_shell"]


def current_shell() -> str | None:
    """Return the name of the shell among the parents of this process, such as `bash`; None where there is none."""
    import shellingham

    try:
        name, _ = shellingham.detect_shell()
    except (shellingham.ShellDetectionFailure, OSError):
        return None
    return str(name)
