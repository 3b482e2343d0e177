"""Checkpoints of the authors' own code (mlvlab/DDMI): read safely, and turned into model folders."""
