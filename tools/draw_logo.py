"""Draw the kernel's PNG logos from its SVG with a browser: `python tools/draw_logo.py [CHROMIUM]`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

LOGO = Path(__file__).parents[1] / "torchdoctor" / "kernel" / "logo"
# The sizes that Jupyter's front ends look for.
SIZES = (32, 64)


def main(chromium: str) -> None:
    """Write logo-32x32.png and logo-64x64.png next to the SVG."""
    svg = (LOGO / "logo-svg.svg").read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(
                f"<style>body {{margin: 0}} svg {{width: {size}px; height: {size}px}}</style>{svg}"
            )
            page.screenshot(path=LOGO / f"logo-{size}x{size}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "/usr/bin/chromium")
