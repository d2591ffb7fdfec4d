"""Readers of what people paste: each finds the observations of one kind of output."""
