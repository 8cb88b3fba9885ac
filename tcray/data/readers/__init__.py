"""Readers of datasets as they were published: one module per source, and the file formats they share."""
