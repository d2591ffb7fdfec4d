"""How results are shown: lines while it works, tables, JSON."""
