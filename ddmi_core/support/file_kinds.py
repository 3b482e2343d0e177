"""The suffixes of the files that signals are read from, for the library, the command line and the studio alike."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
SURFACES = (".obj", ".ply", ".stl", ".glb", ".off")
"""Meshes and point clouds."""
SCENES = (".ply", ".obj", ".glb", ".off", ".stl", ".npz", ".json")
"""Surfaces with colours, and posed pictures."""
CLIPS = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".gif")
