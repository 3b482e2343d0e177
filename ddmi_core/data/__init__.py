"""Data sets, starter sets and readers of the user's own files."""
