"""Measurements of what a person waits for; each module prints JSON lines."""
