"""The Video room."""
