"""A person's way: a browser opens Jupyter, picks the kernel, runs a cell and sees the result."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import TORCH

MENU = f"Python (PyTorch {TORCH} cpu)"
CODE = "import torch, sys; print('torch', torch.__version__, torch.arange(4.0).square().tolist(), sys.prefix)"
# Starting a browser, a kernel and the import of torch on a busy machine.
MILLISECONDS = 120_000


def chromium():
    """The system's browser: playwright's own is not downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    # A browser that runs as root, as in CI, has no sandbox.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if root else [])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, tmp_path):
    """A page; what it showed last is kept as an image when the test fails, or where TORCHDOCTOR_SHOTS names."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(MILLISECONDS)
    yield opened
    kept = Path(os.environ.get("TORCHDOCTOR_SHOTS") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=kept / f"{os.environ['PYTEST_CURRENT_TEST'].split('::')[1].split(' ')[0]}.png")
    opened.close()


def run_a_cell(page, real):
    """Type a cell where the cursor is, run it, and see what it prints."""
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    page.keyboard.type(CODE)
    page.keyboard.press("Shift+Enter")
    result = f"torch {TORCH}+cpu [0.0, 1.0, 4.0, 9.0] {real.folder}"
    page.locator(".jp-OutputArea-output", has_text=result).first.wait_for()


def test_jupyterlab_shows_the_kernel_and_runs_a_cell_in_it(page, server, real):
    """The launcher has its card with the logo; a notebook made from it answers from the environment."""
    page.goto(f"{server.url}/lab?token={server.token}")
    card = page.locator(f'.jp-LauncherCard[data-category="Notebook"][title^="{MENU}"]')
    card.wait_for()
    logo = card.locator("img.jp-Launcher-kernelIcon")
    assert logo.evaluate("image => image.complete && image.naturalWidth") == 64
    card.click()
    page.locator(".jp-Toolbar-kernelName", has_text=MENU).wait_for()
    run_a_cell(page, real)


def test_notebook_runs_a_cell_in_the_kernel(page, server, real):
    """The same kernel in Jupyter Notebook, from a notebook that names it."""
    pytest.importorskip("notebook", reason="Notebook is not installed")
    named = {"name": "demo", "display_name": MENU, "language": "python"}
    cell = {
        "cell_type": "code",
        "source": "",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "id": "one",
    }
    content = {"cells": [cell], "metadata": {"kernelspec": named}, "nbformat": 4, "nbformat_minor": 5}
    server.ask("PUT", "/api/contents/seen.ipynb", json={"type": "notebook", "content": content})
    page.goto(f"{server.url}/notebooks/seen.ipynb?token={server.token}")
    page.locator(".jp-Toolbar-kernelName", has_text=MENU).wait_for()
    run_a_cell(page, real)
