"""Environments broken by a table: stand-ins of real builds, what breaks them, and what is said of each."""
