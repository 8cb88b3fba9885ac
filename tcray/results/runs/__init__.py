"""Data of runs, read from the store and prepared for the topics."""
