"""The suffixes of the files that signals are read from, for the library, the command line and the studio alike."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
SURFACES = (".obj", ".ply", ".stl", ".glb", ".off")
"""Meshes and point clouds."""
SCENES = (".ply", ".obj", ".glb", ".off", ".stl", ".npz", ".json")
"""Surfaces with colours, and posed pictures."""
TRANSFORMS = ("transforms_train.json", "transforms.json")
SRN_INTRINSICS = "intrinsics.txt"
SCENE_NAMES = (*TRANSFORMS, SRN_INTRINSICS)
"""Of files that posed pictures are called by, and so is a folder that holds one."""
CLIPS = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".gif")
