"""Where wheels can come from: what was asked, a mirror, the official index, pip's and uv's settings, PyPI."""
