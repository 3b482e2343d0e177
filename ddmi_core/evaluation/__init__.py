"""Evaluation: a model measured against a data set, as a folder that can be gone on with, a report and a page."""

PAGE = "report.html"
"""The page's name in the folder of a report."""
REPORT = "report.json"
"""That of the same for programs."""
