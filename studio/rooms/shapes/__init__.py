"""The Shapes room."""
