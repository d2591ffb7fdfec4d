"""The package gives the workflow of each command by name."""

from __future__ import annotations

import torchdoctor.workflows


def test_every_name_of_the_face_is_there():
    """And no module has the name of one of its functions."""
    for name in torchdoctor.workflows.__all__:
        assert getattr(torchdoctor.workflows, name).__name__ == name
