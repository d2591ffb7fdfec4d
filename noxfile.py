"""What CI does, a session each: `nox -s lint types tests docs`."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv|venv"

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install("ruff>=0.14")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.install(".[test]")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on one Python: `nox -s tests-3.12 -- tests/cli`."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages; every warning is an error, every link inside is followed."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "-n", "--keep-going", "docs", "docs/_build/html")


@nox.session
def links(session: nox.Session) -> None:
    """The links to elsewhere; needs the network."""
    session.install(".[docs]")
    session.run("sphinx-build", "-b", "linkcheck", "docs", "docs/_build/links")


@nox.session
def generated(session: nox.Session) -> None:
    """Make anew what is made from the program: reference, man pages, failures, checks, the Chinese catalogue."""
    session.install("-e", ".[test]")
    session.run("python", "tools/generate.py", *session.posargs)
