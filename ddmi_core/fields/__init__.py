"""Decoded signals, one module a kind."""
