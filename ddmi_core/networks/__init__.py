"""Encoders, the basis-field decoder and the read-out."""
