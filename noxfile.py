"""What CI does, a session each: `nox -s lint types tests docs`."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv|venv"

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
FAST = "not process and not torch and not fuzz and not browser"


def _group(name: str) -> list[str]:
    """The requirements of a dependency group (PEP 735)."""
    return nox.project.dependency_groups(PROJECT, name)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and who may import whom."""
    session.install(".", *_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.install(".[test]", *_group("lint"))
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on one Python: `nox -s tests-3.12 -- tests/cli`."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS)
def fast(session: nox.Session) -> None:
    """The tests that start no process and need no torch: less than a minute."""
    session.install(".[test]")
    session.run("pytest", "-n", "2", "-m", FAST, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests, three files at a time, with the floor of branch coverage."""
    session.install(".[test]")
    session.run(
        "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--cov", *session.posargs
    )


@nox.session
def docs(session: nox.Session) -> None:
    """The pages; every warning is an error, every link inside is followed."""
    session.install(".", *_group("docs"))
    session.run("sphinx-build", "-W", "-n", "--keep-going", "docs", "docs/_build/html")


@nox.session
def links(session: nox.Session) -> None:
    """The links to elsewhere; needs the network."""
    session.install(".", *_group("docs"))
    session.run("sphinx-build", "-b", "linkcheck", "docs", "docs/_build/links")


@nox.session
def generated(session: nox.Session) -> None:
    """Make the generated files: reference, man pages, failures, checks, schemas, the Chinese catalogue."""
    session.install("-e", ".[test]")
    session.run("python", "tools/generate.py", *session.posargs)
