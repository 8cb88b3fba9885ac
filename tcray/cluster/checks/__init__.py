"""Checks of a cluster file, one module per subject."""
