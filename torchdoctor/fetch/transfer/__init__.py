"""Downloads one large file over unreliable networks: in ranges, over several connections, resumed from the disk."""
