"""What SECURITY.md promises, and the attacks on it."""
