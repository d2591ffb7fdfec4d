"""Parsers of what people paste: each yields the facts of one kind of output."""
