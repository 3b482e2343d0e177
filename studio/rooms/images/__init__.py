"""The Images room."""
