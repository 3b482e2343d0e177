"""Fits: basis fields that stand for one file of a person's own, as densely as the file needs."""
