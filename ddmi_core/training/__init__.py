"""Training: both stages, checkpoints, and the run folder that others watch."""
