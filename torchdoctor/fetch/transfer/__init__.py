"""Brings one large file over bad lines: in ranges, over several connections, resumed from what is on disk."""
