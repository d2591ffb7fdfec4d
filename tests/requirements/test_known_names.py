"""Names that no index has, and names of something else."""

from __future__ import annotations

import pytest

from torchdoctor.requirements.known_names import other_package, similar_names


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("pandass", ("pandas",)),
        ("cv2", ("opencv-python",)),
        ("Flash_Attention2", ("flash-attn",)),
        ("ultralitics", ("ultralytics",)),
        ("an-own-package", ()),
        ("torch", ()),
    ],
)
def test_a_misspelt_name_is_told_from_a_name_of_its_own(name: str, meant: tuple[str, ...]) -> None:
    """A slip of the finger or the name of a module suggests the package; anything else suggests nothing."""
    assert similar_names(name)[:1] == meant


def test_a_package_that_is_another_one_is_said() -> None:
    """People who ask for whisper get a database from PyPI, so that is said; of most names nothing is."""
    assert "openai-whisper" in (other_package("Whisper") or "")
    assert other_package("timm") is None
