"""Evaluation: a model measured against a data set, as a folder that can be gone on with, a report and a page."""
