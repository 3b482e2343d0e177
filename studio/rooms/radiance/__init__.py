"""The Radiance room."""
