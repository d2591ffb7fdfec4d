"""Readers: each knows one kind of text and finds its facts wherever they stand in a paste."""

from torchdoctor.diagnose.parsers.parse import read_paste

__all__ = ["read_paste"]
