"""Figures of merit: what a generated or reconstructed signal is measured by."""
