"""The networks of the authors' own code (mlvlab/DDMI), so that their checkpoints give the numbers that they gave there.

Convolutional blocks are those of diffusers, whose weights the published ones are but for their names.
"""
